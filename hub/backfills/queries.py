"""SQL of asking for backfills and of reading them."""

from datetime import datetime
from uuid import UUID

import asyncpg

from hub.kit.db import Tx


async def project_of(tx: Tx, backfill_id: UUID) -> UUID | None:
    """Find the project of a backfill."""
    return await tx.fetchval(
        """
        select project_id
        from backfill
        where id = $1
        """,
        backfill_id,
    )


async def lock_capture(tx: Tx, capture_id: UUID) -> asyncpg.Record | None:
    """Lock a capture against whoever adds chunks or revisions to it, and read where it stands."""
    return await tx.fetchrow(
        """
        select id, ordinal_number, status
        from capture_session
        where id = $1
        for no key update
        """,
        capture_id,
    )


async def series_of(tx: Tx, capture_id: UUID, profile_id: UUID) -> asyncpg.Record | None:
    """Find the series of a capture that a version converts: its sensor's; None when the sensor is not among its own."""
    return await tx.fetchrow(
        """
        select profile.version, profile.status, profile.sensor_id, member.sensor_no,
          sensor.axis is not null as of_vectors
        from conversion_profile profile
        join sensor on sensor.id = profile.sensor_id
        join capture_sensor member on member.sensor_id = profile.sensor_id and member.capture_id = $1
        where profile.id = $2
        """,
        capture_id,
        profile_id,
    )


async def underway(tx: Tx, capture_id: UUID, profile_id: UUID) -> asyncpg.Record | None:
    """Find the unfinished backfill that applies a version to a capture."""
    return await tx.fetchrow(
        """
        select id, revision, status
        from backfill
        where capture_id = $1 and profile_id = $2 and status in ('waiting', 'running')
        """,
        capture_id,
        profile_id,
    )


async def insert(
    tx: Tx,
    *,
    project_id: UUID,
    capture_id: UUID,
    sensor_id: UUID,
    sensor_no: int,
    profile_id: UUID,
    profile_version: int,
    requested_by: UUID,
) -> asyncpg.Record | None:
    """Plan a backfill into the capture's next revision; the capture is locked."""
    return await tx.fetchrow(
        """
        insert into backfill
          (project_id, capture_id, sensor_id, sensor_no, profile_id, profile_version, requested_by, revision)
        select $1, $2, $3, $4, $5, $6, $7, greatest(
          1,
          (select max(revision) from backfill where capture_id = $2),
          (select max(revision) from capture_revision where capture_id = $2)
        ) + 1
        returning id, revision
        """,
        project_id,
        capture_id,
        sensor_id,
        sensor_no,
        profile_id,
        profile_version,
        requested_by,
    )


async def captures_since(tx: Tx, sensor_id: UUID, days: int) -> list[asyncpg.Record]:
    """Lock the captures of a sensor that are over and stopped within the last days, the oldest first."""
    return await tx.fetch(
        """
        select capture.id, capture.status, member.sensor_no
        from capture_sensor member
        join capture_session capture on capture.id = member.capture_id
        where member.sensor_id = $1 and capture.status in ('finished', 'sealed')
          and capture.stopped_at >= statement_timestamp() - make_interval(days => $2)
        order by capture.stopped_at, capture.id
        for no key update of capture
        """,
        sensor_id,
        days,
    )


async def find(tx: Tx, backfill_id: UUID) -> asyncpg.Record | None:
    """Read a backfill."""
    return await tx.fetchrow(
        """
        select backfill.id, backfill.project_id, backfill.capture_id, backfill.sensor_id, sensor.name as sensor_name,
          backfill.profile_id, backfill.profile_version, backfill.revision, backfill.status, backfill.samples,
          backfill.done, backfill.difference, backfill.elements, requester.name as requested_by,
          backfill.created_at, backfill.started_at, backfill.ended_at, backfill.error, run.id as run_id,
          run.experiment_id, run.number as run_number,
          experiment.name as experiment_name, capture.ordinal_number
        from backfill
        join sensor on sensor.id = backfill.sensor_id
        join app_user requester on requester.id = backfill.requested_by
        join capture_session capture on capture.id = backfill.capture_id
        join run on run.id = capture.run_id
        join experiment on experiment.id = run.experiment_id
        where backfill.id = $1
        """,
        backfill_id,
    )


async def page(
    tx: Tx,
    *,
    project_id: UUID,
    capture_id: UUID | None,
    sensor_id: UUID | None,
    status: str | None,
    before_at: datetime,
    before_id: UUID,
    limit: int,
) -> list[asyncpg.Record]:
    """List a project's backfills, the newest first."""
    return await tx.fetch(
        """
        select backfill.id, backfill.project_id, backfill.capture_id, backfill.sensor_id, sensor.name as sensor_name,
          backfill.profile_id, backfill.profile_version, backfill.revision, backfill.status, backfill.samples,
          backfill.done, backfill.difference, backfill.elements, requester.name as requested_by,
          backfill.created_at, backfill.started_at, backfill.ended_at, backfill.error, run.id as run_id,
          run.experiment_id, run.number as run_number,
          experiment.name as experiment_name, capture.ordinal_number
        from backfill
        join sensor on sensor.id = backfill.sensor_id
        join app_user requester on requester.id = backfill.requested_by
        join capture_session capture on capture.id = backfill.capture_id
        join run on run.id = capture.run_id
        join experiment on experiment.id = run.experiment_id
        where backfill.project_id = $1
          and ($2::uuid is null or backfill.capture_id = $2)
          and ($3::uuid is null or backfill.sensor_id = $3)
          and ($4::text is null or backfill.status = $4)
          and (backfill.created_at, backfill.id) < ($5, $6)
        order by backfill.created_at desc, backfill.id desc
        limit $7
        """,
        project_id,
        capture_id,
        sensor_id,
        status,
        before_at,
        before_id,
        limit,
    )


async def lock(tx: Tx, backfill_id: UUID) -> asyncpg.Record | None:
    """Lock a backfill between two of its steps."""
    return await tx.fetchrow(
        """
        select status, capture_id, sensor_id, profile_version, revision
        from backfill
        where id = $1
        for update
        """,
        backfill_id,
    )


async def cancel(tx: Tx, backfill_id: UUID) -> None:
    """End a backfill before it is finished."""
    await tx.execute(
        """
        update backfill
        set status = 'cancelled', ended_at = clock_timestamp()
        where id = $1
        """,
        backfill_id,
    )


async def holding(tx: Tx, sensor_id: UUID) -> list[asyncpg.Record]:
    """List the unfinished backfills of a sensor's series."""
    return await tx.fetch(
        """
        select backfill.status, capture.ordinal_number, run.number, experiment.name as experiment
        from backfill
        join capture_session capture on capture.id = backfill.capture_id
        join run on run.id = capture.run_id
        join experiment on experiment.id = run.experiment_id
        where backfill.sensor_id = $1 and backfill.status in ('waiting', 'running')
        order by experiment.name, run.number, capture.ordinal_number
        """,
        sensor_id,
    )
