"""Creating, reading and changing projects."""

from uuid import UUID

import asyncpg

from hub.kit.context import Context
from hub.kit.db import Tx
from hub.kit.pages import Page, PageQuery, Position, page_of, position_of
from hub.kit.problems import NotFound
from hub.ledger.service import Fact, record
from hub.projects import queries
from hub.projects.access import only_project
from hub.projects.models import Project, ProjectCreate, ProjectUpdate, Role


def _project(row: asyncpg.Record) -> Project:
    return Project(**dict(row))


async def create(ctx: Context, body: ProjectCreate) -> Project:
    """Create a project with the caller as its owner."""
    project_id = await queries.insert(ctx.tx, name=body.name, description=body.description, raw_policy=body.raw_policy)
    await queries.put_member(ctx.tx, project_id=project_id, user_id=ctx.caller.id, role=Role.OWNER)
    await record(ctx, Fact("project.created", subject_id=project_id, project_id=project_id))
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
    await queries.update(ctx.tx, project_id=project_id, name=body.name, description=body.description)
    await record(ctx, Fact("project.updated", subject_id=project_id, details=body.model_dump(exclude_none=True)))
    return await read(ctx, project_id)


async def put_member(ctx: Context, *, project_id: UUID, user_id: UUID, role: Role) -> None:
    """Make a user a member of a project."""
    await queries.put_member(ctx.tx, project_id=project_id, user_id=user_id, role=role)
    await record(ctx, Fact("member.put", subject_id=user_id, project_id=project_id, details={"role": role.value}))


async def ensure_member(tx: Tx, *, project: str, user_id: UUID, role: Role) -> UUID:
    """Make a user a member of the project of this name, which is created when it is missing; for the operator."""
    project_id = await queries.by_name(tx, project)
    if project_id is None:
        project_id = await queries.insert(tx, name=project, description="", raw_policy="physical-only")
    await queries.put_member(tx, project_id=project_id, user_id=user_id, role=role)
    return project_id
