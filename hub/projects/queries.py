"""SQL of projects and members."""

from datetime import datetime
from uuid import UUID

import asyncpg

from hub.kit.db import Tx


async def membership(tx: Tx, project_id: UUID, user_id: UUID) -> asyncpg.Record | None:
    """Find the role of a user in a project, with the project's policy for raw values."""
    return await tx.fetchrow(
        """
        select member.role, project.raw_policy
        from project_member member
        join project on project.id = member.project_id
        where member.project_id = $1 and member.user_id = $2 and project.deleted_at is null
        """,
        project_id,
        user_id,
    )


async def insert(tx: Tx, *, name: str, description: str, raw_policy: str) -> UUID:
    """Create a project without members."""
    return await tx.fetchval(
        """
        insert into project (name, description, raw_policy)
        values ($1, $2, $3)
        returning id
        """,
        name,
        description,
        raw_policy,
    )


async def put_member(tx: Tx, *, project_id: UUID, user_id: UUID, role: str) -> None:
    """Make a user a member, or change the member's role."""
    await tx.execute(
        """
        insert into project_member (project_id, user_id, role)
        values ($1, $2, $3)
        on conflict (project_id, user_id) do update set role = excluded.role
        """,
        project_id,
        user_id,
        role,
    )


async def find(tx: Tx, project_id: UUID, user_id: UUID) -> asyncpg.Record | None:
    """Read a project as one of its members sees it."""
    return await tx.fetchrow(
        """
        select project.id, project.name, project.description, project.raw_policy, project.created_at, member.role
        from project
        join project_member member on member.project_id = project.id
        where project.id = $1 and member.user_id = $2 and project.deleted_at is null
        """,
        project_id,
        user_id,
    )


async def page(
    tx: Tx, *, user_id: UUID, only: UUID | None, before_at: datetime, before_id: UUID, limit: int
) -> list[asyncpg.Record]:
    """List a user's projects, or the one that is named, the newest first, after the given position."""
    return await tx.fetch(
        """
        select project.id, project.name, project.description, project.raw_policy, project.created_at, member.role
        from project
        join project_member member on member.project_id = project.id
        where member.user_id = $1 and project.deleted_at is null
          and ($2::uuid is null or project.id = $2)
          and (project.created_at, project.id) < ($3, $4)
        order by project.created_at desc, project.id desc
        limit $5
        """,
        user_id,
        only,
        before_at,
        before_id,
        limit,
    )


async def update(tx: Tx, *, project_id: UUID, name: str | None, description: str | None) -> None:
    """Change the fields that are given."""
    await tx.execute(
        """
        update project
        set name = coalesce($2, name), description = coalesce($3, description)
        where id = $1
        """,
        project_id,
        name,
        description,
    )


async def by_name(tx: Tx, name: str) -> UUID | None:
    """Find the oldest project of this name."""
    return await tx.fetchval(
        """
        select id
        from project
        where name = $1 and deleted_at is null
        order by created_at
        limit 1
        """,
        name,
    )


async def lock(tx: Tx, project_id: UUID) -> asyncpg.Record | None:
    """Lock a project and read what may be changed of it."""
    return await tx.fetchrow(
        """
        select name, description, raw_policy
        from project
        where id = $1 and deleted_at is null
        for update
        """,
        project_id,
    )


async def set_raw_policy(tx: Tx, project_id: UUID, raw_policy: str) -> None:
    """Decide whether viewers may read raw values."""
    await tx.execute(
        """
        update project
        set raw_policy = $2
        where id = $1
        """,
        project_id,
        raw_policy,
    )


async def delete(tx: Tx, project_id: UUID) -> None:
    """Delete a project softly: nobody sees it any more, its data stay."""
    await tx.execute(
        """
        update project
        set deleted_at = now()
        where id = $1
        """,
        project_id,
    )
