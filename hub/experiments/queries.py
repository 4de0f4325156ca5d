"""SQL of experiments."""

from datetime import datetime
from uuid import UUID

import asyncpg

from hub.kit.db import Tx


async def project_of(tx: Tx, experiment_id: UUID) -> UUID | None:
    """Find the project of an experiment."""
    return await tx.fetchval(
        """
        select project_id
        from experiment
        where id = $1
        """,
        experiment_id,
    )


async def insert(tx: Tx, *, project_id: UUID, name: str, description: str, tags: list[str], owner_id: UUID) -> UUID:
    """Create an experiment as a draft."""
    return await tx.fetchval(
        """
        insert into experiment (project_id, name, description, tags, owner_id)
        values ($1, $2, $3, $4, $5)
        returning id
        """,
        project_id,
        name,
        description,
        tags,
        owner_id,
    )


async def find(tx: Tx, experiment_id: UUID) -> asyncpg.Record | None:
    """Read an experiment."""
    return await tx.fetchrow(
        """
        select id, project_id, name, description, status, tags, owner_id, created_at, updated_at
        from experiment
        where id = $1
        """,
        experiment_id,
    )


async def page(
    tx: Tx,
    *,
    project_id: UUID,
    status: str | None,
    tag: str | None,
    q: str | None,
    before_at: datetime,
    before_id: UUID,
    limit: int,
) -> list[asyncpg.Record]:
    """List a project's experiments, the newest first, after the given position."""
    return await tx.fetch(
        """
        select id, project_id, name, description, status, tags, owner_id, created_at, updated_at
        from experiment
        where project_id = $1
          and ($2::text is null or status = $2)
          and ($3::text is null or $3 = any(tags))
          and ($4::text is null or position(lower($4) in lower(name)) > 0)
          and (created_at, id) < ($5, $6)
        order by created_at desc, id desc
        limit $7
        """,
        project_id,
        status,
        tag,
        q,
        before_at,
        before_id,
        limit,
    )


async def lock(tx: Tx, experiment_id: UUID) -> asyncpg.Record | None:
    """Lock an experiment, so that its state and the states of its runs change one after the other."""
    return await tx.fetchrow(
        """
        select id, project_id, status
        from experiment
        where id = $1
        for no key update
        """,
        experiment_id,
    )


async def update(
    tx: Tx, *, experiment_id: UUID, name: str | None, description: str | None, tags: list[str] | None
) -> None:
    """Change the fields that are given."""
    await tx.execute(
        """
        update experiment
        set name = coalesce($2, name), description = coalesce($3, description), tags = coalesce($4, tags),
          updated_at = clock_timestamp()
        where id = $1
        """,
        experiment_id,
        name,
        description,
        tags,
    )


async def set_status(tx: Tx, experiment_id: UUID, status: str) -> None:
    """Move an experiment to a state."""
    await tx.execute(
        """
        update experiment
        set status = $2, updated_at = clock_timestamp()
        where id = $1
        """,
        experiment_id,
        status,
    )


async def delete(tx: Tx, experiment_id: UUID) -> None:
    """Delete an experiment that has no runs."""
    await tx.execute(
        """
        delete from experiment
        where id = $1
        """,
        experiment_id,
    )
