"""SQL of seals in the making."""

from uuid import UUID

import asyncpg

from hub.kit.db import Tx


async def insert_job(tx: Tx, capture_id: UUID, cause: str, requested_by: UUID | None) -> bool:
    """Plan the next seal of a capture; False when one is planned already."""
    status = await tx.execute(
        """
        insert into seal_job (capture_id, seal, cause, requested_by)
        select $1, coalesce(max(seal), 0) + 1, $2, $3
        from capture_seal
        where capture_id = $1
        on conflict (capture_id) do nothing
        """,
        capture_id,
        cause,
        requested_by,
    )
    return status == "INSERT 0 1"


async def insert_parts(tx: Tx, capture_id: UUID) -> None:
    """Plan a part for each of the capture's sensors."""
    await tx.execute(
        """
        insert into seal_part (capture_id, sensor_no, sensor_id, from_t, next_t, to_t, next_chunk)
        select capture.id, member.sensor_no, member.sensor_id,
          (extract(epoch from capture.started_at) * 1000000)::bigint,
          (extract(epoch from capture.started_at) * 1000000)::bigint,
          (extract(epoch from capture.stopped_at) * 1000000)::bigint,
          coalesce((
            select max(chunk.chunk_no) + 1
            from telemetry_captured chunk
            where chunk.capture_id = capture.id and chunk.sensor_no = member.sensor_no
          ), 0)
        from capture_session capture
        join capture_sensor member on member.capture_id = capture.id
        where capture.id = $1
        """,
        capture_id,
    )


async def claim_new(tx: Tx) -> UUID | None:
    """Take a job of which no step was done; nobody else does meanwhile."""
    return await tx.fetchval(
        """
        select capture_id
        from seal_job
        where not drained and not_before <= clock_timestamp()
        order by requested_at
        limit 1
        for update skip locked
        """
    )


async def wait_for_writers(tx: Tx) -> None:
    """Lock every shard's row: who stored samples without knowing that the capture is finished has committed."""
    await tx.execute(
        """
        select shard
        from stream_shard
        order by shard
        for update
        """
    )


async def note_drained(tx: Tx, capture_id: UUID) -> None:
    """Note that no writer's transaction is left that may not know the capture as finished."""
    await tx.execute(
        """
        update seal_job
        set drained = true
        where capture_id = $1
        """,
        capture_id,
    )


async def hold_revisions(tx: Tx) -> None:
    """Wait for who adds a revision, and let nobody add one; comes first, so that what is read later knows them all."""
    await tx.execute("lock table capture_revision in share mode")


async def claim(tx: Tx) -> asyncpg.Record | None:
    """Take a job that has begun; nobody else does meanwhile.

    The row changes with each step, so that who looked before the last step was committed is told to look again.
    """
    return await tx.fetchrow(
        """
        update seal_job
        set steps = steps + 1
        where capture_id = (
          select capture_id
          from seal_job
          where drained and not_before <= clock_timestamp()
          order by failures, requested_at
          limit 1
          for update skip locked
        )
        returning capture_id, seal, cause, requested_by
        """
    )


async def next_part(tx: Tx, capture_id: UUID) -> asyncpg.Record | None:
    """Read the part that is worked on; None when all are done."""
    return await tx.fetchrow(
        """
        select part.sensor_no, part.sensor_id, sensor.axis is not null as vectors, part.from_t, part.next_t, part.to_t,
          part.next_chunk
        from seal_part part
        join sensor on sensor.id = part.sensor_id
        where part.capture_id = $1 and part.sha256 is null
        order by part.sensor_no
        limit 1
        """,
        capture_id,
    )


async def advance(tx: Tx, capture_id: UUID, sensor_no: int, *, next_t: int, chunks: int, samples: int) -> None:
    """Note how far a part has come."""
    await tx.execute(
        """
        update seal_part
        set next_t = $3, next_chunk = next_chunk + $4, added = added + $5
        where capture_id = $1 and sensor_no = $2
        """,
        capture_id,
        sensor_no,
        next_t,
        chunks,
        samples,
    )


async def finish_part(
    tx: Tx,
    capture_id: UUID,
    sensor_no: int,
    *,
    n: int,
    first_t: int | None,
    last_t: int | None,
    sha256: bytes,
) -> None:
    """Note what a sensor's series is after the seal."""
    await tx.execute(
        """
        update seal_part
        set n = $3, first_t = $4, last_t = $5, sha256 = $6
        where capture_id = $1 and sensor_no = $2
        """,
        capture_id,
        sensor_no,
        n,
        first_t,
        last_t,
        sha256,
    )


async def parts(tx: Tx, capture_id: UUID) -> list[asyncpg.Record]:
    """List the parts of a job."""
    return await tx.fetch(
        """
        select sensor_id, added, n, sha256
        from seal_part
        where capture_id = $1
        """,
        capture_id,
    )


async def delete_job(tx: Tx, capture_id: UUID) -> None:
    """Delete a job with its parts."""
    await tx.execute(
        """
        delete from seal_job
        where capture_id = $1
        """,
        capture_id,
    )


async def note_failure(tx: Tx, capture_id: UUID, error: str, wait_s: float) -> None:
    """Note why a step failed and when to try again."""
    await tx.execute(
        """
        update seal_job
        set failures = failures + 1, error = $2, not_before = clock_timestamp() + make_interval(secs => $3)
        where capture_id = $1
        """,
        capture_id,
        error,
        wait_s,
    )
