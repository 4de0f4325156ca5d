"""SQL of edge agents."""

from uuid import UUID

import asyncpg

from hub.kit.db import Tx


async def project_of(tx: Tx, agent_id: UUID) -> UUID | None:
    """Find the project of an edge agent."""
    return await tx.fetchval(
        """
        select project_id
        from edge_agent
        where id = $1
        """,
        agent_id,
    )


async def insert(
    tx: Tx,
    *,
    project_id: UUID,
    name: str,
    token_digest: bytes,
    broker_hash: str,
    is_default: bool,
    samples_per_s: float,
) -> UUID:
    """Create an edge agent."""
    return await tx.fetchval(
        """
        insert into edge_agent (project_id, name, token_digest, broker_hash, is_default, samples_per_s)
        values ($1, $2, $3, $4, $5, $6)
        returning id
        """,
        project_id,
        name,
        token_digest,
        broker_hash,
        is_default,
        samples_per_s,
    )


async def find(tx: Tx, agent_id: UUID) -> asyncpg.Record | None:
    """Read an edge agent."""
    return await tx.fetchrow(
        """
        select id, project_id, name, is_default as default, samples_per_s, created_at
        from edge_agent
        where id = $1
        """,
        agent_id,
    )


async def lock(tx: Tx, agent_id: UUID) -> asyncpg.Record | None:
    """Lock an edge agent and read what may be changed of it."""
    return await tx.fetchrow(
        """
        select name, is_default as default, samples_per_s
        from edge_agent
        where id = $1
        for no key update
        """,
        agent_id,
    )


async def of_project(tx: Tx, project_id: UUID) -> list[asyncpg.Record]:
    """List the edge agents of a project by name."""
    return await tx.fetch(
        """
        select id, project_id, name, is_default as default, samples_per_s, created_at
        from edge_agent
        where project_id = $1
        order by name
        """,
        project_id,
    )


async def update(
    tx: Tx, *, agent_id: UUID, name: str | None, is_default: bool | None, samples_per_s: float | None
) -> None:
    """Change the fields that are given."""
    await tx.execute(
        """
        update edge_agent
        set name = coalesce($2, name), is_default = coalesce($3, is_default),
          samples_per_s = coalesce($4, samples_per_s)
        where id = $1
        """,
        agent_id,
        name,
        is_default,
        samples_per_s,
    )


async def delete(tx: Tx, agent_id: UUID) -> None:
    """Delete an edge agent; its sensors are then assigned to nobody."""
    await tx.execute(
        """
        delete from edge_agent
        where id = $1
        """,
        agent_id,
    )


async def sensors_of(tx: Tx, agent_id: UUID) -> list[asyncpg.Record]:
    """List the sensors for which an edge agent speaks."""
    return await tx.fetch(
        """
        select sensor.id, sensor.name, sensor.time_source
        from edge_agent agent
        join sensor on sensor.project_id = agent.project_id and sensor.deleted_at is null
          and (sensor.agent_id = agent.id or (sensor.agent_id is null and agent.is_default))
        where agent.id = $1
        order by sensor.id
        """,
        agent_id,
    )


async def speaks_for(tx: Tx, agent_id: UUID, sensor_id: UUID) -> bool:
    """Tell whether an edge agent speaks for a sensor."""
    return await tx.fetchval(
        """
        select exists (
          select from edge_agent agent
          join sensor on sensor.project_id = agent.project_id and sensor.deleted_at is null
            and (sensor.agent_id = agent.id or (sensor.agent_id is null and agent.is_default))
          where agent.id = $1 and sensor.id = $2
        )
        """,
        agent_id,
        sensor_id,
    )
