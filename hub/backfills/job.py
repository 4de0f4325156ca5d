"""The steps of a backfill, each a transaction of its own: whatever is killed between them, the next worker goes on."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any, Final

import asyncpg
import numpy as np
import structlog

from contract.conversion.convert import convert
from contract.conversion.profile import Profile, ProfileInvalid
from hub.backfills import elements
from hub.backfills import job_queries as queries
from hub.backfills.rows import COLUMNS, revision_rows
from hub.conversion import service as conversion
from hub.kit.context import Hub
from hub.kit.db import Tx
from hub.kit.problems import DatabaseAway, TryAgain
from hub.kit.vault import SealBroken
from hub.ledger.service import Fact, record_for_system
from hub.telemetry import revisions, vectors
from hub.telemetry.chunks import MAX_SAMPLES, names_of, offsets_of, read_array, source_of
from hub.telemetry.differences import Tally

log = structlog.get_logger(__name__)

CHUNKS_AT_ONCE: Final = 256
# About two seconds of work.
ELEMENTS_AT_ONCE: Final = 4_000_000
MOST_FAILURES: Final = 5
BY: Final = "backfills"


async def step(hub: Hub) -> asyncpg.Record | None:
    """Do the next step of some backfill, and return the job as it was before; None when there is none to do."""
    job: asyncpg.Record | None = None
    try:
        async with hub.db.transaction() as tx:
            await queries.bound_waiting(tx)
            job = await queries.claim(tx)
            if job is not None:
                await _do(tx, hub, job)
    except (DatabaseAway, TryAgain, asyncpg.LockNotAvailableError) as error:
        if job is None:
            raise
        if isinstance(error.__cause__, TimeoutError):
            await _postpone(hub, job, error.__cause__)  # a statement that is too slow would be so for ever
        else:
            await asyncio.sleep(0.1)  # a seal goes on, or a server is away: the same step again
    except (ProfileInvalid, SealBroken, ValueError, asyncpg.PostgresError, TimeoutError) as error:
        if job is None:
            raise
        await _postpone(hub, job, error)
    return job


async def undo(hub: Hub) -> bool:
    """Take away some of what a job that ended early left; False when there is nothing left."""
    async with hub.db.transaction() as tx:
        job = await queries.claim_undone(tx)
        if job is None:
            return False
        if not await queries.delete_chunks(
            tx, job["capture_id"], job["sensor_no"], job["revision"], most=CHUNKS_AT_ONCE
        ):
            await queries.note_undone(tx, job["id"])
    return True


async def _do(tx: Tx, hub: Hub, job: asyncpg.Record) -> None:
    if job["status"] == "waiting":
        await queries.begin(tx, job["id"])
    rows = await _chunks(tx, job)
    if not rows:
        # A seal may be adding chunks: it waits now, or has committed, and then they are seen here.
        await queries.hold_seals(tx)
        rows = await _chunks(tx, job)
    if rows:
        await _convert(tx, hub, job, rows)
    else:
        await _finish(tx, job)


async def _chunks(tx: Tx, job: asyncpg.Record) -> list[asyncpg.Record]:
    return await queries.chunks(
        tx,
        capture_id=job["capture_id"],
        sensor_no=job["sensor_no"],
        revision=job["revision"],
        next_chunk=job["next_chunk"],
        most=_at_once(job["vector_size"]),
    )


def _at_once(vector_size: int | None) -> int:
    """Return how many chunks a step converts: of vectors no more than it can compare by all their elements."""
    if vector_size is None:
        return CHUNKS_AT_ONCE
    return min(CHUNKS_AT_ONCE, max(1, ELEMENTS_AT_ONCE // (MAX_SAMPLES * vector_size)))


async def _convert(tx: Tx, hub: Hub, job: asyncpg.Record, rows: Sequence[asyncpg.Record]) -> None:
    profile = await conversion.profile_of(tx, hub.vault, job["profile_id"])
    tally = Tally.of(job["difference"])
    parts = await asyncio.to_thread(_rows, job, rows, profile, tally)
    await tx.copy_to_table("telemetry_revision", source=source_of(_gathered(parts)), columns=COLUMNS, format="binary")
    await queries.advance(
        tx,
        job["id"],
        next_chunk=rows[-1]["chunk_no"] + 1,
        samples=sum(row["n"] for row in rows),
        difference=tally.written(),
        elements=await _compare_elements(tx, hub, job, rows, profile),
    )


async def _compare_elements(
    tx: Tx, hub: Hub, job: asyncpg.Record, rows: Sequence[asyncpg.Record], profile: Profile
) -> dict[str, Any] | None:
    """Count what changes in the elements of the vectors that the chunks name; None of numbers."""
    if job["vector_size"] is None:
        return None
    names = names_of(rows, np.concatenate([read_array(row["raw"], ">f8") for row in rows]))
    if names is None:
        return None
    times = np.concatenate([row["first_t"] + offsets_of(row) for row in rows])
    before = await revisions.before(tx, hub.vault, job["capture_id"], job["sensor_id"], job["revision"])
    tally = Tally.of(job["elements"])
    pages = vectors.named(tx, job["sensor_no"], times, names, revision=before)
    await elements.compare(tally, profile, pages)
    return tally.written()


def _rows(job: asyncpg.Record, rows: Sequence[asyncpg.Record], profile: Profile, tally: Tally) -> list[bytes]:
    """Convert the chunks, all in one go, and count the differences."""
    counts = np.array([row["n"] for row in rows], np.int64)
    raw = np.concatenate([read_array(row["raw"], ">f8") for row in rows])
    before = np.concatenate([read_array(row["physical"], ">f8") for row in rows])
    before_status = np.concatenate(
        [
            np.zeros(row["n"], np.uint8) if row["status"] is None else np.frombuffer(row["status"], np.uint8)
            for row in rows
        ]
    )
    physical, status = convert(profile, raw)
    tally.add(before, before_status, physical, status)
    return list(
        revision_rows(
            job["capture_id"],
            job["sensor_no"],
            job["revision"],
            job["profile_version"],
            chunk_nos=[row["chunk_no"] for row in rows],
            counts=counts,
            physical=physical,
            status=status,
        )
    )


def _gathered(parts: Sequence[bytes], at_once: int = 96) -> Iterator[bytes]:
    for start in range(0, len(parts), at_once):
        yield b"".join(parts[start : start + at_once])


async def _finish(tx: Tx, job: asyncpg.Record) -> None:
    await queries.insert_revision(tx, job["id"])
    await queries.finish(tx, job["id"])
    await _record(tx, job, "finished", {"samples": job["done"], "changed": Tally.of(job["difference"]).changed})
    log.info("backfill finished", backfill=str(job["id"]), samples=job["done"])


async def _postpone(hub: Hub, job: asyncpg.Record, error: Exception) -> None:
    kind = type(error).__name__
    log.warning("a step of a backfill failed", backfill=str(job["id"]), kind=kind)
    # What cannot be read now will not be readable later.
    most = 1 if isinstance(error, ProfileInvalid | SealBroken) else MOST_FAILURES
    async with hub.db.transaction() as tx:
        if await queries.postpone(tx, job["id"], kind, most=most) == "failed":
            await _record(tx, job, "failed", {"error": kind})


async def _record(tx: Tx, job: asyncpg.Record, what: str, more: dict[str, Any]) -> None:
    details = {name: job[name] for name in ("capture_id", "sensor_id", "profile_version", "revision")} | more
    fact = Fact(f"backfill.{what}", subject_id=job["id"], project_id=job["project_id"], details=details)
    await record_for_system(tx, fact, by=BY)
