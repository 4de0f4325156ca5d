"""SQL of capture sessions."""

from datetime import datetime
from uuid import UUID

import asyncpg

from hub.kit.db import Tx


async def project_of(tx: Tx, capture_id: UUID) -> UUID | None:
    """Find the project of a capture."""
    return await tx.fetchval(
        """
        select experiment.project_id
        from capture_session capture
        join run on run.id = capture.run_id
        join experiment on experiment.id = run.experiment_id
        where capture.id = $1
        """,
        capture_id,
    )


async def run_of(tx: Tx, capture_id: UUID) -> UUID | None:
    """Find the run of a capture."""
    return await tx.fetchval(
        """
        select run_id
        from capture_session
        where id = $1
        """,
        capture_id,
    )


async def next_ordinal(tx: Tx, run_id: UUID) -> int:
    """Take the run's next ordinal number; numbers of deleted drafts are not given again."""
    return await tx.fetchval(
        """
        update run
        set captures_made = captures_made + 1
        where id = $1
        returning captures_made
        """,
        run_id,
    )


async def insert(
    tx: Tx,
    *,
    run_id: UUID,
    ordinal_number: int,
    duration_s: float | None,
    pre_roll_s: float,
    notes: str,
    initiated_by: UUID,
    initiated_role: str,
) -> UUID:
    """Create a draft."""
    return await tx.fetchval(
        """
        insert into capture_session
          (run_id, ordinal_number, duration_s, pre_roll_s, notes, initiated_by, initiated_role)
        values ($1, $2, $3, $4, $5, $6, $7)
        returning id
        """,
        run_id,
        ordinal_number,
        duration_s,
        pre_roll_s,
        notes,
        initiated_by,
        initiated_role,
    )


async def find(tx: Tx, capture_id: UUID) -> asyncpg.Record | None:
    """Read a capture."""
    return await tx.fetchrow(
        """
        select *
        from capture_detail
        where id = $1
        """,
        capture_id,
    )


async def page(
    tx: Tx,
    *,
    run_id: UUID | None,
    project_id: UUID | None,
    status: str | None,
    archived: bool | None,
    before_at: datetime,
    before_id: UUID,
    limit: int,
) -> list[asyncpg.Record]:
    """List the captures of a run or of a project, the newest first, after the given position."""
    return await tx.fetch(
        """
        select *
        from capture_detail
        where ($1::uuid is null or run_id = $1)
          and ($2::uuid is null or project_id = $2)
          and ($3::text is null or status = $3)
          and ($4::boolean is null or archived = $4)
          and (created_at, id) < ($5, $6)
        order by created_at desc, id desc
        limit $7
        """,
        run_id,
        project_id,
        status,
        archived,
        before_at,
        before_id,
        limit,
    )


async def lock(tx: Tx, capture_id: UUID) -> asyncpg.Record | None:
    """Lock a capture, so that of two who start, stop or delete it the second sees what the first did."""
    return await tx.fetchrow(
        """
        select id, run_id, ordinal_number, status, notes, archived
        from capture_session
        where id = $1
        for update
        """,
        capture_id,
    )


async def freeze_sensors(tx: Tx, capture_id: UUID, run_id: UUID) -> int:
    """Take the sensors that the run records now into the capture for good; returns how many."""
    return await tx.fetchval(
        """
        with frozen as (
          insert into capture_sensor (capture_id, sensor_id, sensor_no, place)
          select $1, bound.sensor_id, sensor.no, bound.place
          from run_sensor bound
          join sensor on sensor.id = bound.sensor_id
          where bound.run_id = $2 and bound.mode = 'record'
          returning 1
        )
        select count(*)
        from frozen
        """,
        capture_id,
        run_id,
    )


async def start(tx: Tx, capture_id: UUID, *, initiated_by: UUID, initiated_role: str) -> None:
    """Start a draft at one moment of the database's clock, from which pre-roll and duration are reckoned."""
    await tx.execute(
        """
        with moment as materialized (
          select clock_timestamp() as at
        )
        update capture_session
        set status = 'running', initiated_by = $2, initiated_role = $3,
          started_at = moment.at - pre_roll_s * interval '1 second',
          auto_stop_at = moment.at + duration_s * interval '1 second'
        from moment
        where id = $1
        """,
        capture_id,
        initiated_by,
        initiated_role,
    )


