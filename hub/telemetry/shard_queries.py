"""SQL of shards: how many there are, and who works on each."""

import asyncpg

from hub.kit.db import Tx


async def shard_count(tx: Tx) -> int:
    """Return how many shards take samples."""
    return await tx.fetchval("select count(*) from stream_shard where not closed")


async def create_shards(tx: Tx, shards: int) -> None:
    """Create the positions of all shards where there are none yet."""
    await tx.execute(
        """
        insert into stream_shard (shard, run_id, last_id)
        select shard, '', '0-0'
        from generate_series(0, $1::int - 1) shard
        where not exists (select from stream_shard)
        on conflict do nothing
        """,
        shards,
    )


async def close_shards(tx: Tx, *, closed: bool) -> None:
    """Let the shards take no more samples, or take them again."""
    await tx.execute(
        """
        update stream_shard
        set closed = $1
        """,
        closed,
    )


async def lock_shards(tx: Tx) -> list[asyncpg.Record]:
    """Read all positions and let nobody move them until the transaction ends."""
    return await tx.fetch(
        """
        select shard, run_id, last_id
        from stream_shard
        order by shard
        for update
        """
    )


async def change_shards(tx: Tx, shards: int) -> None:
    """Take the last shards away, or add some whose streams are read from the beginning."""
    await tx.execute(
        """
        with gone as (
          delete from stream_shard
          where shard >= $1
        )
        insert into stream_shard (shard, run_id, last_id)
        select shard, '', '0-0'
        from generate_series(0, $1::int - 1) shard
        on conflict do nothing
        """,
        shards,
    )


async def positions(tx: Tx) -> list[asyncpg.Record]:
    """Read up to where each shard is stored."""
    return await tx.fetch(
        """
        select shard, run_id, last_id
        from stream_shard
        order by shard
        """
    )


async def lives(tx: Tx) -> list[asyncpg.Record]:
    """Read up to where each life of each shard's server is stored."""
    return await tx.fetch(
        """
        select shard, run_id, last_id
        from stream_life
        """
    )


async def try_shard_lock(tx: Tx, shard: int) -> bool:
    """Become the one that works on a shard, until the connection ends; False while another is."""
    return await tx.fetchval("select pg_try_advisory_lock(7501, $1)", shard)


async def unlock_shard(tx: Tx, shard: int) -> None:
    """Let somebody else work on a shard."""
    await tx.execute("select pg_advisory_unlock(7501, $1)", shard)


async def shard_is_locked(tx: Tx, shard: int) -> bool:
    """Tell whether somebody works on a shard."""
    return await tx.fetchval(
        """
        select exists (
          select from pg_locks
          where locktype = 'advisory' and classid = 7501 and objid = $1::int::oid and objsubid = 2
            and database = (select oid from pg_database where datname = current_database())
        )
        """,
        shard,
    )


async def join_crew(tx: Tx, key: int, shard: int) -> None:
    """Be counted among the processes that write, as one that can work on a shard, until the connection ends."""
    await tx.execute("select pg_advisory_lock_shared(7502, $1), pg_advisory_lock_shared(7503, $2)", key, shard)


async def crews(tx: Tx, shard: int) -> list[asyncpg.Record]:
    """List the processes that could work on a shard, each with the number of shards that it works on."""
    return await tx.fetch(
        """
        select here.objid::bigint as key, count(turn.objid) as shards
        from pg_locks here
        left join pg_locks turn
          on turn.pid = here.pid and turn.database = here.database
          and turn.locktype = 'advisory' and turn.classid = 7501 and turn.objsubid = 2 and turn.granted
        where here.locktype = 'advisory' and here.classid = 7502 and here.objsubid = 2
          and here.database = (select oid from pg_database where datname = current_database())
        group by here.objid
        having bool_or(
          exists (
            select from pg_locks could
            where could.pid = here.pid and could.database = here.database
              and could.locktype = 'advisory' and could.classid = 7503 and could.objsubid = 2
              and could.objid = $1::int::oid
          )
        )
        """,
        shard,
    )
