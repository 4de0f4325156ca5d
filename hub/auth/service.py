"""Logging in, staying logged in, logging out."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from hub.auth import queries, tokens
from hub.auth.models import Login, Me, Membership, Refresh, Tokens
from hub.auth.problems import LoginFailed, RefreshRefused
from hub.kit import wire
from hub.kit.context import Context, Principal
from hub.kit.crypto import new_token
from hub.kit.db import Tx
from hub.ledger.service import Fact, record

COOKIE = "etp_refresh"
COOKIE_PATH = wire.API_PREFIX + "/auth"
_HASHER = PasswordHasher()
# Verifying against this takes as long as against a real hash, so that the answer's time names no users.
_NOBODY = _HASHER.hash("nobody has this password")


def hash_password(password: str) -> str:
    """Hash with argon2id and the library's recommended cost."""
    return _HASHER.hash(password)


def _matches(password_hash: str, password: str) -> bool:
    try:
        return _HASHER.verify(password_hash, password)
    except VerificationError:
        return False


async def ensure_user(tx: Tx, *, email: str, name: str, password: str) -> UUID:
    """Create the user, or give an existing one this name and password; returns its id."""
    password_hash = await asyncio.to_thread(hash_password, password)
    return await queries.upsert_user(tx, email=email.lower(), name=name, password_hash=password_hash)


async def login(ctx: Context, credentials: Login) -> Tokens:
    """Check e-mail and password and begin a session; raises LoginFailed."""
    user = await queries.user_by_email(ctx.tx, credentials.email)
    right = await asyncio.to_thread(_matches, user["password_hash"] if user else _NOBODY, credentials.password)
    if user is None or not right:
        raise LoginFailed
    ctx.principal = Principal("user", user["id"], user["name"])
    await record(ctx, Fact("user.logged_in", subject_id=user["id"]))
    return await _issue(ctx, user["id"], user["name"], uuid4(), browser=credentials.client == "browser")


async def refresh(ctx: Context, request: Refresh) -> Tokens | RefreshRefused:
    """Trade a refresh token for a new pair.

    A spent token ends its whole session; the refusal is returned, not raised, so that this is committed.
    """
    cookie = ctx.request.cookies.get(COOKIE)
    token = request.refresh_token or cookie
    if token is None:
        return RefreshRefused(why="No refresh token was sent.")
    row = await queries.lock_refresh(ctx.tx, ctx.hub.keys.digest(token))
    if row is None or row["expired"] or row["revoked"]:
        return RefreshRefused(why="The refresh token is unknown, expired or was revoked.")
    if row["spent_at"] is not None:
        await queries.revoke_family(ctx.tx, row["family_id"])
        await record(ctx, Fact("session.reuse_detected", subject_id=row["user_id"]))
        return RefreshRefused(why="A refresh token was used twice, so the session was ended for safety.")
    await queries.spend_refresh(ctx.tx, row["id"])
    user = await queries.user_by_id(ctx.tx, row["user_id"])
    if user is None:
        return RefreshRefused(why="The user no longer exists.")
    browser = request.refresh_token is None
    return await _issue(ctx, user["id"], user["name"], row["family_id"], browser=browser)


async def logout(ctx: Context) -> None:
    """End the session of the access token that asks."""
    token = tokens.verify(ctx.hub.keys, ctx.request.headers["Authorization"].partition(" ")[2].strip())
    await queries.revoke_family(ctx.tx, token.family_id)
    await record(ctx, Fact("user.logged_out", subject_id=token.user_id))
    ctx.cookies.append(_cookie("", max_age_s=0, secure=_secure(ctx)))


async def me(ctx: Context) -> Me:
    """Tell who is logged in and where they are members."""
    user = await queries.user_by_id(ctx.tx, ctx.caller.id)
    if user is None:
        raise LoginFailed
    rows = await queries.memberships(ctx.tx, ctx.caller.id)
    return Me(id=user["id"], email=user["email"], name=user["name"], projects=[Membership(**dict(row)) for row in rows])


async def _issue(ctx: Context, user_id: UUID, name: str, family_id: UUID, *, browser: bool) -> Tokens:
    settings = ctx.hub.settings
    fresh = new_token("etpr")
    await queries.insert_refresh(
        ctx.tx,
        family_id=family_id,
        user_id=user_id,
        digest=ctx.hub.keys.digest(fresh),
        expires_at=ctx.hub.clock.now() + timedelta(seconds=settings.refresh_token_s),
    )
    access = tokens.issue(
        ctx.hub.keys,
        ctx.hub.clock,
        user_id=user_id,
        family_id=family_id,
        name=name,
        lifetime_s=settings.access_token_s,
    )
    if browser:
        ctx.cookies.append(_cookie(fresh, max_age_s=settings.refresh_token_s, secure=_secure(ctx)))
    return Tokens(access_token=access, expires_in=settings.access_token_s, refresh_token=None if browser else fresh)


def _secure(ctx: Context) -> bool:
    return (ctx.hub.settings.public_url or "").startswith("https://")


def _cookie(value: str, *, max_age_s: int, secure: bool) -> dict[str, Any]:
    return {
        "name": COOKIE,
        "value": value,
        "max_age": max_age_s,
        "path": COOKIE_PATH,
        "httponly": True,
        "samesite": "Strict",
        "secure": secure,
    }
