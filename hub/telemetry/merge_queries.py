"""SQL of keeping the recent window small: merging its chunks, and dropping days that nobody needs."""

from collections.abc import Sequence

import asyncpg

from hub.kit.db import Tx


async def become_merger(tx: Tx) -> bool:
    """Become the only one that merges, until the transaction ends; False while another does."""
    return await tx.fetchval("select pg_try_advisory_xact_lock(7502)")


async def oldest(tx: Tx) -> int | None:
    """Return where the oldest chunk begins (µs)."""
    return await tx.fetchval(
        """
        select min(first_t)
        from (
          select (
            select min(chunk.first_t)
            from telemetry_recent chunk
            where chunk.sensor_no = ledger.sensor_no
          ) as first_t
          from sensor_ledger ledger
        ) as each
        """
    )


async def small(tx: Tx, from_t: int, to_t: int, *, slot_us: int, most: int) -> list[asyncpg.Record]:
    """List, sensor by sensor and slot by slot, chunks that at least halve in number when they are merged."""
    return await tx.fetch(
        """
        select sensor_no, first_t / $3 as slot
        from telemetry_recent
        where first_t >= $1 and first_t < $2
        group by sensor_no, first_t / $3
        having count(*) >= 2 * ((sum(n) + $4::bigint - 1) / $4::bigint) and count(*) > 1
        order by slot, sensor_no
        """,
        from_t,
        to_t,
        slot_us,
        most,
    )


async def chunks(tx: Tx, sensors: Sequence[int], from_t: int, to_t: int) -> list[asyncpg.Record]:
    """Read the chunks of some sensors that begin in a slot."""
    return await tx.fetch(
        """
        select chunk_no, sensor_no, first_t, n, array_send(t_offset) as t_offset, array_send(raw) as raw,
          array_send(physical) as physical, status, profile_version, received_at, meta,
          array_send(identity) as identity, false as sealed
        from telemetry_recent
        where sensor_no = any ($1::int[]) and first_t >= $2 and first_t < $3
        """,
        sensors,
        from_t,
        to_t,
    )


async def delete(tx: Tx, sensors: Sequence[int], from_t: int, to_t: int, chunks: Sequence[int]) -> tuple[int, int]:
    """Delete chunks by their numbers, of sensors and a slot; returns how many chunks and samples went."""
    row = await tx.fetchrow(
        """
        with gone as (
          delete from telemetry_recent
          where sensor_no = any ($1::int[]) and first_t >= $2 and first_t < $3 and chunk_no = any ($4::bigint[])
          returning n
        )
        select count(*) as chunks, coalesce(sum(n), 0)::bigint as samples
        from gone
        """,
        sensors,
        from_t,
        to_t,
        chunks,
    )
    return (0, 0) if row is None else (row["chunks"], row["samples"])


async def days(tx: Tx) -> list[str]:
    """List the partitions of the recent window by name, the oldest first."""
    rows = await tx.fetch(
        """
        select child.relname
        from pg_inherits link
        join pg_class child on child.oid = link.inhrelid
        where link.inhparent = 'telemetry_recent'::regclass
        order by child.relname
        """
    )
    return [row["relname"] for row in rows]


async def wait_shortly(tx: Tx) -> None:
    """Give up on a lock after a second, for the rest of the transaction: writers wait behind whoever waits."""
    await tx.execute("set local lock_timeout = '1s'")


async def drop_day(tx: Tx, day: int) -> bool:
    """Drop a day (since 1970) of the recent window; False when a capture that is not sealed needs it."""
    return await tx.fetchval("select drop_telemetry_day($1)", day)


async def tighten_day(tx: Tx, day: int) -> bool:
    """Rebuild the index of a day (since 1970) that merging has left mostly empty; False where it is not."""
    return await tx.fetchval("select tighten_telemetry_day($1)", day)


async def delete_vectors(tx: Tx, before_t: int, limit: int) -> int:
    """Delete vectors from before a time that lie in no capture; returns how many, `limit` at most."""
    return await tx.fetchval(
        """
        with old as (
          select vector.sensor_no, vector.t, vector.identity
          from telemetry_vector vector
          where vector.t < $1 and not exists (
            select from capture_sensor member
            join capture_session capture on capture.id = member.capture_id
            where member.sensor_no = vector.sensor_no
              and capture.started_at <= timestamptz 'epoch' + vector.t * interval '1 microsecond'
              and coalesce(capture.stopped_at, 'infinity') > timestamptz 'epoch' + vector.t * interval '1 microsecond'
          )
          limit $2
        ),
        gone as (
          delete from telemetry_vector vector
          using old
          where vector.sensor_no = old.sensor_no and vector.t = old.t and vector.identity = old.identity
          returning 1
        )
        select count(*)
        from gone
        """,
        before_t,
        limit,
    )
