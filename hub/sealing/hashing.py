"""Hashing what a capture holds of a sensor after a seal: numbers by their chunks, vectors by all their elements."""

import asyncio
from collections import Counter
from uuid import UUID

import numpy as np

from contract.manifest import SeriesDigest, SeriesHash, VectorHash
from contract.vectors import headline
from hub.kit.db import Tx
from hub.sealing import manifest_queries
from hub.telemetry import reading
from hub.telemetry.chunks import read_array
from hub.telemetry.entries import F64

PAGE_VECTORS = 100


async def hash_content(tx: Tx, capture_id: UUID, sensor_no: int, *, seal: int, vectors: bool) -> SeriesDigest:
    """Hash a sensor's series as the capture holds it after a seal; needs a transaction (it uses a cursor)."""
    cursor = await manifest_queries.content(tx, capture_id, sensor_no, seal)
    if vectors:
        members: Counter[tuple[int, int]] = Counter()
        async for piece in reading.pieces(cursor):
            members.update(zip(piece.t_us.tolist(), piece.raw.view(np.int64).tolist(), strict=True))
        return await _hash_vectors(tx, sensor_no, members)
    series = SeriesHash()
    async for piece in reading.pieces(cursor):
        await asyncio.to_thread(series.add, piece.t_us, piece.raw)
    return series.digest()


async def _hash_vectors(tx: Tx, sensor_no: int, members: Counter[tuple[int, int]]) -> SeriesDigest:
    """Hash the vectors whose headlines are among the members, by t and bits; of equal ones those that came first."""
    series = VectorHash()
    if not members:
        return series.digest()
    times = [t_us for t_us, _ in members]
    cursor = await manifest_queries.vectors(tx, sensor_no, min(times), max(times))
    waiting: list[tuple[int, int, F64]] = []  # of one t, until all of them are known
    while rows := await cursor.fetch(PAGE_VECTORS):
        for row in rows:
            elements = read_array(row["raw"], ">f8")
            key = (row["t"], int(np.float64(headline(elements)).view(np.int64)))
            if not members[key]:
                continue
            members[key] -= 1
            if waiting and waiting[0][0] != row["t"]:
                _add_all(series, waiting)
            waiting.append((row["t"], row["identity"], elements))
    _add_all(series, waiting)
    return series.digest()


def _add_all(series: VectorHash, waiting: list[tuple[int, int, F64]]) -> None:
    for t_us, _, elements in sorted(waiting, key=lambda one: one[1]):
        series.add(t_us, elements)
    waiting.clear()
