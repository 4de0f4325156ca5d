"""SQL of the data keys."""

import asyncpg

from hub.kit.db import Tx


async def are_kept(tx: Tx) -> bool:
    """Tell whether the schema is new enough to hold data keys."""
    return await tx.fetchval("select to_regclass('data_key') is not null")


async def lock(tx: Tx) -> None:
    """Let one transaction at a time make or change data keys; they can be read meanwhile."""
    await tx.execute("select pg_advisory_xact_lock(hashtext('data_key'))")


async def every(tx: Tx) -> list[asyncpg.Record]:
    """List the data keys, wrapped."""
    return await tx.fetch(
        """
        select id, purpose, wrapped
        from data_key
        order by id
        """
    )


async def newest(tx: Tx) -> int | None:
    """Return the id of the newest data key."""
    return await tx.fetchval("select max(id) from data_key")


async def insert(tx: Tx, key_id: int, purpose: str, wrapped: bytes) -> None:
    """Keep a wrapped data key."""
    await tx.execute(
        """
        insert into data_key (id, purpose, wrapped)
        values ($1, $2, $3)
        """,
        key_id,
        purpose,
        wrapped,
    )


async def rewrap(tx: Tx, key_id: int, wrapped: bytes) -> None:
    """Replace the wrapping of a data key."""
    await tx.execute(
        """
        update data_key
        set wrapped = $2
        where id = $1
        """,
        key_id,
        wrapped,
    )
