"""SQL of what Prometheus reads."""

import asyncpg

from hub.kit.db import Tx


async def sample_counts(tx: Tx) -> list[asyncpg.Record]:
    """Read each sensor's booked counts, with the samples that were acknowledged and then lost, or dropped by agents."""
    return await tx.fetch(
        """
        select sensor.no, sensor.id, sensor.project_id,
          coalesce(counts.received, 0) as received,
          coalesce(counts.stored, 0) as stored,
          coalesce(counts.duplicates, 0) as duplicates,
          coalesce(counts.rejected, 0) as rejected,
          coalesce(counts.late, 0) as late,
          coalesce(counts.differing, 0) as differing,
          coalesce(counts.packets_sent, 0) as packets_sent,
          coalesce(counts.packets_sent - counts.packets_seen, 0) as packets_missing,
          coalesce(gone.samples, 0)::bigint as lost,
          coalesce(dropped.samples, 0)::bigint as dropped
        from sensor
        left join sensor_ledger counts on counts.sensor_no = sensor.no
        left join (
          select sensor_no, sum(samples) as samples
          from stream_lost
          group by sensor_no
        ) gone on gone.sensor_no = sensor.no
        left join (
          select sensor_no, sum(samples) as samples
          from edge_dropped
          group by sensor_no
        ) dropped on dropped.sensor_no = sensor.no
        order by sensor.no
        """
    )


async def sensor_states(tx: Tx) -> list[asyncpg.Record]:
    """Count the sensors of each project by state, by the database's clock."""
    return await tx.fetch(
        """
        select sensor.project_id, seen.state, count(*) as n
        from sensor
        join project on project.id = sensor.project_id
        left join sensor_ledger counts on counts.sensor_no = sensor.no
        cross join lateral (
          select greatest(
            sensor.last_heartbeat,
            timestamptz 'epoch' + counts.last_received_at * interval '1 microsecond'
          ) as at
        ) heard
        cross join lateral (select sensor_state(heard.at, sensor.heartbeat_interval_s) as state) seen
        where sensor.deleted_at is null and project.deleted_at is null
        group by sensor.project_id, seen.state
        """
    )


async def captures(tx: Tx) -> list[asyncpg.Record]:
    """Count the captures by status, with their lengths: how many last at most so long, and all together."""
    return await tx.fetch(
        """
        select capture.status, count(*) as n,
          coalesce(sum(length.s), 0)::float8 as total_s,
          count(*) filter (where length.s <= 10) as to_10_s,
          count(*) filter (where length.s <= 60) as to_60_s,
          count(*) filter (where length.s <= 600) as to_600_s,
          count(*) filter (where length.s <= 3600) as to_3600_s,
          count(*) filter (where length.s <= 86400) as to_86400_s,
          coalesce(max(length.s), 0)::float8 as longest_s
        from capture_session capture
        cross join lateral (
          select extract(epoch from coalesce(capture.stopped_at, statement_timestamp()) - capture.started_at) as s
        ) length
        group by capture.status
        """
    )


async def dead_entries(tx: Tx) -> int:
    """Count the entries that could not be stored and were set aside."""
    return await tx.fetchval("select count(*) from stream_dead")
