"""SQL of channels and the editors' decisions about them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from hub.kit.db import Tx


async def versions(tx: Tx) -> list[asyncpg.Record]:
    """List the sources with the numbers that move when their channels change."""
    return await tx.fetch("select id, version from channel_source")


async def of_sources(tx: Tx, source_ids: Sequence[UUID]) -> list[asyncpg.Record]:
    """List the channels of some sources; one whose sensor is deleted waits for a decision again."""
    return await tx.fetch(
        """
        select channel.source_id, channel.format, channel.name, channel.unit,
          case when sensor.deleted_at is null then channel.state else 'proposed' end as state,
          case when sensor.deleted_at is null then channel.sensor_id end as sensor_id
        from channel
        left join sensor on sensor.id = channel.sensor_id
        where channel.source_id = any($1::uuid[])
        """,
        source_ids,
    )


async def project_of(tx: Tx, channel_id: UUID) -> UUID | None:
    """Find the project of a channel."""
    return await tx.fetchval(
        """
        select source.project_id
        from channel
        join channel_source source on source.id = channel.source_id
        where channel.id = $1
        """,
        channel_id,
    )


async def page(
    tx: Tx,
    *,
    project_id: UUID,
    channel_id: UUID | None,
    state: str | None,
    before_at: datetime,
    before_id: UUID,
    limit: int,
) -> list[asyncpg.Record]:
    """List a project's channels, the newest first."""
    return await tx.fetch(
        """
        select channel.id, source.project_id, channel.source_id,
          case when source.agent_id is null then 'sensor' else 'agent' end as source_kind,
          coalesce(agent.name, sender.name) as source_name,
          channel.format, channel.name, channel.unit, channel.state, channel.sensor_id, channel.first_seen,
          channel.last_seen, channel.samples, channel.expired, channel.last_raw, held.samples as held
        from channel
        join channel_source source on source.id = channel.source_id
        left join edge_agent agent on agent.id = source.agent_id
        left join sensor sender on sender.id = source.sensor_id
        cross join lateral (
          select coalesce(sum(samples), 0)::bigint as samples
          from channel_held
          where channel_id = channel.id
        ) held
        where source.project_id = $1
          and ($2::uuid is null or channel.id = $2)
          and ($3::text is null or channel.state = $3)
          and (channel.first_seen, channel.id) < ($4, $5)
        order by channel.first_seen desc, channel.id desc
        limit $6
        """,
        project_id,
        channel_id,
        state,
        before_at,
        before_id,
        limit,
    )


async def lock_agent(tx: Tx, channel_id: UUID) -> asyncpg.Record | None:
    """Keep the edge agent that a channel comes by from being deleted, before its channels are locked."""
    return await tx.fetchrow(
        """
        select agent.id, agent.is_default
        from channel
        join channel_source source on source.id = channel.source_id
        join edge_agent agent on agent.id = source.agent_id
        where channel.id = $1
        for key share of agent
        """,
        channel_id,
    )


async def lock_source(tx: Tx, channel_id: UUID) -> None:
    """Lock a channel's source: nobody else changes its channels meanwhile."""
    await tx.execute(
        """
        select id
        from channel_source
        where id = (select source_id from channel where id = $1)
        for no key update
        """,
        channel_id,
    )


async def decided(tx: Tx, channel_id: UUID) -> asyncpg.Record | None:
    """Read what was decided about a channel; one whose sensor is deleted waits for a decision again."""
    return await tx.fetchrow(
        """
        select channel.format, channel.name, channel.unit,
          case when sensor.deleted_at is null then channel.state else 'proposed' end as state,
          sensor.name as sensor_name
        from channel
        left join sensor on sensor.id = channel.sensor_id
        where channel.id = $1
        """,
        channel_id,
    )


async def decide(tx: Tx, *, channel_id: UUID, state: str, sensor_id: UUID | None) -> None:
    """Write down what a channel is, for every process to see."""
    await tx.execute(
        """
        with decided as (
          update channel
          set state = $2, sensor_id = $3
          where id = $1
          returning source_id
        )
        update channel_source
        set version = version + 1
        where id = (select source_id from decided)
        """,
        channel_id,
        state,
        sensor_id,
    )
