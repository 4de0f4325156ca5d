"""SQL of members and invites."""

from datetime import datetime
from uuid import UUID

import asyncpg

from hub.kit.db import Tx


async def of_project(tx: Tx, project_id: UUID) -> list[asyncpg.Record]:
    """List the members of a project, owners first, then by name."""
    return await tx.fetch(
        """
        select member.user_id, app_user.name, app_user.email, member.role, member.created_at as since
        from project_member member
        join app_user on app_user.id = member.user_id
        where member.project_id = $1
        order by array_position(array['owner', 'editor', 'viewer'], member.role), lower(app_user.name), app_user.id
        """,
        project_id,
    )


async def find(tx: Tx, project_id: UUID, user_id: UUID) -> asyncpg.Record | None:
    """Read a member of a project."""
    return await tx.fetchrow(
        """
        select member.user_id, app_user.name, app_user.email, member.role, member.created_at as since
        from project_member member
        join app_user on app_user.id = member.user_id
        where member.project_id = $1 and member.user_id = $2
        """,
        project_id,
        user_id,
    )


async def user_exists(tx: Tx, user_id: UUID) -> bool:
    """Tell whether there is such a user."""
    return await tx.fetchval(
        """
        select exists (select from app_user where id = $1)
        """,
        user_id,
    )


async def insert(tx: Tx, *, project_id: UUID, user_id: UUID, role: str) -> bool:
    """Make a user a member; False for one who is a member already."""
    return (
        await tx.fetchval(
            """
            insert into project_member (project_id, user_id, role)
            values ($1, $2, $3)
            on conflict do nothing
            returning true
            """,
            project_id,
            user_id,
            role,
        )
        is not None
    )


async def delete(tx: Tx, project_id: UUID, user_id: UUID) -> str | None:
    """Take a member out of a project; returns the role, None when there was no such member."""
    return await tx.fetchval(
        """
        delete from project_member
        where project_id = $1 and user_id = $2
        returning role
        """,
        project_id,
        user_id,
    )


async def insert_invite(
    tx: Tx,
    *,
    digest: bytes,
    project_id: UUID | None,
    role: str | None,
    note: str,
    max_uses: int,
    created_by: UUID | None,
    expires_at: datetime,
) -> UUID:
    """Keep the digest of an invite's code, with what it is good for."""
    return await tx.fetchval(
        """
        insert into invite (digest, project_id, role, note, max_uses, created_by, expires_at)
        values ($1, $2, $3, $4, $5, $6, $7)
        returning id
        """,
        digest,
        project_id,
        role,
        note,
        max_uses,
        created_by,
        expires_at,
    )


async def project_of_invite(tx: Tx, invite_id: UUID) -> UUID | None:
    """Find the project of an invite."""
    return await tx.fetchval(
        """
        select project_id
        from invite
        where id = $1
        """,
        invite_id,
    )


async def invites_of(tx: Tx, project_id: UUID) -> list[asyncpg.Record]:
    """List a project's invites of the last year, the newest first."""
    return await tx.fetch(
        """
        select invite.id, invite.project_id, invite.role, invite.note, invite.max_uses, invite.uses, invite.created_at,
          invite.expires_at, invite.revoked_at, app_user.name as created_by_name
        from invite
        left join app_user on app_user.id = invite.created_by
        where invite.project_id = $1 and invite.created_at > now() - interval '1 year'
        order by invite.created_at desc, invite.id
        limit 500
        """,
        project_id,
    )


async def find_invite(tx: Tx, digest: bytes) -> asyncpg.Record | None:
    """Read an invite by its code's digest."""
    return await tx.fetchrow(
        """
        select invite.id, invite.project_id, project.name as project_name, invite.role, invite.expires_at,
          invite.expires_at <= now() as expired, invite.revoked_at is not null as revoked,
          invite.uses >= invite.max_uses as spent, project.deleted_at is not null as gone,
          invite.created_by is not null and not exists (
            select
            from project_member member
            join app_user on app_user.id = member.user_id
            where member.project_id = invite.project_id and member.user_id = invite.created_by
              and member.role = 'owner' and app_user.disabled_at is null
          ) as orphaned
        from invite
        left join project on project.id = invite.project_id
        where invite.digest = $1
        """,
        digest,
    )


async def use_invite(tx: Tx, invite_id: UUID) -> bool:
    """Use an invite once more; False when somebody else used it up, or it ended, meanwhile."""
    return (
        await tx.fetchval(
            """
            update invite
            set uses = uses + 1
            where id = $1 and uses < max_uses and revoked_at is null and expires_at > now()
            returning true
            """,
            invite_id,
        )
        is not None
    )


async def revoke_invite(tx: Tx, invite_id: UUID) -> bool:
    """Revoke an invite; False when it was revoked before."""
    return (
        await tx.fetchval(
            """
            update invite
            set revoked_at = now()
            where id = $1 and revoked_at is null
            returning true
            """,
            invite_id,
        )
        is not None
    )


async def revoke_invites_by(tx: Tx, project_id: UUID, user_id: UUID) -> list[UUID]:
    """Revoke the invites into a project that a user made; returns those that were still open."""
    rows = await tx.fetch(
        """
        update invite
        set revoked_at = now()
        where project_id = $1 and created_by = $2 and revoked_at is null and uses < max_uses and expires_at > now()
        returning id
        """,
        project_id,
        user_id,
    )
    return [row["id"] for row in rows]
