"""SQL of sealing: which captures are due, the jobs and their steps."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import asyncpg

from hub.captures.models import FailureCode
from hub.kit.db import Tx


async def lacking(tx: Tx) -> list[asyncpg.Record]:
    """List finished captures that lack samples which were acknowledged: a code of why, how many of which sensors."""
    return await tx.fetch(
        """
        select capture.id,
          case when sum(gone.lost) > 0 then 'samples_lost' else 'samples_not_storable' end as code,
          jsonb_agg(jsonb_build_object('sensor', sensor.name, 'samples', gone.samples) order by sensor.name) as sensors
        from capture_session capture
        join capture_sensor member on member.capture_id = capture.id
        join sensor on sensor.id = member.sensor_id
        cross join lateral (
          select sum(samples)::bigint as samples, sum(samples) filter (where lost)::bigint as lost
          from (
            select samples, true as lost
            from stream_lost
            where sensor_no = member.sensor_no
              and first_t < (extract(epoch from capture.stopped_at) * 1000000)::bigint
              and last_t >= (extract(epoch from capture.started_at) * 1000000)::bigint
            union all
            select n, false
            from telemetry_not_stored
            where sensor_no = member.sensor_no and reason = 'not-storable'
              and first_t < (extract(epoch from capture.stopped_at) * 1000000)::bigint
              and last_t >= (extract(epoch from capture.started_at) * 1000000)::bigint
          ) as each
        ) as gone
        where capture.status = 'finished' and gone.samples > 0
        group by capture.id
        """
    )


async def fail(
    tx: Tx, capture_id: UUID, failure: str, *, code: FailureCode, sensors: Sequence[Mapping[str, object]]
) -> bool:
    """Fail a finished capture; False when a seal of it was planned meanwhile."""
    status = await tx.execute(
        """
        update capture_session
        set status = 'failed', failure = $2, failure_code = $3, failure_sensors = $4
        where id = $1 and status = 'finished' and not exists (select from seal_job where capture_id = $1)
        """,
        capture_id,
        failure,
        code,
        sensors,
    )
    return status == "UPDATE 1"


async def due(tx: Tx, *, grace_s: float, wait_s: float) -> list[asyncpg.Record]:
    """List finished captures whose sensors were all heard past Stop and a grace, or that have waited long enough."""
    return await tx.fetch(
        """
        select capture.id,
          case when capture.stopped_at < now() - make_interval(secs => $2) then 'age' else 'heard' end as cause
        from capture_session capture
        where capture.status = 'finished'
          and not exists (select from seal_job job where job.capture_id = capture.id)
          and (
            capture.stopped_at < now() - make_interval(secs => $2)
            or not exists (
              select from capture_sensor member
              left join sensor_ledger ledger on ledger.sensor_no = member.sensor_no
              where member.capture_id = capture.id
                and coalesce(ledger.high_water, 0)
                  < (extract(epoch from capture.stopped_at + make_interval(secs => $1)) * 1000000)::bigint
            )
          )
        order by capture.stopped_at
        limit 100
        """,
        grace_s,
        wait_s,
    )


async def late_due(tx: Tx, *, quiet_s: float, most_s: float) -> list[UUID]:
    """List sealed captures to which nothing more comes for a while, or whose late samples have waited long enough."""
    rows = await tx.fetch(
        """
        select late.capture_id
        from capture_late late
        join capture_session capture on capture.id = late.capture_id
        where late.seal is null and capture.status = 'sealed'
          and not exists (select from seal_job job where job.capture_id = late.capture_id)
        group by late.capture_id
        having max(late.at) < now() - make_interval(secs => $1) or min(late.at) < now() - make_interval(secs => $2)
        limit 100
        """,
        quiet_s,
        most_s,
    )
    return [row["capture_id"] for row in rows]


async def lock_capture(tx: Tx, capture_id: UUID) -> asyncpg.Record | None:
    """Lock a capture and tell whether samples wait for a seal."""
    return await tx.fetchrow(
        """
        select capture.ordinal_number, capture.status,
          exists (select from capture_late where capture_id = capture.id and seal is null) as late,
          exists (select from seal_job where capture_id = capture.id) as sealing
        from capture_session capture
        where capture.id = $1
        for no key update of capture
        """,
        capture_id,
    )


async def next_recent(tx: Tx, sensor_no: int, from_t: int, to_t: int, *, span_us: int) -> int | None:
    """Find where a sensor's next chunk of the recent window begins, from `from_t` on."""
    return await tx.fetchval(
        """
        select greatest(first_t, $2)
        from telemetry_recent
        where sensor_no = $1 and first_t > $2::bigint - $4::bigint and first_t < $3 and last_t >= $2
        order by first_t
        limit 1
        """,
        sensor_no,
        from_t,
        to_t,
        span_us,
    )


