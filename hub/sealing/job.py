"""The steps of a seal, each a transaction of its own: whatever is killed between them, the next worker goes on."""

from typing import Final

import asyncpg
import structlog

from contract.manifest import manifest_digest
from hub.kit.context import Hub
from hub.kit.db import Tx
from hub.kit.problems import TryAgain
from hub.ledger.service import Fact, record_for_system
from hub.sealing import job_queries, queries
from hub.sealing.copying import Part, copy_next_hour
from hub.sealing.hashing import hash_content

log = structlog.get_logger(__name__)

RETRY_S: Final = 30.0
BY: Final = "sealing"


async def step(hub: Hub) -> bool:
    """Do the next step of some seal; False when there is none to do."""
    return await _begin(hub) or await _go_on(hub)


async def _begin(hub: Hub) -> bool:
    """Wait until no writer is left that stores samples without noting them as late: the copies hold those."""
    async with hub.db.transaction() as tx:
        capture_id = await job_queries.claim_new(tx)
        if capture_id is None:
            return False
        await job_queries.wait_for_writers(tx)
        await job_queries.note_drained(tx, capture_id)
        return True


async def _go_on(hub: Hub) -> bool:
    job: asyncpg.Record | None = None
    try:
        async with hub.db.connection() as connection, connection.transaction(isolation="repeatable_read"):
            await job_queries.hold_revisions(connection)
            job = await job_queries.claim(connection)
            if job is None:
                return False
            await _do(connection, hub, job)
    except TryAgain:
        return True
    except asyncpg.PostgresError as error:
        if job is None:
            raise
        log.warning("a seal waits", capture=str(job["capture_id"]), error=str(error))
        async with hub.db.transaction() as tx:
            await job_queries.note_failure(tx, job["capture_id"], str(error), RETRY_S)
    return True


async def _do(tx: Tx, hub: Hub, job: asyncpg.Record) -> None:
    row = await job_queries.next_part(tx, job["capture_id"])
    if row is None:
        await _finish(tx, job)
        return
    part = Part.of(job, row)
    if await copy_next_hour(tx, hub.vault, part):
        return
    digest = await hash_content(tx, part.capture_id, part.sensor_no, seal=part.seal, of_vectors=row["vectors"])
    await job_queries.finish_part(
        tx,
        part.capture_id,
        part.sensor_no,
        n=digest.n,
        first_t=digest.first_t,
        last_t=digest.last_t,
        sha256=digest.sha256,
    )


async def _finish(tx: Tx, job: asyncpg.Record) -> None:
    """Write the seal; a later one that found nothing new leaves no trace."""
    capture_id, seal = job["capture_id"], job["seal"]
    # Who plans the next seal locks the capture as well: it sees this one, or that it is still in the making.
    await queries.lock_capture(tx, capture_id)
    parts = await job_queries.parts(tx, capture_id)
    added, samples = sum(part["added"] for part in parts), sum(part["n"] for part in parts)
    if added or seal == 1:
        digest = manifest_digest((part["sensor_id"], part["n"], part["sha256"]) for part in parts)
        await queries.insert_seal(
            tx,
            capture_id,
            seal,
            cause=job["cause"],
            requested_by=job["requested_by"],
            added=added,
            samples=samples,
            sha256=digest,
        )
        await queries.insert_manifest(tx, capture_id, seal)
        await queries.mark_sealed(tx, capture_id)
        place = await queries.place_of(tx, capture_id)
        if place is not None:
            # The chain of facts holds the manifest's hash: whoever forges a manifest has to forge the chain as well.
            details = {
                "run_id": str(place["run_id"]),
                "seal": seal,
                "cause": job["cause"],
                "added": added,
                "samples": samples,
                "sha256": digest.hex(),
            }
            fact = Fact("capture.sealed", subject_id=capture_id, project_id=place["project_id"], details=details)
            await record_for_system(tx, fact, by=BY)
        log.info("capture sealed", capture=str(capture_id), seal=seal, samples=samples, added=added)
    await job_queries.delete_job(tx, capture_id)
