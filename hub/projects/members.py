"""Members: who they are, changing their roles, leaving."""

from uuid import UUID

from hub.kit.context import Context
from hub.kit.pages import Page
from hub.kit.problems import NotFound
from hub.ledger.service import Fact, record
from hub.projects import member_queries, queries
from hub.projects.models import Member, Role
from hub.projects.problems import RoleTooLow


async def list_of(ctx: Context, project_id: UUID) -> Page[Member]:
    """List the members of a project, owners first."""
    return Page(items=[Member(**dict(row)) for row in await member_queries.of_project(ctx.tx, project_id)])


async def put(ctx: Context, project_id: UUID, user_id: UUID, role: Role) -> Member:
    """Give a user a role in a project; raises NotFound for no such user; the database keeps an owner."""
    before = await member_queries.find(ctx.tx, project_id, user_id)
    if before is None and not await member_queries.user_exists(ctx.tx, user_id):
        raise NotFound(noun="user")
    await queries.put_member(ctx.tx, project_id=project_id, user_id=user_id, role=role)
    old = {} if before is None else {"role": before["role"]}
    await record(ctx, Fact("member.put", subject_id=user_id, before=old, after={"role": role}))
    if role is not Role.OWNER:
        await _revoke_invites(ctx, project_id, user_id)
    ctx.after_commit.append(ctx.hub.remembered.forget)
    row = await member_queries.find(ctx.tx, project_id, user_id)
    if row is None:
        raise NotFound(noun="member")
    return Member(**dict(row))


async def remove(ctx: Context, project_id: UUID, user_id: UUID) -> None:
    """Take a member out, or leave; raises RoleTooLow for whoever would remove another, NotFound."""
    leaving = user_id == ctx.caller.id
    role = Role(ctx.scope.role)
    if not leaving and role is not Role.OWNER:
        raise RoleTooLow(needed=Role.OWNER, role=role)
    had = await member_queries.delete(ctx.tx, project_id, user_id)
    if had is None:
        raise NotFound(noun="member")
    await record(ctx, Fact("member.left" if leaving else "member.removed", subject_id=user_id, details={"role": had}))
    await _revoke_invites(ctx, project_id, user_id)


async def _revoke_invites(ctx: Context, project_id: UUID, user_id: UUID) -> None:
    """Revoke what a former owner invited by: it would let them in again."""
    for invite_id in await member_queries.revoke_invites_by(ctx.tx, project_id, user_id):
        await record(ctx, Fact("invite.revoked", subject_id=invite_id, details={"why": "its maker is no owner now"}))
