"""SQL of runs."""

from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from hub.kit.db import Tx


async def project_of(tx: Tx, run_id: UUID) -> UUID | None:
    """Find the project of a run."""
    return await tx.fetchval(
        """
        select experiment.project_id
        from run
        join experiment on experiment.id = run.experiment_id
        where run.id = $1
        """,
        run_id,
    )


async def experiment_of(tx: Tx, run_id: UUID) -> UUID | None:
    """Find the experiment of a run."""
    return await tx.fetchval(
        """
        select experiment_id
        from run
        where id = $1
        """,
        run_id,
    )


async def insert(
    tx: Tx,
    *,
    experiment_id: UUID,
    name: str,
    params: dict[str, Any],
    config: dict[str, Any],
    git_sha: str | None,
    environment: dict[str, Any],
) -> UUID:
    """Create a draft with the experiment's next number; the experiment must be locked."""
    return await tx.fetchval(
        """
        insert into run (experiment_id, number, name, params, config, git_sha, environment)
        select $1, coalesce(max(number), 0) + 1, $2, $3, $4, $5, $6
        from run
        where experiment_id = $1
        returning id
        """,
        experiment_id,
        name,
        params,
        config,
        git_sha,
        environment,
    )


async def find(tx: Tx, run_ids: list[UUID]) -> list[asyncpg.Record]:
    """Read runs in the order of their numbers."""
    return await tx.fetch(
        """
        select run.id, run.experiment_id, experiment.project_id, run.number, run.name, run.params, run.config,
          run.git_sha, run.environment, run.status, run.started_at, run.finished_at,
          extract(epoch from run.finished_at - run.started_at)::float8 as duration_s, run.created_at,
          (
            select coalesce(jsonb_agg(jsonb_build_object('sensor_id', sensor_id, 'mode', mode) order by place), '[]')
            from run_sensor
            where run_id = run.id
          ) as sensors
        from run
        join experiment on experiment.id = run.experiment_id
        where run.id = any($1::uuid[])
        order by run.experiment_id, run.number
        """,
        run_ids,
    )


async def page(
    tx: Tx, *, experiment_id: UUID, status: str | None, before_at: datetime, before_id: UUID, limit: int
) -> list[asyncpg.Record]:
    """List an experiment's runs, the newest first, after the given position."""
    return await tx.fetch(
        """
        select run.id, run.experiment_id, experiment.project_id, run.number, run.name, run.params, run.config,
          run.git_sha, run.environment, run.status, run.started_at, run.finished_at,
          extract(epoch from run.finished_at - run.started_at)::float8 as duration_s, run.created_at,
          (
            select coalesce(jsonb_agg(jsonb_build_object('sensor_id', sensor_id, 'mode', mode) order by place), '[]')
            from run_sensor
            where run_id = run.id
          ) as sensors
        from run
        join experiment on experiment.id = run.experiment_id
        where run.experiment_id = $1
          and ($2::text is null or run.status = $2)
          and (run.created_at, run.id) < ($3, $4)
        order by run.created_at desc, run.id desc
        limit $5
        """,
        experiment_id,
        status,
        before_at,
        before_id,
        limit,
    )


async def lock(tx: Tx, run_id: UUID) -> asyncpg.Record | None:
    """Lock a run, so that its state and its captures change one after the other."""
    return await tx.fetchrow(
        """
        select id, experiment_id, number, status
        from run
        where id = $1
        for no key update
        """,
        run_id,
    )


async def update(
    tx: Tx,
    *,
    run_id: UUID,
    name: str | None,
    params: dict[str, Any] | None,
    config: dict[str, Any] | None,
    git_sha: str | None,
    environment: dict[str, Any] | None,
) -> None:
    """Change the fields that are given."""
    await tx.execute(
        """
        update run
        set name = coalesce($2, name), params = coalesce($3, params), config = coalesce($4, config),
          git_sha = coalesce($5, git_sha), environment = coalesce($6, environment)
        where id = $1
        """,
        run_id,
        name,
        params,
        config,
        git_sha,
        environment,
    )


async def set_status(tx: Tx, run_id: UUID, status: str, *, starts: bool, ends: bool) -> None:
    """Move a run to a state, noting the database's time when it starts or ends."""
    await tx.execute(
        """
        update run
        set status = $2,
          started_at = case when $3 then clock_timestamp() else started_at end,
          finished_at = case when $4 then greatest(clock_timestamp(), started_at) else finished_at end
        where id = $1
        """,
        run_id,
        status,
        starts,
        ends,
    )


async def unbind_all(tx: Tx, run_id: UUID) -> None:
    """Take every sensor from a run."""
    await tx.execute(
        """
        delete from run_sensor
        where run_id = $1
        """,
        run_id,
    )


async def bind(tx: Tx, *, run_id: UUID, sensor_ids: list[UUID], modes: list[str]) -> None:
    """Bind sensors to a run in the given order."""
    await tx.execute(
        """
        insert into run_sensor (run_id, sensor_id, mode, place)
        select $1, bound.sensor_id, bound.mode, bound.place
        from unnest($2::uuid[], $3::text[]) with ordinality as bound (sensor_id, mode, place)
        """,
        run_id,
        sensor_ids,
        modes,
    )


async def unfinished_with_sensor(tx: Tx, sensor_id: UUID) -> list[asyncpg.Record]:
    """List the runs that are not over and to which a sensor is bound."""
    return await tx.fetch(
        """
        select run.number, run.status, experiment.name as experiment
        from run_sensor bound
        join run on run.id = bound.run_id
        join experiment on experiment.id = run.experiment_id
        where bound.sensor_id = $1 and run.status in ('draft', 'scheduled', 'running')
        order by experiment.name, run.number
        """,
        sensor_id,
    )


async def with_status(tx: Tx, experiment_id: UUID, statuses: list[str]) -> list[asyncpg.Record]:
    """List an experiment's runs in some states."""
    return await tx.fetch(
        """
        select number, status
        from run
        where experiment_id = $1 and status = any($2::text[])
        order by number
        """,
        experiment_id,
        statuses,
    )
