"""Personal tokens: made for scripts and CI, shown once, and when they were last used."""

import asyncio
from datetime import timedelta
from typing import Final
from uuid import UUID

import structlog

from hub.auth import queries, token_queries, tokens
from hub.auth.models import PersonalToken, PersonalTokenCreate
from hub.kit.context import Context, Hub
from hub.kit.crypto import new_token
from hub.kit.pages import Page
from hub.kit.problems import DatabaseAway, NotFound
from hub.ledger.service import Fact, record

log = structlog.get_logger(__name__)

NOTE_S: Final = 15.0


async def create(ctx: Context, body: PersonalTokenCreate) -> PersonalToken:
    """Make a personal token of the caller; its text is in this answer only. Raises NotFound for a project of others."""
    mine = {row["id"] for row in await queries.memberships(ctx.tx, ctx.caller.id)}
    if body.project_id is not None and body.project_id not in mine:
        raise NotFound(noun="project")
    token = new_token(tokens.PERSONAL_PREFIX.rstrip("_"))
    token_id = await token_queries.insert(
        ctx.tx,
        user_id=ctx.caller.id,
        project_id=body.project_id,
        name=body.name,
        digest=ctx.hub.keys.digest(token),
        scope=body.scope,
        expires_at=ctx.hub.clock.now() + timedelta(days=body.expires_in_days),
    )
    # A token for one project belongs to that project's trail, and to no other's.
    made = Fact("personal_token.created", token_id, body.project_id, body.model_dump(exclude={"project_id"}))
    await record(ctx, made)
    listed = next(one for one in (await list_mine(ctx)).items if one.id == token_id)
    return listed.model_copy(update={"token": token})


async def list_mine(ctx: Context) -> Page[PersonalToken]:
    """List the caller's personal tokens, the newest first."""
    return Page(items=[PersonalToken(**dict(row)) for row in await token_queries.of_user(ctx.tx, ctx.caller.id)])


async def revoke(ctx: Context, token_id: UUID) -> None:
    """Revoke one of the caller's personal tokens."""
    token = await token_queries.revoke(ctx.tx, token_id=token_id, user_id=ctx.caller.id)
    if token is None:
        raise NotFound(noun="personal token")
    await record(ctx, Fact("personal_token.revoked", token_id, token["project_id"], {"name": token["name"]}))


async def note_uses(hub: Hub) -> None:
    """Write down every fifteen seconds which personal tokens were used, until cancelled."""
    while True:
        await asyncio.sleep(NOTE_S)
        used = list(hub.tokens_used)
        if not used:
            continue
        try:
            async with hub.db.transaction() as tx:
                await token_queries.touch(tx, used)
        except DatabaseAway:
            log.info("uses of tokens are noted later, the database is away")
        else:
            hub.tokens_used.difference_update(used)
