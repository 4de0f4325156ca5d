"""Sessions: beginning, going on with fresh tokens, and ending."""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from hub.auth import queries, session_queries, tokens
from hub.auth.letters import SESSION_STOLEN, write_to
from hub.auth.models import EndedBecause, Refresh, Session, Tokens
from hub.auth.problems import CrossSite, RefreshRefused
from hub.kit import wire
from hub.kit.context import Context, Principal
from hub.kit.crypto import new_token
from hub.kit.pages import Page
from hub.kit.problems import NotFound, Problem
from hub.ledger.service import Fact, record

COOKIE: Final = "etp_refresh"
COOKIE_PATH: Final = wire.API_PREFIX + "/auth"
# Over HTTPS the browser itself warrants by the prefix that this host set it, for itself alone, encrypted.
HOST_COOKIE: Final = "__Host-etp_refresh"
_ENDED: Final[dict[EndedBecause, str]] = {
    "logout": "It was logged out.",
    "everywhere": "All sessions of this account were logged out.",
    "reuse": "A refresh token was used twice, so the session was ended for safety.",
    "password": "The password was changed.",
    "mfa": "The second factor was changed.",
    "revoked": "It was ended from another session.",
    "operator": "Whoever runs the hub ended it.",
    "disabled": "The account was disabled.",
}


async def begin(ctx: Context, *, user_id: UUID, name: str, browser: bool) -> Tokens:
    """Begin a session of a user who has proved who they are; the one that this browser had before ends."""
    if browser:
        _check_own_page(ctx)
        await _end_former(ctx)
    session_id = uuid4()
    ctx.principal = Principal("user", user_id, name, session_id)
    expires_at = _expiry(ctx, ctx.hub.clock.now())
    await session_queries.insert(
        ctx.tx,
        session_id=session_id,
        user_id=user_id,
        client="browser" if browser else "script",
        address=ctx.address,
        user_agent=ctx.user_agent,
        expires_at=expires_at,
    )
    return await _issue(ctx, user_id=user_id, name=name, session_id=session_id, expires_at=expires_at, browser=browser)


async def refresh(ctx: Context, request: Refresh) -> Tokens | Problem:
    """Trade a refresh token for a new pair.

    A spent token ends its whole session and a letter tells the user; the refusal is returned, not raised, so that this
    is committed.
    """
    token = request.refresh_token
    if token is None:
        _check_own_page(ctx)
        token = ctx.request.cookies.get(_cookie_name(ctx))
    if token is None:
        return RefreshRefused(why="No refresh token was sent.")
    row = await session_queries.lock_refresh(ctx.tx, ctx.hub.keys.digest(token))
    user = None if row is None else await queries.user_by_id(ctx.tx, row["user_id"])
    if row is None or user is None or row["expired"] or user["disabled_at"] is not None:
        return RefreshRefused(why="The refresh token is unknown or has expired.")
    if row["ended"]:
        return RefreshRefused(why=_ENDED[row["ended_because"]])
    ctx.principal = Principal("user", user["id"], user["name"], row["session_id"])
    if row["spent_at"] is not None:
        await end(ctx, row["session_id"], "reuse")
        await record(ctx, Fact("session.reuse_detected", subject_id=row["session_id"]))
        await write_to(ctx, user, SESSION_STOLEN)
        return RefreshRefused(why=_ENDED["reuse"])
    await session_queries.spend_refresh(ctx.tx, row["id"])
    expires_at = _expiry(ctx, row["created_at"])
    await session_queries.touch(
        ctx.tx, session_id=row["session_id"], address=ctx.address, user_agent=ctx.user_agent, expires_at=expires_at
    )
    # Whoever got the token as a cookie gets the next one as a cookie: a script may not turn one into the other.
    browser = row["client"] == "browser"
    return await _issue(
        ctx,
        user_id=user["id"],
        name=user["name"],
        session_id=row["session_id"],
        expires_at=expires_at,
        browser=browser,
    )


