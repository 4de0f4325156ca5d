"""SQL of the tokens of sensors and edge agents."""

from datetime import datetime
from uuid import UUID

import asyncpg

from hub.kit.db import Tx


async def known(tx: Tx, digest: bytes) -> bool:
    """Tell whether a sensor, deleted ones included, or an edge agent has this token, or had it before its last one."""
    return await tx.fetchval(
        """
        select exists (select from sensor where token_digest = $1 or old_token_digest = $1)
          or exists (select from edge_agent where token_digest = $1 or old_token_digest = $1)
        """,
        digest,
    )


async def device_by_token(tx: Tx, digest: bytes, now: datetime) -> asyncpg.Record | None:
    """Find the sensor or edge agent that has a token, or had it before its last one; `ended` by `now` tells whether."""
    return await tx.fetchrow(
        """
        select device.kind, device.id, device.project_id, device.name, device.agent_id, device.is_default as default,
          coalesce(device.until <= $2, false) as ended
        from (
          select 'sensor' as kind, id, project_id, name, agent_id, false as is_default,
            case when token_digest = $1 then token_expires_at else old_token_until end as until
          from sensor
          where (token_digest = $1 or old_token_digest = $1) and deleted_at is null
          union all
          select 'agent', id, project_id, name, null, is_default,
            case when token_digest = $1 then null else old_token_until end
          from edge_agent
          where token_digest = $1 or old_token_digest = $1
        ) device
        join project on project.id = device.project_id
        where project.deleted_at is null
        """,
        digest,
        now,
    )


async def sealed_of_sensor(tx: Tx, sensor_id: UUID) -> bytes | None:
    """Read the sealed token of a sensor that is not deleted."""
    return await tx.fetchval(
        """
        select token_sealed
        from sensor
        where id = $1 and deleted_at is null
        """,
        sensor_id,
    )


async def rotate_of_sensor(
    tx: Tx,
    *,
    sensor_id: UUID,
    digest: bytes,
    sealed: bytes,
    broker_hash: str,
    expires_at: datetime | None,
    old_token_until: datetime | None,
) -> asyncpg.Record | None:
    """Give a sensor another token; the one before is good until then or its own end, older ones no more.

    Returns that time; None: no such sensor.
    """
    return await tx.fetchrow(
        """
        update sensor
        set token_digest = $2, token_sealed = $3, broker_hash = $4, token_expires_at = $5,
          old_token_digest = case when $6::timestamptz is not null then token_digest end,
          old_broker_hash = case when $6::timestamptz is not null then broker_hash end,
          old_token_until = case when $6::timestamptz is not null then least($6, token_expires_at) end
        where id = $1 and deleted_at is null
        returning old_token_until
        """,
        sensor_id,
        digest,
        sealed,
        broker_hash,
        expires_at,
        old_token_until,
    )


async def rotate_of_agent(
    tx: Tx, *, agent_id: UUID, digest: bytes, broker_hash: str, old_token_until: datetime | None
) -> bool:
    """Give an edge agent another token; the one before is good until then, older ones no more. False: no such agent."""
    return (
        await tx.fetchval(
            """
            update edge_agent
            set token_digest = $2, broker_hash = $3,
              old_token_digest = case when $4::timestamptz is not null then token_digest end,
              old_broker_hash = case when $4::timestamptz is not null then broker_hash end, old_token_until = $4
            where id = $1
            returning true
            """,
            agent_id,
            digest,
            broker_hash,
            old_token_until,
        )
        is not None
    )


async def any_sealed(tx: Tx) -> asyncpg.Record | None:
    """Read any sensor's sealed token."""
    return await tx.fetchrow(
        """
        select id, token_sealed
        from sensor
        limit 1
        """
    )
