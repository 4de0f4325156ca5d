"""SQL of sessions, their refresh tokens, and what is remembered of access."""

from datetime import datetime
from uuid import UUID

import asyncpg

from hub.kit.db import Tx


async def access_version(tx: Tx) -> int:
    """Read the number that every change of who may do what moves."""
    return await tx.fetchval(
        """
        select version
        from access_version
        """
    )


async def goes_on(tx: Tx, session_id: UUID, user_id: UUID) -> bool:
    """Tell whether a session of a user has not been ended, and the user not been disabled."""
    return await tx.fetchval(
        """
        select exists (
          select from session
          join app_user on app_user.id = session.user_id
          where session.id = $1 and session.user_id = $2 and session.ended_at is null and app_user.disabled_at is null
        )
        """,
        session_id,
        user_id,
    )


async def insert(
    tx: Tx,
    *,
    session_id: UUID,
    user_id: UUID,
    client: str,
    address: str | None,
    user_agent: str | None,
    expires_at: datetime,
) -> None:
    """Begin a session."""
    await tx.execute(
        """
        insert into session (id, user_id, client, address, user_agent, expires_at)
        values ($1, $2, $3, $4, $5, $6)
        """,
        session_id,
        user_id,
        client,
        address,
        user_agent,
        expires_at,
    )


async def insert_refresh(tx: Tx, *, session_id: UUID, digest: bytes, expires_at: datetime) -> None:
    """Keep the digest of a refresh token."""
    await tx.execute(
        """
        insert into refresh_token (session_id, digest, expires_at)
        values ($1, $2, $3)
        """,
        session_id,
        digest,
        expires_at,
    )


async def lock_refresh(tx: Tx, digest: bytes) -> asyncpg.Record | None:
    """Find a refresh token and lock it, so that of two users of one token the second sees it spent."""
    return await tx.fetchrow(
        """
        select token.id, token.session_id, token.spent_at, token.expires_at <= now() as expired,
          session.user_id, session.client, session.created_at, session.ended_at is not null as ended,
          session.ended_because
        from refresh_token token
        join session on session.id = token.session_id
        where token.digest = $1
        for update of token
        """,
        digest,
    )


async def spend_refresh(tx: Tx, token_id: UUID) -> None:
    """Mark a refresh token as used."""
    await tx.execute(
        """
        update refresh_token
        set spent_at = now()
        where id = $1
        """,
        token_id,
    )


async def touch(tx: Tx, *, session_id: UUID, address: str | None, user_agent: str | None, expires_at: datetime) -> None:
    """Note that a session was used, from where, and how long it may go on."""
    await tx.execute(
        """
        update session
        set last_used_at = now(), address = $2, user_agent = $3, expires_at = $4
        where id = $1
        """,
        session_id,
        address,
        user_agent,
        expires_at,
    )


async def end(tx: Tx, *, session_id: UUID, user_id: UUID, because: str) -> bool:
    """End a session of a user; tells whether it went on until now."""
    return (
        await tx.fetchval(
            """
            update session
            set ended_at = now(), ended_because = $3
            where id = $1 and user_id = $2 and ended_at is null
            returning true
            """,
            session_id,
            user_id,
            because,
        )
        is not None
    )


async def end_all(tx: Tx, *, user_id: UUID, because: str, but: UUID | None = None) -> int:
    """End all sessions of a user but one; returns how many went on until now."""
    return await tx.fetchval(
        """
        with ended as (
          update session
          set ended_at = now(), ended_because = $2
          where user_id = $1 and ended_at is null and id is distinct from $3
          returning 1
        )
        select count(*)
        from ended
        """,
        user_id,
        because,
        but,
    )


async def end_everybodys(tx: Tx, because: str) -> int:
    """End all sessions of all users; returns how many went on until now."""
    return await tx.fetchval(
        """
        with ended as (
          update session
          set ended_at = now(), ended_because = $1
          where ended_at is null
          returning 1
        )
        select count(*)
        from ended
        """,
        because,
    )


async def of_user(tx: Tx, user_id: UUID) -> list[asyncpg.Record]:
    """List a user's sessions that go on, and those that ended within the last thirty days, the newest first."""
    return await tx.fetch(
        """
        select id, client, address, user_agent, created_at, last_used_at, expires_at, ended_at, ended_because
        from session
        where user_id = $1
          and (ended_at is null and expires_at > now() or ended_at > now() - interval '30 days')
        order by ended_at is not null, last_used_at desc, id
        limit 200
        """,
        user_id,
    )


async def used_from(tx: Tx, user_id: UUID, address: str | None) -> bool:
    """Tell whether a user had a session, or set a password by mail, from an address within the last ninety days."""
    return await tx.fetchval(
        """
        select exists (
          select from session
          where user_id = $1 and address = $2 and last_used_at > now() - interval '90 days'
        ) or exists (
          select from password_reset
          where user_id = $1 and used_from = $2 and used_at > now() - interval '90 days'
        )
        """,
        user_id,
        address,
    )
