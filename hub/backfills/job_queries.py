"""SQL of the steps of a backfill."""

from typing import Any
from uuid import UUID

import asyncpg

from hub.kit.db import Tx


async def claim(tx: Tx) -> asyncpg.Record | None:
    """Take the job that is next; nobody else does one of its steps meanwhile.

    Before it begins it waits for the capture's seal in the making, and for the capture's revisions before its own.
    """
    return await tx.fetchrow(
        """
        select job.id, job.project_id, job.capture_id, job.sensor_id, job.sensor_no, job.profile_id,
          job.profile_version, job.revision, job.status, job.next_chunk, job.samples, job.done, job.difference,
          job.elements, (sensor.axis ->> 'count')::int as vector_size
        from backfill job
        join sensor on sensor.id = job.sensor_id
        join capture_session capture on capture.id = job.capture_id and capture.status = 'sealed'
        where job.status in ('waiting', 'running') and job.not_before <= clock_timestamp()
          and not exists (
            select from backfill earlier
            where earlier.capture_id = job.capture_id and earlier.revision < job.revision
              and earlier.status in ('waiting', 'running')
          )
          and (
            job.status = 'running'
            or not exists (select from seal_job seal where seal.capture_id = job.capture_id)
          )
        order by job.created_at, job.id
        limit 1
        for update of job skip locked
        """
    )


async def begin(tx: Tx, job_id: UUID) -> None:
    """Let a job run, and count what it has to do."""
    await tx.execute(
        """
        update backfill
        set status = 'running', started_at = clock_timestamp(), samples = (
          select coalesce(sum(n), 0)
          from telemetry_captured chunk
          where chunk.capture_id = backfill.capture_id and chunk.sensor_no = backfill.sensor_no
        )
        where id = $1
        """,
        job_id,
    )


async def chunks(
    tx: Tx, *, capture_id: UUID, sensor_no: int, revision: int, next_chunk: int, most: int
) -> list[asyncpg.Record]:
    """Read the next chunks of a sealed series, with the physical values of the newest revision before one.

    Where they name vectors, the times tell whose.
    """
    return await tx.fetch(
        """
        select chunk.chunk_no, chunk.n, array_send(chunk.raw) as raw, array_send(chunk.identity) as identity,
          chunk.first_t, case when chunk.identity is not null then array_send(chunk.t_delta) end as t_offset,
          true as sealed,
          array_send(coalesce(before.physical, chunk.physical)) as physical,
          case when before.chunk_no is null then chunk.status else before.status end as status
        from telemetry_captured chunk
        left join telemetry_revision before on before.capture_id = chunk.capture_id
          and before.sensor_no = chunk.sensor_no and before.chunk_no = chunk.chunk_no and before.revision = (
            select max(revision)
            from capture_revision
            where capture_id = $1 and sensor_no = $2 and revision < $3
          )
        where chunk.capture_id = $1 and chunk.sensor_no = $2 and chunk.chunk_no >= $4
        order by chunk.chunk_no
        limit $5
        """,
        capture_id,
        sensor_no,
        revision,
        next_chunk,
        most,
    )


async def advance(
    tx: Tx,
    job_id: UUID,
    *,
    next_chunk: int,
    samples: int,
    difference: dict[str, Any],
    elements: dict[str, Any] | None,
) -> None:
    """Note a step: chunks before `next_chunk` are done, so many samples more. Late seals may add to what there is."""
    await tx.execute(
        """
        update backfill
        set next_chunk = $2, done = done + $3, samples = greatest(samples, done + $3), difference = $4, elements = $5,
          failures = 0, error = null
        where id = $1
        """,
        job_id,
        next_chunk,
        samples,
        difference,
        elements,
    )


async def bound_waiting(tx: Tx) -> None:
    """Let no lock be waited for longer than five seconds in this transaction."""
    await tx.execute("set local lock_timeout = '5s'")


async def hold_seals(tx: Tx) -> None:
    """Wait for the step of a seal, and let none begin: it adds its chunks to the revisions that it knows."""
    await tx.execute("lock table capture_revision in row exclusive mode")


async def finish(tx: Tx, job_id: UUID) -> None:
    """End a job whose chunks are all done."""
    await tx.execute(
        """
        update backfill
        set status = 'finished', ended_at = clock_timestamp(), samples = done
        where id = $1
        """,
        job_id,
    )


async def insert_revision(tx: Tx, job_id: UUID) -> None:
    """Let the revision of a job be there for whoever reads the capture."""
    await tx.execute(
        """
        insert into capture_revision (capture_id, sensor_no, revision, profile_version, created_by)
        select capture_id, sensor_no, revision, profile_version, requested_by
        from backfill
        where id = $1
        """,
        job_id,
    )


async def progress(connection: Tx, job_id: UUID) -> asyncpg.Record | None:
    """Read how far a job is."""
    return await connection.fetchrow(
        """
        select capture_id, sensor_id, revision, status, samples, done
        from backfill
        where id = $1
        """,
        job_id,
    )


async def postpone(tx: Tx, job_id: UUID, error: str, *, most: int) -> str | None:
    """Note that a step failed: it is tried again after a while, longer each time, `most` times; returns the status."""
    return await tx.fetchval(
        """
        update backfill
        set failures = failures + 1, error = $2,
          not_before = clock_timestamp() + power(2, failures) * interval '1 second',
          status = case when failures + 1 >= $3 then 'failed' else status end,
          ended_at = case when failures + 1 >= $3 then clock_timestamp() end
        where id = $1 and status in ('waiting', 'running')
        returning status
        """,
        job_id,
        error,
        most,
    )


async def claim_undone(tx: Tx) -> asyncpg.Record | None:
    """Take a job that ended early and left chunks of a revision that will never be."""
    return await tx.fetchrow(
        """
        select id, capture_id, sensor_no, revision
        from backfill
        where status in ('cancelled', 'failed') and next_chunk > 0
        order by id
        limit 1
        for update skip locked
        """
    )


async def delete_chunks(tx: Tx, capture_id: UUID, sensor_no: int, revision: int, *, most: int) -> int:
    """Delete chunks of a revision that will never be; returns how many there were."""
    status = await tx.execute(
        """
        delete from telemetry_revision
        where (capture_id, sensor_no, chunk_no, revision) in (
          select capture_id, sensor_no, chunk_no, revision
          from telemetry_revision
          where capture_id = $1 and sensor_no = $2 and revision = $3
          limit $4
        )
        """,
        capture_id,
        sensor_no,
        revision,
        most,
    )
    return int(status.rpartition(" ")[2])


async def note_undone(tx: Tx, job_id: UUID) -> None:
    """Note that nothing is left of a job that ended early."""
    await tx.execute(
        """
        update backfill
        set next_chunk = 0
        where id = $1
        """,
        job_id,
    )
