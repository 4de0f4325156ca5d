"""Reading stored vectors: the newest of a range, all of it page by page, or those that chunks name."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from contract.conversion.convert import convert
from hub.kit.db import Tx
from hub.telemetry import vector_queries
from hub.telemetry.chunks import read_array
from hub.telemetry.entries import F64, I64, U8
from hub.telemetry.revisions import FIRST, Revision

MAX_ELEMENTS: Final = 2_000_000
PAGE_ELEMENTS: Final = 500_000


class StoredVector(NamedTuple):
    """A stored vector: t in µs since 1970; raw, physical (NaN where there is none) and status codes of shape (m,)."""

    t_us: int
    identity: int
    raw: F64
    physical: F64
    status: U8
    version: int

    @property
    def worst(self) -> int:
        """Return the status code that says most against the vector: the greatest of its elements'."""
        return int(self.status.max())


async def newest(
    tx: Tx, sensor_no: int, *, from_us: int, to_us: int, limit: int, revision: Revision = FIRST
) -> list[StoredVector]:
    """Read the newest vectors with from ≤ t < to as a revision has them, the oldest of them first."""
    rows = await vector_queries.newest(tx, sensor_no, from_us, to_us, limit)
    return await asyncio.to_thread(_stored, rows[::-1], revision)


async def pages(
    tx: Tx, sensor_no: int, *, from_us: int, to_us: int, revision: Revision = FIRST
) -> AsyncGenerator[list[StoredVector], None]:
    """Yield all vectors with from ≤ t < to in order, page by page; needs a transaction (it uses a cursor)."""
    cursor = await vector_queries.cursor(tx, sensor_no, from_us, to_us)
    at_once = 1
    while rows := await cursor.fetch(at_once):
        page = await asyncio.to_thread(_stored, rows, revision)
        at_once = _at_once(page)
        yield page


async def named(
    tx: Tx, sensor_no: int, t_us: I64, identity: I64, *, revision: Revision = FIRST
) -> AsyncGenerator[list[StoredVector], None]:
    """Yield the vectors with these t and identities, both of shape (n,), in this order; none of what is gone."""
    start, at_once = 0, 1
    while start < len(t_us):
        end = start + at_once
        rows = await vector_queries.named(tx, sensor_no, t_us[start:end].tolist(), identity[start:end].tolist())
        start = end
        if rows:
            page = await asyncio.to_thread(_stored, rows, revision)
            at_once = _at_once(page)
            yield page


def joined(vectors: Sequence[StoredVector]) -> tuple[F64, F64, U8]:
    """Put raw, physical and status codes of vectors one after the other."""
    return (
        np.concatenate([one.raw for one in vectors]),
        np.concatenate([one.physical for one in vectors]),
        np.concatenate([one.status for one in vectors]),
    )


def _at_once(page: Sequence[StoredVector]) -> int:
    return max(1, PAGE_ELEMENTS // len(page[0].raw))


def _stored(rows: Sequence[Any], revision: Revision) -> list[StoredVector]:
    """Read rows; a later revision's values are made here, of all elements in one go."""
    raws = [read_array(row["raw"], ">f8") for row in rows]
    if revision.profile is None or not raws:
        return [
            StoredVector(
                row["t"],
                row["identity"],
                raw,
                read_array(row["physical"], ">f8"),
                np.zeros(len(raw), np.uint8) if row["status"] is None else np.frombuffer(row["status"], np.uint8),
                row["profile_version"],
            )
            for row, raw in zip(rows, raws, strict=True)
        ]
    physical, status = convert(revision.profile, np.concatenate(raws))
    ends = np.cumsum([len(raw) for raw in raws])[:-1]
    parts = zip(rows, raws, np.split(physical, ends), np.split(status, ends), strict=True)
    return [
        StoredVector(row["t"], row["identity"], raw, values, codes, revision.version)
        for row, raw, values, codes in parts
    ]
