"""What one viewer has not been sent yet: bounded, merged when the viewer is slow, and saying so."""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence, Set
from typing import Final, NamedTuple
from uuid import UUID

import numpy as np
import numpy.typing as npt
import orjson

from contract import frames
from contract.frames import Frame, FrameSeries
from hub.live.messages import Missed
from hub.telemetry.entries import Vector
from hub.telemetry.models import STATUS_NAMES

MAX_WAITING: Final = 100_000
KEEP_OF_SENSOR: Final = 200
MAX_TOLD: Final = 500
BOTH: Final[frozenset[str]] = frozenset({"raw", "physical"})


class Piece(NamedTuple):
    """Consecutive samples of one sensor, shape (n,): t in µs; `delay_ms` is arrival minus newest t, NaN unknown."""

    t_us: npt.NDArray[np.int64]
    raw: npt.NDArray[np.float64]
    physical: npt.NDArray[np.float64]
    status: npt.NDArray[np.uint8]
    delay_ms: float
    spectrum: "Spectrum | None" = None

    def take(self, places: slice | npt.NDArray[np.bool_]) -> "Piece":
        """Return the samples at these places."""
        return Piece(self.t_us[places], self.raw[places], self.physical[places], self.status[places], self.delay_ms)


class Spectrum(NamedTuple):
    """The newest vector of a piece, and its t in µs."""

    t_us: int
    vector: Vector


