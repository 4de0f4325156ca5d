"""SQL of personal tokens."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from hub.kit.db import Tx


async def by_digest(tx: Tx, digest: bytes) -> asyncpg.Record | None:
    """Find a personal token that was not revoked, with its user, unless the user is disabled."""
    return await tx.fetchrow(
        """
        select token.id, token.user_id, token.project_id, token.scope, token.expires_at, app_user.name as user_name
        from personal_token token
        join app_user on app_user.id = token.user_id
        where token.digest = $1 and token.revoked_at is null and app_user.disabled_at is null
        """,
        digest,
    )


async def insert(
    tx: Tx, *, user_id: UUID, project_id: UUID | None, name: str, digest: bytes, scope: str, expires_at: datetime
) -> UUID:
    """Create a personal token."""
    return await tx.fetchval(
        """
        insert into personal_token (user_id, project_id, name, digest, scope, expires_at)
        values ($1, $2, $3, $4, $5, $6)
        returning id
        """,
        user_id,
        project_id,
        name,
        digest,
        scope,
        expires_at,
    )


async def of_user(tx: Tx, user_id: UUID) -> list[asyncpg.Record]:
    """List a user's personal tokens that were not revoked, the newest first."""
    return await tx.fetch(
        """
        select token.id, token.name, token.scope, token.project_id, project.name as project_name, token.created_at,
          token.expires_at, token.last_used_at
        from personal_token token
        left join project on project.id = token.project_id
        where token.user_id = $1 and token.revoked_at is null
        order by token.created_at desc, token.id
        """,
        user_id,
    )


async def revoke(tx: Tx, *, token_id: UUID, user_id: UUID) -> asyncpg.Record | None:
    """Revoke a user's personal token; returns its name and project, None when there was none."""
    return await tx.fetchrow(
        """
        update personal_token
        set revoked_at = now()
        where id = $1 and user_id = $2 and revoked_at is null
        returning name, project_id
        """,
        token_id,
        user_id,
    )


async def revoke_all(tx: Tx, user_id: UUID) -> None:
    """Revoke all personal tokens of a user."""
    await tx.execute(
        """
        update personal_token
        set revoked_at = now()
        where user_id = $1 and revoked_at is null
        """,
        user_id,
    )


async def touch(tx: Tx, token_ids: Sequence[UUID]) -> None:
    """Note that personal tokens were used a moment ago."""
    await tx.execute(
        """
        update personal_token
        set last_used_at = now()
        where id = any ($1::uuid[])
        """,
        token_ids,
    )
