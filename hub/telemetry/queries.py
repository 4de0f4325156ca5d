"""SQL of the registry, the stream's position and the ledger of samples."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from hub.kit.db import Tx


async def bound_transactions(tx: Tx) -> None:
    """End transactions of this connection that last longer than 20 s; PostgreSQL 17 and newer."""
    # A writer that stands still inside a COPY is not idle to the server, and holds the shard for all this time.
    await tx.execute("set transaction_timeout = '20s'")


async def position(tx: Tx, shard: int) -> asyncpg.Record | None:
    """Read a shard's position."""
    return await tx.fetchrow(
        """
        select run_id, last_id
        from stream_shard
        where shard = $1
        """,
        shard,
    )


async def lives(tx: Tx, shard: int) -> list[asyncpg.Record]:
    """List up to where each life of the shard's server was stored."""
    return await tx.fetch(
        """
        select run_id, last_id
        from stream_life
        where shard = $1
        """,
        shard,
    )


async def move_position(tx: Tx, shard: int, *, old_run: str, old_id: str, new_run: str, new_id: str) -> bool:
    """Move a shard's position and lock its row; False when another writer was faster."""
    status = await tx.execute(
        """
        update stream_shard
        set run_id = $4, last_id = $5
        where shard = $1 and run_id = $2 and last_id = $3
        """,
        shard,
        old_run,
        old_id,
        new_run,
        new_id,
    )
    return status == "UPDATE 1"


async def note_life(tx: Tx, shard: int, run_id: str, last_id: str) -> None:
    """Note up to where a life's entries are stored."""
    await tx.execute(
        """
        insert into stream_life (shard, run_id, last_id)
        values ($1, $2, $3)
        on conflict (shard, run_id) do update set last_id = excluded.last_id, updated_at = now()
        """,
        shard,
        run_id,
        last_id,
    )


async def high_water(tx: Tx) -> list[asyncpg.Record]:
    """List each sensor's newest stored t (µs)."""
    return await tx.fetch(
        """
        select sensor_no, high_water
        from sensor_ledger
        where high_water is not null
        """
    )


async def overlapping(
    tx: Tx, sensors: Sequence[int], first: Sequence[int], last: Sequence[int], span_us: int
) -> list[asyncpg.Record]:
    """Read the chunks, recent and sealed, that overlap the spans; no chunk is longer than `span_us`."""
    return await tx.fetch(
        """
        select chunk.sensor_no, chunk.first_t, chunk.n,
          array_send(chunk.t_offset) as t_offset, array_send(chunk.raw) as raw, array_send(chunk.identity) as identity,
          false as sealed
        from unnest($1::int[], $2::bigint[], $3::bigint[]) as span (sensor_no, first_t, last_t)
        join telemetry_recent chunk
          on chunk.sensor_no = span.sensor_no
          and chunk.first_t between span.first_t - $4::bigint and span.last_t
          and chunk.last_t >= span.first_t
        union all
        select chunk.sensor_no, chunk.first_t, chunk.n,
          array_send(chunk.t_delta), array_send(chunk.raw), array_send(chunk.identity), true
        from unnest($1::int[], $2::bigint[], $3::bigint[]) as span (sensor_no, first_t, last_t)
        join telemetry_captured chunk
          on chunk.sensor_no = span.sensor_no
          and chunk.first_t between span.first_t - $4::bigint and span.last_t
          and chunk.last_t >= span.first_t
        """,
        sensors,
        first,
        last,
        span_us,
    )


async def ensure_days(tx: Tx, days: Sequence[int]) -> None:
    """Make the partitions of the given days (days since 1970)."""
    await tx.execute(
        """
        select ensure_telemetry_day(day)
        from unnest($1::bigint[]) day
        """,
        days,
    )


