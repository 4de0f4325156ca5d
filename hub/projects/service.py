"""Creating, reading and changing projects."""

from uuid import UUID

import asyncpg

from hub.kit.context import Context
from hub.kit.db import Tx
from hub.kit.pages import Page, PageQuery, Position, page_of, position_of
from hub.kit.problems import NotFound
from hub.ledger.service import Fact, record
from hub.projects import guards, queries
from hub.projects.access import only_project
from hub.projects.models import Project, ProjectCreate, ProjectSettings, ProjectUpdate, Role
from hub.projects.problems import ProjectBusy


def _project(row: asyncpg.Record) -> Project:
    return Project(**dict(row))


async def create(ctx: Context, body: ProjectCreate) -> Project:
    """Create a project with the caller as its owner."""
    project_id = await queries.insert(ctx.tx, name=body.name, description=body.description, raw_policy=body.raw_policy)
    await queries.put_member(ctx.tx, project_id=project_id, user_id=ctx.caller.id, role=Role.OWNER)
    details = body.model_dump(include={"name", "raw_policy"})
    await record(ctx, Fact("project.created", subject_id=project_id, project_id=project_id, details=details))
    return await read(ctx, project_id)


async def read(ctx: Context, project_id: UUID) -> Project:
    """Read a project of the caller."""
    row = await queries.find(ctx.tx, project_id, ctx.caller.id)
    if row is None:
        raise NotFound(noun="project")
    return _project(row)


async def list_mine(ctx: Context, query: PageQuery) -> Page[Project]:
    """List the caller's projects, the newest first."""
    before = position_of(query)
    rows = await queries.page(
        ctx.tx,
        user_id=ctx.caller.id,
        only=only_project(ctx),
        before_at=before.created_at,
        before_id=before.id,
        limit=query.limit + 1,
    )
    return page_of(rows, query, _project, lambda row: Position(row["created_at"], row["id"]))


async def update(ctx: Context, project_id: UUID, body: ProjectUpdate) -> Project:
    """Change name or description."""
    before = await _lock(ctx, project_id)
    await queries.update(ctx.tx, project_id=project_id, name=body.name, description=body.description)
    after = body.model_dump(exclude_none=True)
    await record(ctx, Fact("project.updated", subject_id=project_id, before=dict(before), after=after))
    return await read(ctx, project_id)


async def read_settings(ctx: Context, project_id: UUID) -> ProjectSettings:
    """Read what the owners decided."""
    return ProjectSettings(raw_policy=(await read(ctx, project_id)).raw_policy)


async def change_settings(ctx: Context, project_id: UUID, body: ProjectSettings) -> ProjectSettings:
    """Decide whether viewers may read raw values; open live views follow within a second."""
    before = await _lock(ctx, project_id)
    await queries.set_raw_policy(ctx.tx, project_id, body.raw_policy)
    after = body.model_dump()
    await record(ctx, Fact("project.settings_changed", subject_id=project_id, before=dict(before), after=after))
    ctx.after_commit.append(ctx.hub.remembered.forget)
    return body


async def delete(ctx: Context, project_id: UUID) -> None:
    """Delete a project softly: nobody sees it, its tokens end, its data stay. Raises ProjectBusy while it records."""
    project = await _lock(ctx, project_id)
    holders = await guards.against_deletion(ctx.tx, project_id)
    if holders:
        raise ProjectBusy(holders="; ".join(holders))
    await queries.delete(ctx.tx, project_id)
    await record(ctx, Fact("project.deleted", subject_id=project_id, details={"name": project["name"]}))


async def _lock(ctx: Context, project_id: UUID) -> asyncpg.Record:
    row = await queries.lock(ctx.tx, project_id)
    if row is None:
        raise NotFound(noun="project")
    return row


async def ensure_project(tx: Tx, name: str) -> UUID:
    """Return the oldest project of this name, which is created when there is none; for the operator."""
    found = await queries.by_name(tx, name)
    return found or await queries.insert(tx, name=name, description="", raw_policy="physical-only")


async def ensure_member(tx: Tx, *, project_id: UUID, user_id: UUID, role: Role) -> None:
    """Give a user a role in a project; for the operator."""
    await queries.put_member(tx, project_id=project_id, user_id=user_id, role=role)
