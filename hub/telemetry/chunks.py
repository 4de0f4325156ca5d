"""Chunks: cutting sorted samples into rows of arrays, and writing those rows as binary COPY."""

import struct
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from uuid import UUID

import numpy as np
import numpy.typing as npt
import orjson

from hub.telemetry.entries import F64, I32, I64, U8, Vector

MAX_SAMPLES: Final = 1000
MAX_SPAN_US: Final = 60_000_000
# Of merged and of sealed chunks; no chunk is longer.
LONGEST_SPAN_US: Final = 600_000_000

COPY_HEADER: Final = b"PGCOPY\n\xff\r\n\x00" + struct.pack(">ii", 0, 0)
COPY_TRAILER: Final = struct.pack(">h", -1)
COPY_COLUMNS: Final = (
    "sensor_no",
    "first_t",
    "last_t",
    "n",
    "t_offset",
    "raw",
    "physical",
    "status",
    "profile_version",
    "received_at",
    "meta",
    "identity",
)
CAPTURED_COLUMNS: Final = (
    *("t_delta" if name == "t_offset" else name for name in COPY_COLUMNS),
    "capture_id",
    "seal",
    "chunk_no",
)
T = TypeVar("T")
_INT4_OID: Final = 23
_INT8_OID: Final = 20
_FLOAT8_OID: Final = 701
# Everything up to the first array: the number of fields, then length and value of sensor_no, first_t, last_t, n.
_FIXED: Final = struct.Struct(">hiiiqiqii")
# An array's field length, dimensions, null flag, element type, size and lower bound.
_ARRAY: Final = struct.Struct(">iiiiii")
_TAIL: Final = struct.Struct(">iiiq")
_STAMP: Final = struct.Struct(">i16siiii")
_NULL: Final = struct.pack(">i", -1)
_ELEMENT_4: Final = np.dtype([("size", ">i4"), ("value", ">i4")])
_ELEMENT_8: Final = np.dtype([("size", ">i4"), ("value", ">f8")])
_NAME: Final = np.dtype([("size", ">i4"), ("value", ">i8")])


@dataclass(frozen=True)
class Stamp:
    """What marks sealed chunks: whose they are, the seal that added them, and the number of the first one."""

    capture_id: UUID
    seal: int
    first_chunk_no: int


@dataclass(frozen=True)
class Samples:
    """Columns of samples, all of shape (n,), sorted by (sensor, t, identity): times in µs since 1970.

    `identity` tells samples of one sensor and t apart: the bits of raw, or of all elements of a vector. `meta` and
    `vectors` are keyed by place.
    """

    sensor_no: I32
    t_us: I64
    raw: F64
    physical: F64
    status: U8
    version: I32
    received_at_us: I64
    identity: I64
    meta: dict[int, Any]
    vectors: dict[int, Vector]

    @classmethod
    def none(cls) -> "Samples":
        """Return no samples."""
        t, f, i = np.empty(0, np.int64), np.empty(0), np.empty(0, np.int32)
        return cls(i, t, f, f, np.empty(0, np.uint8), i, t, t, {}, {})

    def take(self, places: npt.NDArray[Any]) -> "Samples":
        """Return the samples at these places (indices or a mask)."""
        indices = np.flatnonzero(places) if places.dtype == np.bool_ else places
        return Samples(
            self.sensor_no[indices],
            self.t_us[indices],
            self.raw[indices],
            self.physical[indices],
            self.status[indices],
            self.version[indices],
            self.received_at_us[indices],
            self.identity[indices],
            _moved(self.meta, indices),
            _moved(self.vectors, indices),
        )


def _moved(by_place: dict[int, T], indices: npt.NDArray[Any]) -> dict[int, T]:
    """Return what stood at `indices`, keyed by where it stands now."""
    if not by_place:
        return {}
    return {new: by_place[old] for new, old in enumerate(indices.tolist()) if old in by_place}


def cut(samples: Samples, span_us: int = MAX_SPAN_US) -> I64:
    """Return where chunks begin: at each new sensor, profile version or stretch of time, and after 1000 samples."""
    n = len(samples.t_us)
    if n == 0:
        return np.empty(0, np.int64)
    slot = samples.t_us // span_us
    new = np.empty(n, np.bool_)
    new[0] = True
    new[1:] = (np.diff(samples.sensor_no) != 0) | (np.diff(samples.version) != 0) | (np.diff(slot) != 0)
    starts = np.flatnonzero(new)
    place = np.arange(n) - np.repeat(starts, np.diff(np.append(starts, n)))
    return np.flatnonzero(place % MAX_SAMPLES == 0)