async def book(
    tx: Tx,
    *,
    sensors: Sequence[int],
    received: Sequence[int],
    stored: Sequence[int],
    duplicates: Sequence[int],
    rejected: Sequence[int],
    late: Sequence[int],
    differing: Sequence[int],
    high_water: Sequence[int | None],
    last_raw: Sequence[float | None],
    last_physical: Sequence[float | None],
    last_status: Sequence[int | None],
    accepted_at: Sequence[int | None],
    delay: Sequence[int | None],
    packets_sent: Sequence[int],
    packets_seen: Sequence[int],
    unnumbered_at: Sequence[int | None],
) -> None:
    """Add to the sensors' counts; a newer high_water brings its last values with it, accepted_at is a sign of life.

    A packet that is the newest also tells of the device's clock: what it is off by is the least delay of five minutes
    and of the five before. Delays that fall from packet to packet are those of a buffer that empties.
    """
    await tx.execute(
        """
        insert into sensor_ledger as ledger (
          sensor_no, received, stored, duplicates, rejected, late, differing,
          high_water, last_raw, last_physical, last_status, last_received_at, delay_us, packets_sent,
          packets_seen, unnumbered_at, clock_low, clock_since
        )
        select counts.*, counts.delay_us, counts.accepted_at
        from unnest(
          $1::int[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[],
          $8::bigint[], $9::float8[], $10::float8[], $11::smallint[], $12::bigint[], $13::bigint[], $14::bigint[],
          $15::bigint[], $16::bigint[]
        ) as counts (
          sensor_no, received, stored, duplicates, rejected, late, differing,
          high_water, last_raw, last_physical, last_status, accepted_at, delay_us, packets_sent, packets_seen,
          unnumbered_at
        )
        on conflict (sensor_no) do update set
          received = ledger.received + excluded.received,
          stored = ledger.stored + excluded.stored,
          duplicates = ledger.duplicates + excluded.duplicates,
          rejected = ledger.rejected + excluded.rejected,
          late = ledger.late + excluded.late,
          differing = ledger.differing + excluded.differing,
          high_water = greatest(ledger.high_water, excluded.high_water),
          last_raw = case when excluded.high_water >= coalesce(ledger.high_water, excluded.high_water)
            then excluded.last_raw else ledger.last_raw end,
          last_physical = case when excluded.high_water >= coalesce(ledger.high_water, excluded.high_water)
            then excluded.last_physical else ledger.last_physical end,
          last_status = case when excluded.high_water >= coalesce(ledger.high_water, excluded.high_water)
            then excluded.last_status else ledger.last_status end,
          last_received_at = greatest(ledger.last_received_at, excluded.last_received_at),
          delay_us = coalesce(excluded.delay_us, ledger.delay_us),
          packets_sent = ledger.packets_sent + excluded.packets_sent,
          packets_seen = ledger.packets_seen + excluded.packets_seen,
          unnumbered_at = greatest(ledger.unnumbered_at, excluded.unnumbered_at),
          (clock_low, clock_low_before, clock_since) = (
            select
              case when not live then ledger.clock_low when over then excluded.delay_us
                else least(ledger.clock_low, excluded.delay_us) end,
              case when live and over then ledger.clock_low else ledger.clock_low_before end,
              case when live and over then excluded.last_received_at else ledger.clock_since end
            from (
              select
                coalesce(
                  excluded.high_water > coalesce(ledger.high_water, excluded.high_water - 1) and (
                    excluded.delay_us < coalesce(ledger.clock_low, excluded.delay_us + 1)
                    or abs(excluded.delay_us - ledger.delay_us) < 2000000
                  ),
                  false
                ) as live,
                coalesce(excluded.last_received_at - ledger.clock_since >= 300000000, true) as over
            ) packet
          )
        """,
        sensors,
        received,
        stored,
        duplicates,
        rejected,
        late,
        differing,
        high_water,
        last_raw,
        last_physical,
        last_status,
        accepted_at,
        delay,
        packets_sent,
        packets_seen,
        unnumbered_at,
    )


