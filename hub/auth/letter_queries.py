"""SQL of outgoing letters."""

import asyncpg

from hub.kit.db import Tx


async def insert(tx: Tx, sealed: bytes) -> None:
    """Put a sealed letter into the outgoing mail."""
    await tx.execute(
        """
        insert into letter (sealed)
        values ($1)
        """,
        sealed,
    )


async def lock_next(tx: Tx) -> asyncpg.Record | None:
    """Lock the letter that is due longest, passing over those that another worker holds."""
    return await tx.fetchrow(
        """
        select id, sealed, attempts
        from letter
        where next_at <= now()
        order by next_at
        limit 1
        for update skip locked
        """
    )


async def delete(tx: Tx, letter_id: int) -> None:
    """Forget a letter that was sent or given up."""
    await tx.execute(
        """
        delete from letter
        where id = $1
        """,
        letter_id,
    )


async def postpone(tx: Tx, letter_id: int, delay_s: float) -> None:
    """Try a letter again later."""
    await tx.execute(
        """
        update letter
        set attempts = attempts + 1, next_at = now() + make_interval(secs => $2)
        where id = $1
        """,
        letter_id,
        delay_s,
    )
