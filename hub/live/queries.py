"""SQL of live views."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from hub.kit.db import Tx


async def watchable(
    tx: Tx, *, user_id: UUID, only_project: UUID | None, sensors: Sequence[UUID], runs: Sequence[UUID]
) -> list[asyncpg.Record]:
    """Find the named sensors and those bound to the named runs, in projects of the user, with the user's role there."""
    return await tx.fetch(
        """
        select sensor.id, sensor.no, project.id as project_id, member.role, project.raw_policy
        from sensor
        join project on project.id = sensor.project_id
        join project_member member on member.project_id = project.id and member.user_id = $1
        where project.deleted_at is null and sensor.deleted_at is null
          and ($2::uuid is null or project.id = $2)
          and (
            sensor.id = any ($3::uuid[])
            or sensor.id in (select sensor_id from run_sensor where run_id = any ($4::uuid[]))
          )
        order by project.id, sensor.no
        """,
        user_id,
        only_project,
        sensors,
        runs,
    )


async def projects(tx: Tx, *, user_id: UUID, only_project: UUID | None, projects: Sequence[UUID]) -> list[UUID]:
    """Find those of the named projects that the user is a member of."""
    rows = await tx.fetch(
        """
        select project.id
        from project
        join project_member member on member.project_id = project.id and member.user_id = $1
        where project.deleted_at is null
          and ($2::uuid is null or project.id = $2)
          and project.id = any ($3::uuid[])
        """,
        user_id,
        only_project,
        projects,
    )
    return [row["id"] for row in rows]


async def runs(tx: Tx, *, user_id: UUID, only_project: UUID | None, runs: Sequence[UUID]) -> list[UUID]:
    """Find those of the named runs that are in projects of the user."""
    rows = await tx.fetch(
        """
        select run.id
        from run
        join experiment on experiment.id = run.experiment_id
        join project on project.id = experiment.project_id
        join project_member member on member.project_id = project.id and member.user_id = $1
        where project.deleted_at is null
          and ($2::uuid is null or project.id = $2)
          and run.id = any ($3::uuid[])
        """,
        user_id,
        only_project,
        runs,
    )
    return [row["id"] for row in rows]


async def growing_captures(tx: Tx, runs: Sequence[UUID], known: Sequence[UUID]) -> list[asyncpg.Record]:
    """List the captures of runs that may still grow, those that run first, and those that are `known` in any case."""
    return await tx.fetch(
        """
        select id, run_id, status
        from capture_session
        where (run_id = any ($1::uuid[]) and status in ('running', 'finished')) or id = any ($2::uuid[])
        order by status = 'running' desc, id
        """,
        runs,
        known,
    )


async def health(tx: Tx, projects: Sequence[UUID]) -> list[asyncpg.Record]:
    """Read of every sensor of projects its state by the database's clock, when it was heard, and its counts.

    What was lost or dropped is rare: it is looked up by its index, sensor by sensor.
    """
    return await tx.fetch(
        """
        select sensor.id, sensor.no, sensor.project_id, extract(epoch from heard.at)::float8 as last_heartbeat,
          sensor_state(heard.at, sensor.heartbeat_interval_s) as state,
          coalesce(counts.received, 0) as received, coalesce(counts.stored, 0) as stored,
          coalesce(counts.duplicates, 0) as duplicates, coalesce(counts.rejected, 0) as rejected,
          coalesce(counts.late, 0) as late, coalesce(counts.differing, 0) as differing,
          coalesce(counts.packets_sent, 0) as packets_sent, coalesce(counts.packets_seen, 0) as packets_seen,
          counts.unnumbered_at, lost.samples as lost, dropped.samples as dropped
        from sensor
        left join sensor_ledger counts on counts.sensor_no = sensor.no
        cross join lateral (
          select greatest(
            sensor.last_heartbeat,
            timestamptz 'epoch' + counts.last_received_at * interval '1 microsecond'
          ) as at
        ) heard
        cross join lateral (
          select coalesce(sum(samples), 0)::bigint as samples
          from stream_lost
          where sensor_no = sensor.no
        ) lost
        cross join lateral (
          select coalesce(sum(samples), 0)::bigint as samples
          from edge_dropped
          where sensor_no = sensor.no
        ) dropped
        where sensor.project_id = any ($1::uuid[]) and sensor.deleted_at is null
        """,
        projects,
    )