async def stop(tx: Tx, capture_id: UUID) -> None:
    """Stop a running capture now, or at its automatic stop when that has passed; never before it started."""
    await tx.execute(
        """
        update capture_session
        set status = 'finished', stopped_at = greatest(least(clock_timestamp(), auto_stop_at), started_at)
        where id = $1
        """,
        capture_id,
    )


async def running_of_run(tx: Tx, run_id: UUID) -> list[UUID]:
    """Lock the running captures of a run."""
    rows = await tx.fetch(
        """
        select id
        from capture_session
        where run_id = $1 and status = 'running'
        order by id
        for update
        """,
        run_id,
    )
    return [row["id"] for row in rows]


async def stop_due(tx: Tx) -> list[asyncpg.Record]:
    """Stop the captures whose automatic stop has come, each at exactly that time, whenever this is done."""
    return await tx.fetch(
        """
        with due as (
          select id
          from capture_session
          where status = 'running' and auto_stop_at <= clock_timestamp()
          for update skip locked
        )
        update capture_session capture
        set status = 'finished', stopped_at = capture.auto_stop_at
        from due, run, experiment
        where capture.id = due.id and run.id = capture.run_id and experiment.id = run.experiment_id
        returning capture.id, capture.run_id, experiment.project_id, capture.stopped_at
        """
    )


async def next_due_s(tx: Tx) -> float | None:
    """Return in how many seconds the next automatic stop comes; None without one."""
    return await tx.fetchval(
        """
        select extract(epoch from min(auto_stop_at) - clock_timestamp())::float8
        from capture_session
        where status = 'running'
        """
    )


async def update(tx: Tx, *, capture_id: UUID, notes: str | None, archived: bool | None) -> None:
    """Change the fields that are given."""
    await tx.execute(
        """
        update capture_session
        set notes = coalesce($2, notes), archived = coalesce($3, archived)
        where id = $1
        """,
        capture_id,
        notes,
        archived,
    )


async def delete(tx: Tx, capture_id: UUID) -> None:
    """Delete a capture."""
    await tx.execute(
        """
        delete from capture_session
        where id = $1
        """,
        capture_id,
    )


async def running_with_sensor(tx: Tx, sensor_id: UUID) -> list[asyncpg.Record]:
    """List the running captures that record a sensor."""
    return await tx.fetch(
        """
        select capture.ordinal_number, run.number, experiment.name as experiment
        from capture_sensor member
        join capture_session capture on capture.id = member.capture_id
        join run on run.id = capture.run_id
        join experiment on experiment.id = run.experiment_id
        where member.sensor_id = $1 and capture.status = 'running'
        order by experiment.name, run.number, capture.ordinal_number
        """,
        sensor_id,
    )


async def running_in_project(tx: Tx, project_id: UUID) -> list[asyncpg.Record]:
    """List the running captures of a project."""
    return await tx.fetch(
        """
        select capture.ordinal_number, run.number, experiment.name as experiment
        from capture_session capture
        join run on run.id = capture.run_id
        join experiment on experiment.id = run.experiment_id
        where experiment.project_id = $1 and capture.status = 'running'
        order by experiment.name, run.number, capture.ordinal_number
        """,
        project_id,
    )


async def clocks_off(tx: Tx, capture_id: UUID, most_s: float) -> list[asyncpg.Record]:
    """List the capture's sensors that were heard lately and whose clocks are further off than that (s ahead)."""
    return await tx.fetch(
        """
        select sensor.id, sensor.name, -clock.delay_us / 1000000.0::float8 as offset_s
        from capture_sensor member
        join sensor on sensor.id = member.sensor_id
        join sensor_ledger ledger on ledger.sensor_no = member.sensor_no
        cross join lateral (
          select least(ledger.clock_low, ledger.clock_low_before) as delay_us
        ) clock
        where member.capture_id = $1 and sensor.time_source = 'device'
          and abs(clock.delay_us) > $2::float8 * 1000000
          and timestamptz 'epoch' + ledger.last_received_at * interval '1 microsecond'
            > clock_timestamp() - 5 * sensor.heartbeat_interval_s * interval '1 second'
        order by member.place, sensor.name
        """,
        capture_id,
        most_s,
    )
