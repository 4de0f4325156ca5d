"""SQL of users and their passwords."""

from datetime import datetime
from uuid import UUID

import asyncpg

from hub.kit.db import Tx


async def user_by_email(tx: Tx, email: str) -> asyncpg.Record | None:
    """Find a user by e-mail, whatever its case."""
    return await tx.fetchrow(
        """
        select id, email, name, password_hash, disabled_at, otp_confirmed_at is not null as has_otp
        from app_user
        where lower(email) = lower($1)
        """,
        email,
    )


async def user_by_id(tx: Tx, user_id: UUID) -> asyncpg.Record | None:
    """Find a user."""
    return await tx.fetchrow(
        """
        select id, email, name, password_hash, disabled_at, otp_confirmed_at is not null as has_otp
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
        where member.user_id = $1 and project.deleted_at is null
        order by project.name, project.id
        """,
        user_id,
    )


async def insert_user(tx: Tx, *, email: str, name: str, password_hash: str) -> UUID | None:
    """Create a user; None when the address has an account."""
    return await tx.fetchval(
        """
        insert into app_user (email, name, password_hash)
        values ($1, $2, $3)
        on conflict (lower(email)) do nothing
        returning id
        """,
        email,
        name,
        password_hash,
    )


async def put_password(tx: Tx, user_id: UUID, password_hash: str) -> None:
    """Replace a user's password."""
    await tx.execute(
        """
        update app_user
        set password_hash = $2, password_changed_at = now()
        where id = $1
        """,
        user_id,
        password_hash,
    )


async def set_disabled(tx: Tx, email: str, *, disabled: bool) -> UUID | None:
    """Disable a user or let one in again; returns the user's id, None when there is none."""
    return await tx.fetchval(
        """
        update app_user
        set disabled_at = case when $2 then coalesce(disabled_at, now()) end
        where lower(email) = lower($1)
        returning id
        """,
        email,
        disabled,
    )


async def insert_reset(tx: Tx, *, digest: bytes, user_id: UUID, expires_at: datetime) -> None:
    """Keep the digest of a one-time link's token."""
    await tx.execute(
        """
        insert into password_reset (digest, user_id, expires_at)
        values ($1, $2, $3)
        """,
        digest,
        user_id,
        expires_at,
    )


async def use_reset(tx: Tx, digest: bytes, address: str | None) -> UUID | None:
    """Use a one-time link up from an address; returns its user, None when it is unknown, used or too old."""
    return await tx.fetchval(
        """
        update password_reset
        set used_at = now(), used_from = $2
        where digest = $1 and used_at is null and expires_at > now()
        returning user_id
        """,
        digest,
        address,
    )


async def void_resets(tx: Tx, user_id: UUID) -> None:
    """Make every open one-time link of a user useless."""
    await tx.execute(
        """
        update password_reset
        set used_at = now()
        where user_id = $1 and used_at is null
        """,
        user_id,
    )


async def any_user(tx: Tx) -> bool:
    """Tell whether anybody has an account."""
    return await tx.fetchval(
        """
        select exists (select from app_user)
        """
    )
