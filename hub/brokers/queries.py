"""SQL of the accounts of a broker."""

from uuid import UUID

import asyncpg

from hub.kit.db import Tx


async def registry_version(tx: Tx) -> int:
    """Read the number that moves with every change of a device."""
    return await tx.fetchval(
        """
        select version
        from registry_version
        """
    )


async def accounts(tx: Tx) -> list[asyncpg.Record]:
    """List sensors and edge agents of living projects with the hashes of their tokens."""
    return await tx.fetch(
        """
        select device.kind, device.id, device.project_id, device.agent_id, device.is_default as default,
          device.broker_hash as hash, device.old_broker_hash as old_hash, device.old_token_until as old_until,
          device.token_expires_at as expires_at
        from (
          select 'sensor' as kind, id, project_id, agent_id, false as is_default, broker_hash, old_broker_hash,
            old_token_until, token_expires_at
          from sensor
          where deleted_at is null
          union all
          select 'agent', id, project_id, null, is_default, broker_hash, old_broker_hash, old_token_until, null
          from edge_agent
        ) device
        join project on project.id = device.project_id
        where project.deleted_at is null
        order by device.kind, device.id
        """
    )


async def unhashed_sensors(tx: Tx) -> list[asyncpg.Record]:
    """List sensors whose token was never hashed for a broker, with the sealed token."""
    return await tx.fetch(
        """
        select id, token_digest, token_sealed
        from sensor
        where broker_hash is null and deleted_at is null
        limit 1000
        """
    )


async def add_hash(tx: Tx, *, sensor_id: UUID, digest: bytes, broker_hash: str) -> None:
    """Note the hash of a sensor's token, unless it was rotated meanwhile."""
    await tx.execute(
        """
        update sensor
        set broker_hash = $3
        where id = $1 and token_digest = $2 and broker_hash is null
        """,
        sensor_id,
        digest,
        broker_hash,
    )
