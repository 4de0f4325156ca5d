"""SQL of sensors."""

from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from hub.kit.db import Tx


async def project_of(tx: Tx, sensor_id: UUID) -> UUID | None:
    """Find the project of a sensor that is not deleted."""
    return await tx.fetchval(
        """
        select project_id
        from sensor
        where id = $1 and deleted_at is null
        """,
        sensor_id,
    )


async def insert(
    tx: Tx,
    *,
    sensor_id: UUID,
    project_id: UUID,
    name: str,
    type_: str,
    input_unit: str,
    display_unit: str,
    token_digest: bytes,
    token_sealed: bytes,
    broker_hash: str,
    token_expires_at: datetime | None,
    heartbeat_interval_s: float,
    calibration_notes: str,
    axis: dict[str, Any] | None,
    time_source: str,
    requests_per_s: float,
    requests_burst: int,
    samples_per_s: float,
) -> None:
    """Create a sensor."""
    await tx.execute(
        """
        insert into sensor
          (id, project_id, name, type, input_unit, display_unit, token_digest, token_sealed, broker_hash,
           token_expires_at, heartbeat_interval_s, calibration_notes, axis, time_source, requests_per_s,
           requests_burst, samples_per_s)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
        """,
        sensor_id,
        project_id,
        name,
        type_,
        input_unit,
        display_unit,
        token_digest,
        token_sealed,
        broker_hash,
        token_expires_at,
        heartbeat_interval_s,
        calibration_notes,
        axis,
        time_source,
        requests_per_s,
        requests_burst,
        samples_per_s,
    )


async def page(
    tx: Tx,
    *,
    user_id: UUID,
    sensor_id: UUID | None,
    project_id: UUID | None,
    type_: str | None,
    state: str | None,
    q: str | None,
    before_at: datetime,
    before_id: UUID,
    limit: int,
) -> list[asyncpg.Record]:
    """List the sensors that a user sees, with their states by the database's clock, the newest first."""
    return await tx.fetch(
        """
        select sensor.id, sensor.project_id, sensor.name, sensor.type, sensor.input_unit, sensor.display_unit,
          sensor.heartbeat_interval_s, sensor.calibration_notes, sensor.axis, sensor.agent_id, sensor.created_at,
          sensor.time_source, sensor.requests_per_s, sensor.requests_burst, sensor.samples_per_s,
          sensor.token_expires_at, heard.at as last_heartbeat, seen.state,
          counts.high_water, counts.last_raw, counts.last_physical,
          counts.last_status, counts.delay_us, least(counts.clock_low, counts.clock_low_before) as clock_low,
          member.role, project.raw_policy
        from project_member member
        join project on project.id = member.project_id
        join sensor on sensor.project_id = member.project_id and sensor.deleted_at is null
        left join sensor_ledger counts on counts.sensor_no = sensor.no
        cross join lateral (
          select greatest(
            sensor.last_heartbeat,
            timestamptz 'epoch' + counts.last_received_at * interval '1 microsecond'
          ) as at
        ) heard
        cross join lateral (select sensor_state(heard.at, sensor.heartbeat_interval_s) as state) seen
        where member.user_id = $1 and project.deleted_at is null
          and ($2::uuid is null or sensor.id = $2)
          and ($3::uuid is null or sensor.project_id = $3)
          and ($4::text is null or sensor.type = $4)
          and ($5::text is null or seen.state = $5)
          and ($6::text is null or position(lower($6) in lower(sensor.name)) > 0)
          and (sensor.created_at, sensor.id) < ($7, $8)
        order by sensor.created_at desc, sensor.id desc
        limit $9
        """,
        user_id,
        sensor_id,
        project_id,
        type_,
        state,
        q,
        before_at,
        before_id,
        limit,
    )


async def update(
    tx: Tx,
    *,
    sensor_id: UUID,
    name: str | None,
    type_: str | None,
    input_unit: str | None,
    display_unit: str | None,
    heartbeat_interval_s: float | None,
    calibration_notes: str | None,
    time_source: str | None,
    requests_per_s: float | None,
    requests_burst: int | None,
    samples_per_s: float | None,
) -> None:
    """Change what describes a sensor, where it is given."""
    await tx.execute(
        """
        update sensor
        set name = coalesce($2, name), type = coalesce($3, type), input_unit = coalesce($4, input_unit),
          display_unit = coalesce($5, display_unit), heartbeat_interval_s = coalesce($6, heartbeat_interval_s),
          calibration_notes = coalesce($7, calibration_notes), time_source = coalesce($8, time_source),
          requests_per_s = coalesce($9, requests_per_s), requests_burst = coalesce($10, requests_burst),
          samples_per_s = coalesce($11, samples_per_s)
        where id = $1
        """,
        sensor_id,
        name,
        type_,
        input_unit,
        display_unit,
        heartbeat_interval_s,
        calibration_notes,
        time_source,
        requests_per_s,
        requests_burst,
        samples_per_s,
    )


async def set_expiry(tx: Tx, *, sensor_id: UUID, expires_at: datetime | None) -> None:
    """Set when a sensor's token ends; None: when it is rotated."""
    await tx.execute(
        """
        update sensor
        set token_expires_at = $2
        where id = $1
        """,
        sensor_id,
        expires_at,
    )


async def assign(tx: Tx, *, sensor_id: UUID, project_id: UUID, agent_id: UUID | None) -> bool:
    """Assign the sensor to an edge agent of its project, or to none; False when there is no such agent.

    The agent is locked before the sensor, as its deletion locks them.
    """
    return await tx.fetchval(
        """
        with assigned as (
          update sensor
          set agent_id = $3
          where id = $1
            and (
              $3::uuid is null
              or exists (select from edge_agent where id = $3 and project_id = $2 for key share)
            )
          returning 1
        )
        select exists (select from assigned)
        """,
        sensor_id,
        project_id,
        agent_id,
    )


async def lock(tx: Tx, sensor_id: UUID) -> str | None:
    """Lock a sensor against being bound or deleted meanwhile; returns its name."""
    return await tx.fetchval(
        """
        select name
        from sensor
        where id = $1 and deleted_at is null
        for update
        """,
        sensor_id,
    )


async def delete(tx: Tx, sensor_id: UUID) -> None:
    """Delete softly: captures keep the sensor's data, and what was acknowledged for it is still stored."""
    await tx.execute(
        """
        update sensor
        set deleted_at = clock_timestamp()
        where id = $1
        """,
        sensor_id,
    )


async def lock_bindable(tx: Tx, *, sensor_ids: list[UUID], project_id: UUID) -> list[asyncpg.Record]:
    """Lock those of the sensors that exist in the project, so that none is deleted before this transaction ends."""
    return await tx.fetch(
        """
        select id, no
        from sensor
        where id = any($1::uuid[]) and project_id = $2 and deleted_at is null
        order by id
        for key share
        """,
        sensor_ids,
        project_id,
    )


async def heartbeat(tx: Tx, sensor_id: UUID) -> None:
    """Note a sign of life at the database's time."""
    await tx.execute(
        """
        update sensor
        set last_heartbeat = clock_timestamp()
        where id = $1
        """,
        sensor_id,
    )
