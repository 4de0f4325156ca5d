"""The binary frame in which samples travel to viewers: little-endian columns, every column on an 8-byte border."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple
from uuid import UUID

import numpy as np
import numpy.typing as npt

MEDIA_TYPE: Final = "application/vnd.etp.frame"
MAGIC: Final = 0x31505445  # "ETP1"
RAW: Final = 1
PHYSICAL: Final = 2
STATUS: Final = 4
GAPS: Final = 8
MOST_GAPS: Final = 65_535


class Field(NamedTuple):
    """A field of a head: its name, its format as `struct` writes it, and what it holds."""

    name: str
    format: str
    holds: str


HEAD_FIELDS: Final = (
    Field("magic", "I", "the bytes ETP1"),
    Field("series", "H", "how many series follow"),
    Field("cursor_bytes", "H", "length of the cursor, which follows as UTF-8, padded to 8 bytes"),
    Field("merged", "I", "samples left out because the viewer was too slow"),
    Field("reserved", "I", "0"),
)
SERIES_FIELDS: Final = (
    Field("sensor_id", "16s", "the sensor's UUID"),
    Field("n", "I", "samples in each column"),
    Field("flags", "B", "which columns follow t: 1 raw, 2 physical, 4 status; 8: its gaps are told behind all series"),
    Field("decimated", "B", "1 where samples were left out without losing an extreme"),
    Field("gaps", "H", "how many gaps it has behind all series; 0 where flag 8 is not set"),
    Field("delay_ms", "d", "arrival of the newest packet minus its newest t, NaN unknown"),
    Field("total", "Q", "samples before decimation"),
)
COLUMNS: Final = (
    Field("t", "d", "seconds since 1970"),
    Field("raw", "d", "where flag 1 is set"),
    Field("physical", "d", "where flag 2 is set; NaN for none"),
    Field(
        "status", "B", "where flag 4 is set, padded to 8 bytes; 0 ok, 1 out_of_range, 2 conversion_error, 3 no_profile"
    ),
)
GAP_FIELDS: Final = (
    Field("before", "d", "t of the last sample before the gap, seconds since 1970"),
    Field("after", "d", "t of the first sample after it; between the two a line is broken"),
)
# Read by whoever writes a reader, so it says what one that knows no gaps makes of them.
ORDER: Final = (
    "head, cursor, then of each series its head and its columns, each on an 8-byte border; then the gaps of the series "
    "whose flag 8 is set, in the order of the series. A reader that knows no flag 8 stops after the last series: it "
    "must ignore flags it does not know, what it finds in a reserved field, and bytes behind what it reads."
)
_HEAD: Final = struct.Struct("<" + "".join(field.format for field in HEAD_FIELDS))
_SERIES: Final = struct.Struct("<" + "".join(field.format for field in SERIES_FIELDS))

F64 = npt.NDArray[np.float64]
U8 = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class FrameSeries:
    """One sensor's columns, shape (n,): t in seconds since 1970; raw, physical (NaN for null) and status may be absent.

    `delay_ms` is the arrival of the newest packet minus its newest t (NaN unknown); `total` counts before decimation.
    `gaps`, shape (g, 2), holds t before and after each; None where nobody looked for any, as in live frames.
    """

    sensor_id: UUID
    t: F64
    raw: F64 | None
    physical: F64 | None
    status: U8 | None
    delay_ms: float
    decimated: bool
    total: int
    gaps: F64 | None = None


@dataclass(frozen=True)
class Frame:
    """Some series, the cursor from which to resume, and how many samples were merged away for a slow viewer."""

    cursor: str
    merged: int
    series: Sequence[FrameSeries]


def encode(frame: Frame) -> bytes:
    """Write a frame; raises ValueError for more gaps than a series can tell."""
    cursor = frame.cursor.encode()
    parts = [_HEAD.pack(MAGIC, len(frame.series), len(cursor), frame.merged, 0), _padded(cursor)]
    for series in frame.series:
        flags = RAW * (series.raw is not None) | PHYSICAL * (series.physical is not None)
        flags |= STATUS * (series.status is not None) | GAPS * (series.gaps is not None)
        gaps = 0 if series.gaps is None else len(series.gaps)
        if gaps > MOST_GAPS:
            raise ValueError(f"a series tells at most {MOST_GAPS} gaps, not {gaps}")
        parts.append(
            _SERIES.pack(
                series.sensor_id.bytes, len(series.t), flags, series.decimated, gaps, series.delay_ms, series.total
            )
        )
        parts.append(series.t.astype("<f8", copy=False).tobytes())
        parts.extend(
            column.astype("<f8", copy=False).tobytes() for column in (series.raw, series.physical) if column is not None
        )
        if series.status is not None:
            parts.append(_padded(series.status.tobytes()))
    parts += [one.gaps.astype("<f8", copy=False).tobytes() for one in frame.series if one.gaps is not None]
    return b"".join(parts)


def decode(data: bytes) -> Frame:
    """Read a frame; raises ValueError for anything else."""
    try:
        magic, count, cursor_bytes, merged, _ = _HEAD.unpack_from(data)
        if magic != MAGIC:
            raise ValueError("not a frame: the first four bytes are not ETP1")
        at = _HEAD.size
        cursor = data[at : at + cursor_bytes].decode()
        at += _round_up(cursor_bytes)
        series: list[FrameSeries] = []
        told: list[int | None] = []
        for _ in range(count):
            identifier, n, flags, decimated, gaps, delay_ms, total = _SERIES.unpack_from(data, at)
            at += _SERIES.size
            columns: list[F64 | None] = []
            for flag in (0, RAW, PHYSICAL):
                if flag and not flags & flag:
                    columns.append(None)
                    continue
                columns.append(np.frombuffer(data, "<f8", n, at))
                at += 8 * n
            status = None
            if flags & STATUS:
                status = np.frombuffer(data, np.uint8, n, at)
                at += _round_up(n)
            t, raw, physical = columns
            assert t is not None  # noqa: S101 - flag 0 is always read
            series.append(
                FrameSeries(UUID(bytes=identifier), t, raw, physical, status, delay_ms, bool(decimated), total)
            )
            told.append(gaps if flags & GAPS else None)
        for place, gaps in enumerate(told):
            if gaps is not None:
                pairs = np.frombuffer(data, "<f8", 2 * gaps, at).reshape(gaps, 2)
                series[place] = replace(series[place], gaps=pairs)
                at += pairs.nbytes
    except struct.error as error:
        raise ValueError("the frame is cut short") from error
    return Frame(cursor, merged, series)


def _round_up(size: int) -> int:
    return -(-size // 8) * 8


def _padded(data: bytes) -> bytes:
    return data + bytes(_round_up(len(data)) - len(data))
