"""Hashing what a capture holds of a sensor after a seal: numbers by their chunks, vectors by all their elements."""

import asyncio
from uuid import UUID

from contract.manifest import SeriesDigest, SeriesHash, VectorHash
from contract.vectors import headline
from hub.kit.db import Tx
from hub.sealing import manifest_queries
from hub.telemetry import reading, vectors
from hub.telemetry.reading import Column


async def hash_content(tx: Tx, capture_id: UUID, sensor_no: int, *, seal: int, of_vectors: bool) -> SeriesDigest:
    """Hash a sensor's series as the capture holds it after a seal; needs a transaction (it uses a cursor)."""
    cursor = await manifest_queries.content(tx, capture_id, sensor_no, seal)
    if of_vectors:
        elements = VectorHash()
        async for piece in reading.pieces(cursor):
            await _add_vectors(tx, sensor_no, piece, elements)
        return elements.digest()
    series = SeriesHash()
    async for piece in reading.pieces(cursor):
        await asyncio.to_thread(series.add, piece.t_us, piece.raw)
    return series.digest()


async def _add_vectors(tx: Tx, sensor_no: int, piece: Column, elements: VectorHash) -> None:
    """Hash the vectors that a piece names; one that is gone, or whose headline is another, is not there."""
    peaks = dict(zip(zip(piece.t_us.tolist(), piece.bits.tolist(), strict=True), piece.raw.tolist(), strict=True))
    async for page in vectors.named(tx, sensor_no, piece.t_us, piece.bits):
        for one in page:
            if headline(one.raw) == peaks[one.t_us, one.identity]:
                elements.add(one.t_us, one.raw)