async def note_not_stored(tx: Tx, rows: Sequence[tuple[int, str, int | None, int | None, int, list[int]]]) -> None:
    """Keep the times of samples that were received and not stored: (sensor, reason, first t, last t, n, known t)."""
    await tx.executemany(
        """
        insert into telemetry_not_stored (sensor_no, reason, first_t, last_t, n, t)
        values ($1, $2, $3, $4, $5, $6)
        """,
        rows,
    )


async def note_packets(
    tx: Tx, sensors: Sequence[int], boots: Sequence[str], seen: Sequence[str]
) -> list[asyncpg.Record]:
    """Add to the packet numbers seen of each sensor and boot; `seen` are int8multirange literals.

    Returns by how much `sent`, from the first to the last number of each boot, and `seen` of these grew, by sensor.
    """
    return await tx.fetch(
        """
        with told as (
          select sensor_no, boot, seen::int8multirange as seen
          from unnest($1::int[], $2::text[], $3::text[]) as told (sensor_no, boot, seen)
        ), noted as (
          insert into sensor_packets (sensor_no, boot, seen)
          select sensor_no, boot, seen
          from told
          on conflict (sensor_no, boot) do update set seen = sensor_packets.seen + excluded.seen
          returning sensor_no, boot, seen
        ), change as (
          select sensor_no, boot, seen, 1 as sign
          from noted
          union all
          select known.sensor_no, known.boot, known.seen, -1
          from sensor_packets known
          join told on told.sensor_no = known.sensor_no and told.boot = known.boot
        )
        select sensor_no, sum(sign * (upper(seen) - lower(seen)))::bigint as sent,
          sum(sign * (select sum(upper(part) - lower(part)) from unnest(seen) part))::bigint as seen
        from change
        group by sensor_no
        """,
        sensors,
        boots,
        seen,
    )


async def finished_captures(tx: Tx, sensors: Sequence[int], first_us: int, last_us: int) -> list[asyncpg.Record]:
    """List the ranges (µs) of captures that have stopped and meet a span of time, for the given sensors."""
    return await tx.fetch(
        """
        select capture.id, member.sensor_no,
          (extract(epoch from capture.started_at) * 1000000)::bigint as from_us,
          (extract(epoch from capture.stopped_at) * 1000000)::bigint as to_us
        from capture_session capture
        join capture_sensor member on member.capture_id = capture.id
        where capture.stopped_at > timestamptz 'epoch' + $2::bigint * interval '1 microsecond'
          and capture.started_at <= timestamptz 'epoch' + $3::bigint * interval '1 microsecond'
          and capture.status in ('finished', 'sealed')
          and member.sensor_no = any ($1::int[])
        """,
        sensors,
        first_us,
        last_us,
    )


async def note_late(tx: Tx, rows: Sequence[tuple[UUID, int, int, int, int]]) -> None:
    """Note samples that came after their capture had stopped: (capture, sensor, first t, last t, n)."""
    await tx.executemany(
        """
        insert into capture_late (capture_id, sensor_no, first_t, last_t, n)
        values ($1, $2, $3, $4, $5)
        """,
        rows,
    )


async def note_dead(tx: Tx, shard: int, entry_id: str, entry: bytes, reason: str) -> None:
    """Keep an entry that cannot be stored, bytes and all."""
    await tx.execute(
        """
        insert into stream_dead (shard, entry_id, entry, reason)
        values ($1, $2, $3, $4)
        """,
        shard,
        entry_id,
        entry,
        reason,
    )


async def note_lost(tx: Tx, rows: Sequence[tuple[int, str, int, int, int, int]]) -> None:
    """Count samples that were acknowledged and are gone: (shard, life, sensor, n, first t, last t)."""
    await tx.executemany(
        """
        insert into stream_lost (shard, run_id, sensor_no, samples, first_t, last_t)
        values ($1, $2, $3, $4, $5, $6)
        """,
        rows,
    )