async def log_out(ctx: Context, *, everywhere: bool) -> None:
    """End the session that asks, or all of its user."""
    if everywhere:
        ended = await end_all(ctx, ctx.caller.id, "everywhere")
        await record(ctx, Fact("user.logged_out_everywhere", subject_id=ctx.caller.id, details={"sessions": ended}))
    else:
        await end(ctx, ctx.caller.credential_id, "logout")
        await record(ctx, Fact("user.logged_out", subject_id=ctx.caller.id))
    ctx.cookies.append(_cookie(ctx, "", max_age_s=0))


async def list_mine(ctx: Context) -> Page[Session]:
    """List the caller's sessions, those that go on first."""
    rows = await session_queries.of_user(ctx.tx, ctx.caller.id)
    return Page(items=[Session(**dict(row), current=row["id"] == ctx.caller.credential_id) for row in rows])


async def end_mine(ctx: Context, session_id: UUID) -> None:
    """End one of the caller's sessions; raises NotFound when it is none or over."""
    if not await end(ctx, session_id, "revoked"):
        raise NotFound(noun="session")
    await record(ctx, Fact("session.ended", subject_id=session_id))


async def end(ctx: Context, session_id: UUID | None, because: EndedBecause) -> bool:
    """End a session of the caller; its tokens are refused from now on."""
    ctx.after_commit.append(ctx.hub.remembered.forget)
    return session_id is not None and await session_queries.end(
        ctx.tx, session_id=session_id, user_id=ctx.caller.id, because=because
    )


async def end_all(ctx: Context, user_id: UUID, because: EndedBecause, but: UUID | None = None) -> int:
    """End all sessions of a user but one; returns how many."""
    ctx.after_commit.append(ctx.hub.remembered.forget)
    return await session_queries.end_all(ctx.tx, user_id=user_id, because=because, but=but)


async def _end_former(ctx: Context) -> None:
    """End the session whose cookie came along: whoever holds the cookie holds the session."""
    token = ctx.request.cookies.get(_cookie_name(ctx))
    former = None if token is None else await session_queries.lock_refresh(ctx.tx, ctx.hub.keys.digest(token))
    if former is not None:
        ctx.after_commit.append(ctx.hub.remembered.forget)
        await session_queries.end(ctx.tx, session_id=former["session_id"], user_id=former["user_id"], because="logout")


def _check_own_page(ctx: Context) -> None:
    """Raise CrossSite for a request that another site's page made: a cookie alone does not tell."""
    if ctx.request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        raise CrossSite


def _expiry(ctx: Context, began_at: datetime) -> datetime:
    """Return until when a session may rest before it is over; whatever happens, it ends some day."""
    settings = ctx.hub.settings
    rest = ctx.hub.clock.now() + timedelta(seconds=settings.refresh_token_s)
    return min(rest, began_at + timedelta(seconds=settings.session_s))


async def _issue(
    ctx: Context, *, user_id: UUID, name: str, session_id: UUID, expires_at: datetime, browser: bool
) -> Tokens:
    lifetime_s = ctx.hub.settings.access_token_s
    fresh = new_token(tokens.REFRESH_PREFIX)
    await session_queries.insert_refresh(
        ctx.tx, session_id=session_id, digest=ctx.hub.keys.digest(fresh), expires_at=expires_at
    )
    access = tokens.issue(
        ctx.hub.keys, ctx.hub.clock, user_id=user_id, session_id=session_id, name=name, lifetime_s=lifetime_s
    )
    if browser:
        max_age_s = max(0, int((expires_at - ctx.hub.clock.now()).total_seconds()))
        ctx.cookies.append(_cookie(ctx, fresh, max_age_s=max_age_s))
    return Tokens(access_token=access, expires_in=lifetime_s, refresh_token=None if browser else fresh)


def _cookie_name(ctx: Context) -> str:
    return HOST_COOKIE if ctx.https else COOKIE


def _cookie(ctx: Context, value: str, *, max_age_s: int) -> dict[str, Any]:
    return {
        "name": _cookie_name(ctx),
        "value": value,
        "max_age": max_age_s,
        "path": "/" if ctx.https else COOKIE_PATH,
        "httponly": True,
        "samesite": "Strict",
        "secure": ctx.https,
    }
