"""SQL of the samples that wait for an editor's decision."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from hub.kit.db import Tx


async def open_source(tx: Tx, device_id: UUID) -> None:
    """Create the source of a device that sends a channel for the first time."""
    await tx.execute(
        """
        insert into channel_source (id, project_id, agent_id, sensor_id)
        select id, project_id, id, null from edge_agent where id = $1
        union all
        select id, project_id, null, id from sensor where id = $1
        on conflict do nothing
        """,
        device_id,
    )


async def lock_source(tx: Tx, device_id: UUID) -> asyncpg.Record | None:
    """Lock a source, so that its channels are changed one request after the other."""
    return await tx.fetchrow(
        """
        select id, held_bytes
        from channel_source
        where id = $1
        for no key update
        """,
        device_id,
    )


async def channels(tx: Tx, source_id: UUID, digests: Sequence[bytes]) -> list[asyncpg.Record]:
    """Read some channels of a source; `covered` tells whether it may send for the sensor that a channel is."""
    return await tx.fetch(
        """
        select channel.id, channel.digest, channel.state, channel.sensor_id,
          sensor.deleted_at is null
            and (agent.id is null or sensor.agent_id = agent.id or (sensor.agent_id is null and agent.is_default))
            as covered
        from channel
        join channel_source source on source.id = channel.source_id
        left join edge_agent agent on agent.id = source.agent_id
        left join sensor on sensor.id = channel.sensor_id
        where channel.source_id = $1 and channel.digest = any($2::bytea[])
        """,
        source_id,
        digests,
    )


async def open_channels(tx: Tx, source_id: UUID) -> int:
    """Count the channels of a source that are no sensors."""
    return await tx.fetchval(
        """
        select count(*)
        from channel
        where source_id = $1 and state <> 'bound'
        """,
        source_id,
    )


async def has_any(tx: Tx, source_id: UUID, format_: str) -> bool:
    """Tell whether a source has sent anything in a format before."""
    return await tx.fetchval(
        """
        select exists (
          select from channel where source_id = $1 and format = $2
        )
        """,
        source_id,
        format_,
    )


async def propose(
    tx: Tx, source_id: UUID, *, format_: str, digests: Sequence[bytes], names: Sequence[str], units: Sequence[str]
) -> list[asyncpg.Record]:
    """Create channels that wait for a decision."""
    return await tx.fetch(
        """
        insert into channel (source_id, digest, format, name, unit, state)
        select $1, digest, $3, name, unit, 'proposed'
        from unnest($2::bytea[], $4::text[], $5::text[]) as new (digest, name, unit)
        returning id, digest
        """,
        source_id,
        digests,
        format_,
        names,
        units,
    )


async def bind_to_itself(tx: Tx, source_id: UUID, *, digest: bytes, format_: str, name: str, unit: str) -> None:
    """Create a channel that is the very sensor whose token it comes by."""
    await tx.execute(
        """
        insert into channel (source_id, digest, format, name, unit, state, sensor_id)
        values ($1, $2, $3, $4, $5, 'bound', $1)
        """,
        source_id,
        digest,
        format_,
        name,
        unit,
    )


async def reopen(tx: Tx, channel_ids: Sequence[UUID]) -> None:
    """Let channels wait for a decision again whose sensor is not there any more, or not the source's."""
    await tx.execute(
        """
        update channel
        set state = 'proposed', sensor_id = null
        where id = any($1::uuid[])
        """,
        channel_ids,
    )


async def hold(
    tx: Tx,
    source_id: UUID,
    *,
    channel_ids: Sequence[UUID],
    samples: Sequence[int],
    sizes: Sequence[int],
    t_us: Sequence[bytes],
    raw: Sequence[bytes],
) -> None:
    """Keep samples of channels that wait for a decision."""
    await tx.execute(
        """
        insert into channel_held (source_id, channel_id, samples, bytes, t_us, raw)
        select $1, channel_id, samples, bytes, t_us, raw
        from unnest($2::uuid[], $3::int[], $4::int[], $5::bytea[], $6::bytea[])
          as new (channel_id, samples, bytes, t_us, raw)
        """,
        source_id,
        channel_ids,
        samples,
        sizes,
        t_us,
        raw,
    )


async def note_arrivals(
    tx: Tx, channel_ids: Sequence[UUID], samples: Sequence[int], last_raw: Sequence[float | None]
) -> None:
    """Count what came of channels, with each one's newest value."""
    await tx.execute(
        """
        update channel
        set samples = channel.samples + new.samples, last_raw = coalesce(new.last_raw, channel.last_raw),
          last_seen = clock_timestamp()
        from unnest($1::uuid[], $2::bigint[], $3::float8[]) as new (channel_id, samples, last_raw)
        where channel.id = new.channel_id
        """,
        channel_ids,
        samples,
        last_raw,
    )


