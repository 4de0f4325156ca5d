"""Copying one hour of one sensor into a capture's own chunks."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

import asyncpg
import numpy as np

from contract.conversion.convert import convert
from contract.conversion.profile import Profile
from hub.kit.db import Tx
from hub.kit.vault import Vault
from hub.sealing import job_queries, queries
from hub.sealing.profiles import profiles_of
from hub.telemetry import reading
from hub.telemetry.chunks import CAPTURED_COLUMNS, LONGEST_SPAN_US, Samples, Stamp, copy_rows, cut, source_of
from hub.telemetry.unpacking import samples_of

HOUR_US: Final = 3_600_000_000


@dataclass(frozen=True)
class Part:
    """What a seal has to do for one sensor: from `next_t` on, up to `to_t` (µs); its next chunk has this number."""

    capture_id: UUID
    seal: int
    sensor_no: int
    sensor_id: UUID
    from_t: int
    next_t: int
    to_t: int
    next_chunk: int

    @classmethod
    def of(cls, job: asyncpg.Record, row: asyncpg.Record) -> "Part":
        """Read the part of a job."""
        return cls(
            job["capture_id"],
            job["seal"],
            row["sensor_no"],
            row["sensor_id"],
            row["from_t"],
            row["next_t"],
            row["to_t"],
            row["next_chunk"],
        )


async def copy_next_hour(tx: Tx, vault: Vault, part: Part) -> bool:
    """Copy what the capture lacks of the next hour that holds any; False when none is left.

    Needs a transaction that sees one moment throughout: what is stored later is in `capture_late` and not here.
    """
    place = await _next_place(tx, part)
    if place is None or place >= part.to_t:
        return False
    hour = place - place % HOUR_US
    end = min(hour + HOUR_US, part.to_t)
    chunk_no, samples = part.next_chunk, 0
    while place < end:
        stretch_end = min(place - place % LONGEST_SPAN_US + LONGEST_SPAN_US, end)
        rows = await queries.chunks(tx, part.capture_id, part.sensor_no, place, stretch_end, span_us=LONGEST_SPAN_US)
        lacking, starts = await asyncio.to_thread(_lacking, rows, place, stretch_end)
        if len(starts):
            stamp = Stamp(part.capture_id, part.seal, chunk_no)
            await tx.copy_to_table(
                "telemetry_captured",
                source=source_of(copy_rows(lacking, starts, stamp)),
                columns=CAPTURED_COLUMNS,
                format="binary",
            )
            if part.seal > 1:
                await _revise(tx, vault, replace(part, next_chunk=chunk_no), lacking, starts)
            chunk_no += len(starts)
            samples += len(lacking.t_us)
        place = stretch_end
    await queries.take_late_in(tx, part.capture_id, part.sensor_no, hour, hour + HOUR_US, seal=part.seal)
    await job_queries.advance(
        tx,
        part.capture_id,
        part.sensor_no,
        next_t=end,
        chunks=chunk_no - part.next_chunk,
        samples=samples,
    )
    return True


async def _next_place(tx: Tx, part: Part) -> int | None:
    if part.seal == 1:
        return await queries.next_recent(tx, part.sensor_no, part.next_t, part.to_t, span_us=LONGEST_SPAN_US)
    return await queries.next_late(tx, part.capture_id, part.sensor_no, part.next_t)


def _lacking(rows: Sequence[asyncpg.Record], from_t: int, to_t: int) -> tuple[Samples, Any]:
    """Return the samples of the recent chunks with from ≤ t < to that no sealed chunk holds, and where to cut them."""
    recent = samples_of([row for row in rows if not row["sealed"]])
    recent = recent.take((recent.t_us >= from_t) & (recent.t_us < to_t))
    sealed = samples_of([row for row in rows if row["sealed"]])
    if len(sealed.t_us):
        recent = recent.take(~reading.held(recent.t_us, recent.identity, sealed.t_us, sealed.identity))
    return recent, cut(recent, LONGEST_SPAN_US)


async def _revise(tx: Tx, vault: Vault, part: Part, samples: Samples, starts: Any) -> None:
    """Add the new chunks to every later revision that the sensor's series has."""
    revisions = await queries.revisions(tx, part.capture_id, part.sensor_no)
    if not revisions:
        return
    profiles = await profiles_of(tx, vault, part.sensor_id)
    rows: list[Any] = []
    for revision in revisions:
        profile: Profile = profiles[revision["profile_version"]]
        for place, chunk in enumerate(np.split(samples.raw, starts[1:])):
            physical, status = convert(profile, chunk)
            rows.append(
                (
                    part.capture_id,
                    part.sensor_no,
                    part.next_chunk + place,
                    revision["revision"],
                    revision["profile_version"],
                    physical.tolist(),
                    status.tobytes() if status.any() else None,
                )
            )
    await queries.insert_revision_chunks(tx, rows)
