"""SQL of users and sessions."""

from datetime import datetime
from uuid import UUID

import asyncpg

from hub.kit.db import Tx


async def user_by_email(tx: Tx, email: str) -> asyncpg.Record | None:
    """Find a user by e-mail, whatever its case."""
    return await tx.fetchrow(
        """
        select id, email, name, password_hash
        from app_user
        where lower(email) = lower($1)
        """,
        email,
    )


async def user_by_id(tx: Tx, user_id: UUID) -> asyncpg.Record | None:
    """Find a user."""
    return await tx.fetchrow(
        """
        select id, email, name
        from app_user
        where id = $1
        """,
        user_id,
    )


async def upsert_user(tx: Tx, *, email: str, name: str, password_hash: str) -> UUID:
    """Create a user; an existing one keeps its id and gets the new name and password."""
    return await tx.fetchval(
        """
        insert into app_user (email, name, password_hash)
        values ($1, $2, $3)
        on conflict (lower(email)) do update set name = excluded.name, password_hash = excluded.password_hash
        returning id
        """,
        email,
        name,
        password_hash,
    )


async def memberships(tx: Tx, user_id: UUID) -> list[asyncpg.Record]:
    """List the projects of a user by name."""
    return await tx.fetch(
        """
        select project.id, project.name, member.role
        from project_member member
        join project on project.id = member.project_id
        where member.user_id = $1
        order by project.name, project.id
        """,
        user_id,
    )


async def insert_refresh(tx: Tx, *, family_id: UUID, user_id: UUID, digest: bytes, expires_at: datetime) -> None:
    """Keep the digest of a refresh token."""
    await tx.execute(
        """
        insert into refresh_token (family_id, user_id, digest, expires_at)
        values ($1, $2, $3, $4)
        """,
        family_id,
        user_id,
        digest,
        expires_at,
    )


async def lock_refresh(tx: Tx, digest: bytes) -> asyncpg.Record | None:
    """Find a refresh token and lock it, so that of two users of one token the second sees it spent."""
    return await tx.fetchrow(
        """
        select token.id, token.family_id, token.user_id, token.spent_at, token.expires_at <= now() as expired,
          exists (select from token_family_revoked r where r.family_id = token.family_id) as revoked
        from refresh_token token
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


async def revoke_family(tx: Tx, family_id: UUID) -> None:
    """End a session: none of its tokens is good from now on."""
    await tx.execute(
        """
        insert into token_family_revoked (family_id)
        values ($1)
        on conflict do nothing
        """,
        family_id,
    )


async def family_revoked(tx: Tx, family_id: UUID) -> bool:
    """Tell whether a session was ended."""
    return await tx.fetchval(
        """
        select exists (select from token_family_revoked where family_id = $1)
        """,
        family_id,
    )