class Viewer:
    """Collects samples and messages until they are taken.

    Holds at most 100,000 samples, then keeps the newest of each sensor, and at most 500 messages, then drops the
    oldest. While `holding` no frame is made: something earlier is still being sent.
    """

    def __init__(self) -> None:
        """Start with nothing waiting."""
        self.wake = asyncio.Event()
        self.sensors: dict[int, tuple[UUID, bool]] = {}
        self.projects: frozenset[UUID] = frozenset()
        self.runs: frozenset[UUID] = frozenset()
        self.ledger = False
        self.values = BOTH
        self.binary = False
        self.holding = False
        self._waiting: dict[int, list[Piece]] = {}
        self._samples = 0
        self._merged = 0
        self._told: deque[str] = deque()
        self._missed = 0
        self._counts: dict[tuple[UUID, UUID], str] = {}
        self._spectra: dict[int, Spectrum] = {}

    def offer(self, sensor_no: int, piece: Piece) -> None:
        """Take a piece; never waits."""
        self._waiting.setdefault(sensor_no, []).append(piece)
        self._samples += len(piece.t_us)
        if piece.spectrum is not None:
            self._spectra[sensor_no] = piece.spectrum
        if self._samples > MAX_WAITING:
            self._thin()
        if not self.holding:
            self.wake.set()

    def tell(self, message: str) -> None:
        """Take a message, written as JSON; never waits."""
        if len(self._told) >= MAX_TOLD:
            self._told.popleft()
            self._missed += 1
        self._told.append(message)
        self.wake.set()

    def tell_counts(self, run_id: UUID, capture_id: UUID, message: str) -> None:
        """Take what a capture holds now, in place of what was said of it and waits still."""
        self._counts[run_id, capture_id] = message
        self.wake.set()

    def forget_counts(self, runs: Set[UUID]) -> None:
        """Drop what waits of these runs' captures."""
        self._counts = {of: message for of, message in self._counts.items() if of[0] not in runs}

    @property
    def waiting(self) -> int:
        """Return how many samples wait."""
        return self._samples

    @property
    def idle(self) -> bool:
        """Tell whether all that came has been taken."""
        return not self.holding and not self._waiting

    def release(self) -> None:
        """End holding."""
        self.holding = False
        self.wake.set()

    def forget(self, sensors: Sequence[int]) -> None:
        """Drop what waits of these sensors."""
        for no in sensors:
            self._samples -= sum(len(piece.t_us) for piece in self._waiting.pop(no, ()))
            self._spectra.pop(no, None)

    def take_told(self) -> list[str]:
        """Return the messages that wait, the oldest first, and how many were dropped before them."""
        told, self._told = [*self._told, *self._counts.values()], deque()
        self._counts = {}
        missed, self._missed = self._missed, 0
        return [Missed(events=missed).model_dump_json(), *told] if missed else told

    def take_vectors(self) -> str | None:
        """Write the newest vector of each sensor that came since; None when none did."""
        spectra, self._spectra = self._spectra, {}
        vectors: list[dict[str, object]] = []
        for no, (t_us, vector) in spectra.items():
            sensor_id, raw_allowed = self.sensors[no]
            shown: dict[str, object] = {"sensor_id": sensor_id, "t": t_us / 1e6}
            if "raw" in self.values and raw_allowed:
                shown["raw"] = vector.raw
            if "physical" in self.values:
                shown["physical"] = vector.physical
            vectors.append(shown | {"status": STATUS_NAMES[int(vector.status.max())]})
        if not vectors:
            return None
        return orjson.dumps({"op": "vectors", "vectors": vectors}, option=orjson.OPT_SERIALIZE_NUMPY).decode()

    def take(self, cursor: str) -> bytes | str | None:
        """Make a frame of all samples that wait; None when none does."""
        if self.holding or not self._waiting:
            return None
        waiting, self._waiting, self._samples = self._waiting, {}, 0
        merged, self._merged = self._merged, 0
        return self.frame(waiting, cursor, merged)

    def frame(self, pieces: Mapping[int, Sequence[Piece]], cursor: str | None, merged: int = 0) -> bytes | str:
        """Make a frame of pieces by sensor; of sensors that are not watched any more nothing is shown."""
        series = [self._series(no, some) for no, some in pieces.items() if no in self.sensors]
        frame = Frame(cursor or "", merged, series)
        return frames.encode(frame) if self.binary else _json(frame)

    def _series(self, no: int, pieces: Sequence[Piece]) -> FrameSeries:
        sensor_id, raw_allowed = self.sensors[no]
        joined = _join(pieces)
        return FrameSeries(
            sensor_id=sensor_id,
            t=joined.t_us / 1e6,
            raw=joined.raw if "raw" in self.values and raw_allowed else None,
            physical=joined.physical if "physical" in self.values else None,
            status=joined.status,
            delay_ms=joined.delay_ms,
            decimated=False,
            total=len(joined.t_us),
        )

    def _thin(self) -> None:
        """Keep the newest samples of each sensor and count the others as merged."""
        before, self._samples = self._samples, 0
        # With many sensors fewer of each, so that this is not done again with the next piece.
        keep = max(1, min(KEEP_OF_SENSOR, MAX_WAITING // 2 // len(self._waiting)))
        for no, pieces in self._waiting.items():
            kept = _join(pieces).take(slice(-keep, None))
            self._waiting[no] = [kept]
            self._samples += len(kept.t_us)
        self._merged += before - self._samples


def _join(pieces: Sequence[Piece]) -> Piece:
    if len(pieces) == 1:
        return pieces[0]
    return Piece(
        np.concatenate([p.t_us for p in pieces]),
        np.concatenate([p.raw for p in pieces]),
        np.concatenate([p.physical for p in pieces]),
        np.concatenate([p.status for p in pieces]),
        pieces[-1].delay_ms,
    )


def _json(frame: Frame) -> str:
    series: list[dict[str, object]] = []
    for one in frame.series:
        columns: dict[str, object] = {"sensor_id": one.sensor_id, "t": one.t}
        if one.raw is not None:
            columns["raw"] = np.ascontiguousarray(one.raw)
        if one.physical is not None:
            columns["physical"] = np.ascontiguousarray(one.physical)
        if one.status is not None:
            columns["status"] = [STATUS_NAMES[code] for code in one.status.tolist()]
        series.append({**columns, "delay_ms": one.delay_ms})
    return orjson.dumps(
        {"op": "samples", "cursor": frame.cursor or None, "merged": frame.merged, "series": series},
        option=orjson.OPT_SERIALIZE_NUMPY,
    ).decode()