def copy_rows(samples: Samples, starts: I64, stamp: Stamp | None = None) -> Iterator[bytes]:
    """Write the chunks that begin at `starts` as the data of a binary COPY.

    It goes into telemetry_recent (COPY_COLUMNS); with a stamp into telemetry_captured (CAPTURED_COLUMNS).
    """
    n = len(samples.t_us)
    ends = np.append(starts[1:], n)
    offsets = np.empty(n, _ELEMENT_4)
    offsets["size"] = 4
    offsets["value"] = samples.t_us - np.repeat(samples.t_us[starts], ends - starts)
    if stamp is not None:
        offsets["value"][1:] = np.diff(samples.t_us)
        offsets["value"][starts] = 0
    raw, physical = np.empty(n, _ELEMENT_8), np.empty(n, _ELEMENT_8)
    raw["size"] = physical["size"] = 8
    raw["value"], physical["value"] = samples.raw, samples.physical
    offset_bytes, raw_bytes, physical_bytes = (memoryview(a.tobytes()) for a in (offsets, raw, physical))
    status_bytes = samples.status.tobytes()
    # A sensor sends vectors or numbers: where the bits of raw tell samples apart, nothing needs to be kept.
    named = np.logical_or.reduceat(samples.identity != samples.raw.view(np.int64), starts)
    received = np.maximum.reduceat(samples.received_at_us, starts)
    rows: list[bytes | memoryview] = [COPY_HEADER]
    firsts = zip(
        starts.tolist(),
        ends.tolist(),
        samples.sensor_no[starts].tolist(),
        samples.t_us[starts].tolist(),
        samples.t_us[ends - 1].tolist(),
        samples.version[starts].tolist(),
        received.tolist(),
        named.tolist(),
        strict=True,
    )
    fields = len(COPY_COLUMNS if stamp is None else CAPTURED_COLUMNS)
    for place, (start, end, sensor_no, first_t, last_t, version, received_at, name) in enumerate(firsts):
        count = end - start
        eights = _ARRAY.pack(20 + 12 * count, 1, 0, _FLOAT8_OID, count, 1)
        rows += (
            _FIXED.pack(fields, 4, sensor_no, 8, first_t, 8, last_t, 4, count),
            _ARRAY.pack(20 + 8 * count, 1, 0, _INT4_OID, count, 1),
            offset_bytes[8 * start : 8 * end],
            eights,
            raw_bytes[12 * start : 12 * end],
            eights,
            physical_bytes[12 * start : 12 * end],
        )
        codes = status_bytes[start:end]
        rows.append(_NULL if not any(codes) else struct.pack(">i", count) + codes)
        rows.append(_TAIL.pack(4, version, 8, received_at))
        rows.append(_meta(samples.meta, start, end))
        rows.append(_names(samples.identity[start:end]) if name else _NULL)
        if stamp is not None:
            rows.append(_STAMP.pack(16, stamp.capture_id.bytes, 4, stamp.seal, 4, stamp.first_chunk_no + place))
        if len(rows) > 4096:
            yield b"".join(rows)
            rows.clear()
    rows.append(COPY_TRAILER)
    yield b"".join(rows)


def _meta(meta: dict[int, Any], start: int, end: int) -> bytes:
    if not meta:
        return _NULL
    mine = {str(i - start): meta[i] for i in range(start, end) if i in meta}
    if not mine:
        return _NULL
    text = orjson.dumps(mine)
    return struct.pack(">ib", len(text) + 1, 1) + text


def _names(identity: I64) -> bytes:
    names = np.empty(len(identity), _NAME)
    names["size"], names["value"] = 8, identity
    return _ARRAY.pack(20 + names.nbytes, 1, 0, _INT8_OID, len(names), 1) + names.tobytes()


async def source_of(parts: Iterable[bytes]) -> AsyncIterator[bytes]:
    """Hand the parts of a COPY's data to the driver, which takes them one by one."""
    for part in parts:
        yield part


def read_array(data: bytes, kind: str) -> npt.NDArray[Any]:
    """Read what `array_send` made of a one-dimensional array without nulls; `kind` is `>i4`, `>i8` or `>f8`."""
    if len(data) < 20:
        return np.empty(0, kind[1:])
    element = np.dtype([("size", ">i4"), ("value", kind)])
    return np.frombuffer(data, element, offset=20)["value"].astype(kind[1:])


def names_of(rows: Sequence[Any], raw: F64) -> I64 | None:
    """Read what tells the samples of chunks apart; None where the bits of raw do, which are those of all the chunks."""
    if all(row["identity"] is None for row in rows):
        return None
    return np.concatenate(
        [
            part.view(np.int64) if row["identity"] is None else read_array(row["identity"], ">i8")
            for row, part in zip(rows, np.split(raw, np.cumsum([row["n"] for row in rows])[:-1]), strict=True)
        ]
    )


def offsets_of(row: Any) -> I64:
    """Read the times of a chunk's samples after its first_t (µs); a sealed chunk keeps the steps between them."""
    offsets = read_array(row["t_offset"], ">i4")
    return np.cumsum(offsets, dtype=np.int64) if row["sealed"] else offsets.astype(np.int64)
