"""Reading stored vectors: the newest of a range, or all of it page by page."""

from collections.abc import AsyncIterator
from typing import Any, Final, NamedTuple

import numpy as np

from hub.kit.db import Tx
from hub.telemetry import vector_queries
from hub.telemetry.chunks import read_array
from hub.telemetry.entries import F64, U8

MAX_ELEMENTS: Final = 2_000_000
PAGE_ELEMENTS: Final = 500_000


class StoredVector(NamedTuple):
    """A stored vector: t in µs since 1970; raw, physical (NaN where there is none) and status codes of shape (m,)."""

    t_us: int
    raw: F64
    physical: F64
    status: U8
    version: int

    @property
    def worst(self) -> int:
        """Return the status code that says most against the vector: the greatest of its elements'."""
        return int(self.status.max())


async def newest(tx: Tx, sensor_no: int, *, from_us: int, to_us: int, limit: int) -> list[StoredVector]:
    """Read the newest vectors with from ≤ t < to, the oldest of them first."""
    rows = await vector_queries.newest(tx, sensor_no, from_us, to_us, limit)
    return [_stored(row) for row in reversed(rows)]


async def pages(tx: Tx, sensor_no: int, *, from_us: int, to_us: int) -> AsyncIterator[list[StoredVector]]:
    """Yield all vectors with from ≤ t < to in order, page by page; needs a transaction (it uses a cursor)."""
    cursor = await vector_queries.cursor(tx, sensor_no, from_us, to_us)
    at_once = 1
    while rows := await cursor.fetch(at_once):
        page = [_stored(row) for row in rows]
        at_once = max(1, PAGE_ELEMENTS // len(page[0].raw))
        yield page


def _stored(row: Any) -> StoredVector:
    raw = read_array(row["raw"], ">f8")
    status = np.zeros(len(raw), np.uint8) if row["status"] is None else np.frombuffer(row["status"], np.uint8)
    return StoredVector(row["t"], raw, read_array(row["physical"], ">f8"), status, row["profile_version"])
