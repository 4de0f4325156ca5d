"""Chunks of a revision as binary COPY."""

import struct
from collections.abc import Iterator, Sequence
from typing import Final
from uuid import UUID

import numpy as np

from hub.telemetry.entries import F64, I64, U8

COLUMNS: Final = ("capture_id", "sensor_no", "chunk_no", "revision", "profile_version", "physical", "status")
HEADER: Final = b"PGCOPY\n\xff\r\n\x00" + struct.pack(">ii", 0, 0)
TRAILER: Final = struct.pack(">h", -1)
_FLOAT8_OID: Final = 701
# The number of fields, then length and value of each up to the array; its length, dimensions, null flag, element type,
# size and lower bound.
_FIXED: Final = struct.Struct(">hi16siiiiiiiiiiiiii")
_NULL: Final = struct.pack(">i", -1)
_LENGTH: Final = struct.Struct(">i")
_ELEMENT: Final = np.dtype([("size", ">i4"), ("value", ">f8")])


def revision_rows(
    capture_id: UUID,
    sensor_no: int,
    revision: int,
    version: int,
    *,
    chunk_nos: Sequence[int],
    counts: I64,
    physical: F64,
    status: U8,
) -> Iterator[bytes]:
    """Write chunks (COLUMNS) of counts[i] samples each, one after the other in `physical` and `status`, shape (n,)."""
    elements = np.empty(len(physical), _ELEMENT)
    elements["size"], elements["value"] = 8, physical
    values, codes = memoryview(elements.tobytes()), memoryview(status.tobytes())
    ends = np.cumsum(counts)
    starts = ends - counts
    worse = np.maximum.reduceat(status, starts) > 0
    yield HEADER
    for chunk_no, start, end, has_codes in zip(chunk_nos, starts.tolist(), ends.tolist(), worse.tolist(), strict=True):
        n = end - start
        yield _FIXED.pack(
            len(COLUMNS),
            *(16, capture_id.bytes, 4, sensor_no, 4, chunk_no, 4, revision, 4, version),
            *(20 + 12 * n, 1, 0, _FLOAT8_OID, n, 1),
        )
        yield bytes(values[12 * start : 12 * end])
        yield _LENGTH.pack(n) + bytes(codes[start:end]) if has_codes else _NULL
    yield TRAILER
