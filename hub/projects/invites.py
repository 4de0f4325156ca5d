"""Invites: making them, registering with one, accepting one with an account, revoking."""

from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from hub.auth import accounts, sessions, throttle
from hub.auth.letters import link
from hub.auth.models import Registration, Tokens
from hub.kit.context import Context
from hub.kit.crypto import Keys, new_token
from hub.kit.db import Tx
from hub.kit.pages import Page
from hub.kit.problems import NotFound
from hub.ledger.service import Fact, record
from hub.projects import member_queries
from hub.projects.access import admit_to
from hub.projects.invite_models import Invite, InviteCreate, InviteView
from hub.projects.models import Role
from hub.projects.problems import AlreadyMember, InviteRefused

PREFIX = "etpi"


def page_of_code(code: str) -> str:
    """Return the dashboard's page for a code, which stands after the # so that no server's log holds it."""
    return f"/register#{code}"


async def create(ctx: Context, body: InviteCreate) -> Invite:
    """Invite into a project of the caller's; code and link are in this answer only."""
    await admit_to(ctx, body.project_id, Role.OWNER)
    code, invite_id = await issue(
        ctx.tx,
        ctx.hub.keys,
        project_id=body.project_id,
        role=body.role,
        note=body.note,
        max_uses=body.max_uses,
        created_by=ctx.caller.id,
        expires_at=ctx.hub.clock.now() + timedelta(seconds=body.expires_in_s),
    )
    await record(ctx, Fact("invite.created", subject_id=invite_id, details=body.model_dump(mode="json")))
    made = next(one for one in (await list_of(ctx, body.project_id)).items if one.id == invite_id)
    return made.model_copy(update={"code": code, "link": link(ctx, page_of_code(code))})


async def issue(
    tx: Tx,
    keys: Keys,
    *,
    project_id: UUID | None,
    role: Role | None,
    note: str,
    max_uses: int,
    created_by: UUID | None,
    expires_at: datetime,
) -> tuple[str, UUID]:
    """Make an invite and return its code and id; without a project it opens an account only."""
    code = new_token(PREFIX)
    invite_id = await member_queries.insert_invite(
        tx,
        digest=keys.digest(code),
        project_id=project_id,
        role=role,
        note=note,
        max_uses=max_uses,
        created_by=created_by,
        expires_at=expires_at,
    )
    return code, invite_id


async def list_of(ctx: Context, project_id: UUID) -> Page[Invite]:
    """List a project's invites, the newest first."""
    return Page(items=[Invite(**dict(row)) for row in await member_queries.invites_of(ctx.tx, project_id)])


async def revoke(ctx: Context, invite_id: UUID) -> None:
    """Revoke an invite; who came by it stays."""
    if not await member_queries.revoke_invite(ctx.tx, invite_id):
        raise NotFound(noun="invite")
    await record(ctx, Fact("invite.revoked", subject_id=invite_id))


async def look_at(ctx: Context, code: str) -> InviteView:
    """Tell whoever holds a code what it is good for; raises InviteRefused."""
    await throttle.of_address(ctx, "invites")
    return InviteView.model_validate(dict(await _find(ctx, code)))


async def register(ctx: Context, body: Registration) -> Tokens:
    """Open an account with an invite and log in; raises InviteRefused, EmailTaken, InvalidPayload."""
    await throttle.of_address(ctx, "invites")
    invite = await _find(ctx, body.invite_code)
    user_id = await accounts.register(ctx, body)
    await _use(ctx, invite, user_id)
    return await sessions.begin(ctx, user_id=user_id, name=body.name, browser=body.client == "browser")


async def accept(ctx: Context, code: str) -> InviteView:
    """Become a member by an invite; raises InviteRefused, AlreadyMember."""
    await throttle.of_address(ctx, "invites")
    invite = await _find(ctx, code)
    if invite["project_id"] is None:
        raise InviteRefused(why="It opens an account, and you have one.")
    await _use(ctx, invite, ctx.caller.id)
    return InviteView.model_validate(dict(invite))


async def _find(ctx: Context, code: str) -> asyncpg.Record:
    invite = await member_queries.find_invite(ctx.tx, ctx.hub.keys.digest(code.strip()))
    if invite is None or invite["gone"]:
        raise InviteRefused(why="Nobody knows this code.")
    for fault, why in (
        ("revoked", "It was revoked."),
        ("spent", "It was used as often as it is good for."),
        ("expired", "It has expired."),
        ("orphaned", "Whoever made it owns the project no longer."),
    ):
        if invite[fault]:
            raise InviteRefused(why=why)
    return invite


async def _use(ctx: Context, invite: asyncpg.Record, user_id: UUID) -> None:
    # Of two who come at once the second waits here for the first one's commit, and then finds it used up.
    if not await member_queries.use_invite(ctx.tx, invite["id"]):
        raise InviteRefused(why="It was used as often as it is good for.")
    project_id = invite["project_id"]
    if project_id is not None:
        joined = await member_queries.insert(ctx.tx, project_id=project_id, user_id=user_id, role=invite["role"])
        if not joined:
            raise AlreadyMember
        details = {"role": invite["role"], "invite_id": str(invite["id"])}
        await record(ctx, Fact("member.joined", subject_id=user_id, project_id=project_id, details=details))
    await record(ctx, Fact("invite.used", subject_id=invite["id"], project_id=project_id))
    ctx.after_commit.append(ctx.hub.remembered.forget)
