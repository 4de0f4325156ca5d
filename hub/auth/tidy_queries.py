"""SQL of letting go what is over."""

from hub.kit.db import Tx


async def delete_sessions(tx: Tx, days: int) -> None:
    """Delete sessions, with their tokens, that ended or expired so long ago."""
    await tx.execute(
        """
        delete from session
        where coalesce(ended_at, expires_at) < now() - make_interval(days => $1)
        """,
        days,
    )


async def delete_resets(tx: Tx, days: int) -> None:
    """Delete one-time links that expired so long ago."""
    await tx.execute(
        """
        delete from password_reset
        where expires_at < now() - make_interval(days => $1)
        """,
        days,
    )


async def delete_idempotency_keys(tx: Tx, hours: int) -> None:
    """Delete answers that were kept for repetitions so long ago."""
    await tx.execute(
        """
        delete from idempotency_key
        where created_at < now() - make_interval(hours => $1)
        """,
        hours,
    )


async def delete_personal_tokens(tx: Tx, days: int) -> None:
    """Delete personal tokens that expired or were revoked so long ago."""
    await tx.execute(
        """
        delete from personal_token
        where least(expires_at, revoked_at) < now() - make_interval(days => $1)
        """,
        days,
    )


async def delete_invites(tx: Tx, days: int) -> None:
    """Delete invites that expired so long ago."""
    await tx.execute(
        """
        delete from invite
        where expires_at < now() - make_interval(days => $1)
        """,
        days,
    )
