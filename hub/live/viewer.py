"""What one viewer has not been sent yet: bounded, merged when the viewer is slow, and saying so."""

import asyncio
from collections.abc import Sequence
from typing import Final, NamedTuple
from uuid import UUID

import numpy as np
import numpy.typing as npt
import orjson

from contract import frames
from contract.frames import Frame, FrameSeries
from hub.telemetry.models import STATUS_NAMES

MAX_WAITING: Final = 100_000
KEEP_OF_SENSOR: Final = 200


class Piece(NamedTuple):
    """Consecutive samples of one sensor, shape (n,): t in µs; `delay_ms` is arrival minus newest t."""

    t_us: npt.NDArray[np.int64]
    raw: npt.NDArray[np.float64]
    physical: npt.NDArray[np.float64]
    status: npt.NDArray[np.uint8]
    delay_ms: float


class Viewer:
    """Collects pieces until they are taken; holds at most 100,000 samples, then keeps the newest of each sensor."""

    def __init__(self) -> None:
        """Start with nothing waiting."""
        self.wake = asyncio.Event()
        self.sensors: dict[int, tuple[UUID, bool]] = {}
        self.values: frozenset[str] = frozenset({"raw", "physical"})
        self.binary = False
        self.holding = False
        self._waiting: dict[int, list[Piece]] = {}
        self._samples = 0
        self._merged = 0

    def offer(self, sensor_no: int, piece: Piece) -> None:
        """Take a piece; never waits."""
        self._waiting.setdefault(sensor_no, []).append(piece)
        self._samples += len(piece.t_us)
        if self._samples > MAX_WAITING:
            self._thin()
        if not self.holding:
            self.wake.set()

    def put_first(self, pieces: Sequence[tuple[int, Piece]]) -> None:
        """Put what was missed before what came since, and let go."""
        later, self._waiting, self._samples = self._waiting, {}, 0
        self.holding = False
        for no, piece in pieces:
            self.offer(no, piece)
        for no, parts in later.items():
            for piece in parts:
                self.offer(no, piece)

    def forget(self, sensors: Sequence[int]) -> None:
        """Drop what waits of these sensors."""
        for no in sensors:
            self._samples -= sum(len(piece.t_us) for piece in self._waiting.pop(no, ()))

    def take(self, cursor: str) -> bytes | str | None:
        """Make a frame of all that waits; None when nothing does."""
        if self.holding or not self._waiting:
            return None
        waiting, self._waiting, self._samples = self._waiting, {}, 0
        merged, self._merged = self._merged, 0
        series = [self._series(no, pieces) for no, pieces in waiting.items() if no in self.sensors]
        frame = Frame(cursor, merged, series)
        return frames.encode(frame) if self.binary else _json(frame)

    def _series(self, no: int, pieces: list[Piece]) -> FrameSeries:
        sensor_id, raw_allowed = self.sensors[no]
        t = np.concatenate([piece.t_us for piece in pieces])
        return FrameSeries(
            sensor_id=sensor_id,
            t=t / 1e6,
            raw=np.concatenate([p.raw for p in pieces]) if "raw" in self.values and raw_allowed else None,
            physical=np.concatenate([p.physical for p in pieces]) if "physical" in self.values else None,
            status=np.concatenate([p.status for p in pieces]),
            delay_ms=pieces[-1].delay_ms,
            decimated=False,
            total=len(t),
        )

    def _thin(self) -> None:
        """Keep the newest samples of each sensor and count the others as merged."""
        before = self._samples
        self._samples = 0
        for no, pieces in self._waiting.items():
            joined = Piece(
                np.concatenate([p.t_us for p in pieces]),
                np.concatenate([p.raw for p in pieces]),
                np.concatenate([p.physical for p in pieces]),
                np.concatenate([p.status for p in pieces]),
                pieces[-1].delay_ms,
            )
            newest = slice(-KEEP_OF_SENSOR, None)
            kept = Piece(
                joined.t_us[newest],
                joined.raw[newest],
                joined.physical[newest],
                joined.status[newest],
                joined.delay_ms,
            )
            self._waiting[no] = [kept]
            self._samples += len(kept.t_us)
        self._merged += before - self._samples


def _json(frame: Frame) -> str:
    series: list[dict[str, object]] = []
    for one in frame.series:
        columns: dict[str, object] = {"sensor_id": one.sensor_id, "t": one.t}
        if one.raw is not None:
            columns["raw"] = one.raw
        if one.physical is not None:
            columns["physical"] = one.physical
        if one.status is not None:
            columns["status"] = [STATUS_NAMES[code] for code in one.status.tolist()]
        series.append({**columns, "delay_ms": one.delay_ms})
    return orjson.dumps(
        {"op": "samples", "cursor": frame.cursor, "merged": frame.merged, "series": series},
        option=orjson.OPT_SERIALIZE_NUMPY,
    ).decode()