async def book(tx: Tx, source_id: UUID, *, held_bytes: int, changed: bool) -> None:
    """Book bytes that a source holds more; `changed` lets every process see that channels came or went."""
    await tx.execute(
        """
        update channel_source
        set held_bytes = held_bytes + $2, version = version + case when $3 then 1 else 0 end
        where id = $1
        """,
        source_id,
        held_bytes,
        changed,
    )


async def note_full(tx: Tx, source_id: UUID) -> asyncpg.Record | None:
    """Note, once an hour, that a source sends more channels than anybody can decide about; None within the hour."""
    return await tx.fetchrow(
        """
        update channel_source
        set full_noted_at = now()
        where id = $1 and coalesce(full_noted_at, '-infinity') < now() - interval '1 hour'
        returning project_id
        """,
        source_id,
    )


async def drop_oldest(tx: Tx, source_id: UUID, keep_bytes: int) -> None:
    """Let go of a source's oldest samples, beyond so many bytes; what is just being released stays."""
    await tx.execute(
        """
        with old as (
          select id
          from (
            select id, sum(bytes) over (order by id desc) as newer
            from channel_held
            where source_id = $1
          ) held
          where newer > $2
        ), gone as (
          delete from channel_held
          where id in (select id from channel_held where id in (select id from old) for update skip locked)
          returning channel_id, samples, bytes
        ), counted as (
          update channel
          set expired = channel.expired + lost.samples
          from (select channel_id, sum(samples) as samples from gone group by channel_id) lost
          where channel.id = lost.channel_id
        )
        update channel_source
        set held_bytes = held_bytes - (select coalesce(sum(bytes), 0) from gone)
        where id = $1
        """,
        source_id,
        keep_bytes,
    )


async def drop_of_channel(tx: Tx, channel_id: UUID) -> None:
    """Let go of everything that waits of a channel; what is just being released stays."""
    await tx.execute(
        """
        with gone as (
          delete from channel_held
          where id in (select id from channel_held where channel_id = $1 for update skip locked)
          returning source_id, bytes
        )
        update channel_source
        set held_bytes = held_bytes - freed.bytes
        from (select source_id, sum(bytes) as bytes from gone group by source_id) freed
        where channel_source.id = freed.source_id
        """,
        channel_id,
    )


async def lock_decided(tx: Tx, limit: int) -> list[asyncpg.Record]:
    """Lock samples whose channel is a sensor now, the oldest first; another process takes others."""
    return await tx.fetch(
        """
        select held.id, held.source_id, held.t_us, held.raw, channel.sensor_id
        from channel_held held
        join channel on channel.id = held.channel_id
        join sensor on sensor.id = channel.sensor_id
        join project on project.id = sensor.project_id
        where channel.state = 'bound' and sensor.deleted_at is null and project.deleted_at is null
        order by held.id
        limit $1
        for update of held skip locked
        """,
        limit,
    )


async def drop_released(tx: Tx, held_ids: Sequence[int]) -> None:
    """Let go of samples that are in the stream."""
    await tx.execute(
        """
        with gone as (
          delete from channel_held
          where id = any($1::bigint[])
          returning source_id, bytes
        )
        update channel_source
        set held_bytes = held_bytes - freed.bytes
        from (select source_id, sum(bytes) as bytes from gone group by source_id) freed
        where channel_source.id = freed.source_id
        """,
        held_ids,
    )


async def drop_expired(tx: Tx, hours: int, limit: int) -> int:
    """Let go of samples that waited so long in vain, at most so many rows; returns how many."""
    return await tx.fetchval(
        """
        with gone as (
          delete from channel_held
          where id in (
            select held.id
            from channel_held held
            join channel on channel.id = held.channel_id
            left join sensor on sensor.id = channel.sensor_id
            where held.held_at < now() - make_interval(hours => $1)
              and (channel.state <> 'bound' or sensor.deleted_at is not null)
            order by held.held_at
            limit $2
            for update of held skip locked
          )
          returning source_id, channel_id, samples, bytes
        ), counted as (
          update channel
          set expired = channel.expired + lost.samples
          from (select channel_id, sum(samples) as samples from gone group by channel_id) lost
          where channel.id = lost.channel_id
        ), booked as (
          update channel_source
          set held_bytes = held_bytes - freed.bytes
          from (select source_id, sum(bytes) as bytes from gone group by source_id) freed
          where channel_source.id = freed.source_id
        )
        select count(*) from gone
        """,
        hours,
        limit,
    )


async def drop_silent(tx: Tx, days: int) -> None:
    """Forget proposals of which nothing came for so long, so that there is room for others."""
    await tx.execute(
        """
        with gone as (
          delete from channel
          where state = 'proposed' and last_seen < now() - make_interval(days => $1)
          returning source_id
        )
        update channel_source
        set version = version + 1
        where id in (select source_id from gone)
        """,
        days,
    )