async def next_late(tx: Tx, capture_id: UUID, sensor_no: int, from_t: int) -> int | None:
    """Find the first sample, from `from_t` on, that no seal took in."""
    return await tx.fetchval(
        """
        select min(greatest(first_t, $3))
        from capture_late
        where capture_id = $1 and sensor_no = $2 and last_t >= $3 and seal is null
        """,
        capture_id,
        sensor_no,
        from_t,
    )


async def chunks(
    tx: Tx, capture_id: UUID, sensor_no: int, from_t: int, to_t: int, *, span_us: int
) -> list[asyncpg.Record]:
    """Read a stretch of a sensor: what the capture holds of it already, and what the recent window does."""
    return await tx.fetch(
        """
        select sensor_no, first_t, n, array_send(t_delta) as t_offset, array_send(raw) as raw,
          array_send(physical) as physical, status, profile_version, received_at, meta,
          array_send(identity) as identity, true as sealed
        from telemetry_captured
        where capture_id = $1 and sensor_no = $2
          and first_t > $3::bigint - $5::bigint and first_t < $4 and last_t >= $3
        union all
        select sensor_no, first_t, n, array_send(t_offset), array_send(raw),
          array_send(physical), status, profile_version, received_at, meta, array_send(identity), false
        from telemetry_recent
        where sensor_no = $2 and first_t > $3::bigint - $5::bigint and first_t < $4 and last_t >= $3
        """,
        capture_id,
        sensor_no,
        from_t,
        to_t,
        span_us,
    )


async def take_late_in(tx: Tx, capture_id: UUID, sensor_no: int, from_t: int, to_t: int, *, seal: int) -> None:
    """Note that a seal took in the late samples that are known of a stretch."""
    await tx.execute(
        """
        update capture_late
        set seal = $5
        where capture_id = $1 and sensor_no = $2 and first_t >= $3 and first_t < $4 and seal is null
        """,
        capture_id,
        sensor_no,
        from_t,
        to_t,
        seal,
    )


async def insert_seal(
    tx: Tx,
    capture_id: UUID,
    seal: int,
    *,
    cause: str,
    requested_by: UUID | None,
    added: int,
    samples: int,
    sha256: bytes,
) -> None:
    """Write a seal."""
    await tx.execute(
        """
        insert into capture_seal (capture_id, seal, cause, requested_by, added, samples, sha256)
        values ($1, $2, $3, $4, $5, $6, $7)
        """,
        capture_id,
        seal,
        cause,
        requested_by,
        added,
        samples,
        sha256,
    )


async def insert_manifest(tx: Tx, capture_id: UUID, seal: int) -> None:
    """Write what each sensor's series is after a seal."""
    await tx.execute(
        """
        insert into capture_manifest (capture_id, seal, sensor_no, sensor_id, added, n, first_t, last_t, sha256)
        select capture_id, $2, sensor_no, sensor_id, added, n, first_t, last_t, sha256
        from seal_part
        where capture_id = $1
        """,
        capture_id,
        seal,
    )


async def mark_sealed(tx: Tx, capture_id: UUID) -> None:
    """Let a finished capture be sealed."""
    await tx.execute(
        """
        update capture_session
        set status = 'sealed'
        where id = $1 and status = 'finished'
        """,
        capture_id,
    )


async def place_of(tx: Tx, capture_id: UUID) -> asyncpg.Record | None:
    """Find the run and the project of a capture."""
    return await tx.fetchrow(
        """
        select capture.run_id, experiment.project_id
        from capture_session capture
        join run on run.id = capture.run_id
        join experiment on experiment.id = run.experiment_id
        where capture.id = $1
        """,
        capture_id,
    )


async def revisions(tx: Tx, capture_id: UUID, sensor_no: int) -> list[asyncpg.Record]:
    """List the later revisions of a sensor's series in a capture."""
    return await tx.fetch(
        """
        select revision, profile_version
        from capture_revision
        where capture_id = $1 and sensor_no = $2
        order by revision
        """,
        capture_id,
        sensor_no,
    )


async def insert_revision_chunks(
    tx: Tx, rows: Sequence[tuple[UUID, int, int, int, int, list[float], bytes | None]]
) -> None:
    """Add chunks of later revisions: (capture, sensor, chunk, revision, profile version, physical, status)."""
    await tx.executemany(
        """
        insert into telemetry_revision
          (capture_id, sensor_no, chunk_no, revision, profile_version, physical, status)
        values ($1, $2, $3, $4, $5, $6, $7)
        on conflict do nothing
        """,
        rows,
    )


async def profiles(tx: Tx, sensor_id: UUID) -> list[asyncpg.Record]:
    """List the published versions of a sensor's profile."""
    return await tx.fetch(
        """
        select id, version, payload_sealed
        from conversion_profile
        where sensor_id = $1 and status <> 'draft'
        """,
        sensor_id,
    )
