"""Accounts: registering by invite, logging in, passwords, and who one is."""

import secrets
from datetime import timedelta
from typing import Final
from uuid import UUID

import asyncpg

from hub.auth import otp, otp_queries, passwords, queries, session_queries, sessions, throttle, token_queries
from hub.auth.access import Personal
from hub.auth.letters import PASSWORD_CHANGED, PASSWORD_RESET, link, write_to
from hub.auth.models import Login, Me, Membership, PasswordChange, PasswordReset, Registration, Tokens
from hub.auth.problems import EmailTaken, LoginFailed, OtpRefused, OtpRequired, ResetRefused
from hub.kit.context import Context, Principal
from hub.kit.db import Tx
from hub.kit.problems import Problem, Unauthenticated
from hub.ledger.service import Fact, record, record_for_system

RESET_S: Final = 3600


async def ensure_user(tx: Tx, *, email: str, name: str, password: str) -> UUID:
    """Create the user, or give an existing one this name and password; returns its id. For the operator."""
    password_hash = await passwords.hash_password(password)
    user_id = await queries.upsert_user(tx, email=email.lower(), name=name, password_hash=password_hash)
    await session_queries.end_all(tx, user_id=user_id, because="password")
    await queries.void_resets(tx, user_id)
    return user_id


async def anybody(tx: Tx) -> bool:
    """Tell whether anybody has an account."""
    return await queries.any_user(tx)


async def set_disabled(tx: Tx, email: str, *, disabled: bool) -> bool:
    """Shut a user out or let them in again, for the operator; False when there is no such user."""
    user_id = await queries.set_disabled(tx, email, disabled=disabled)
    if user_id is not None:
        if disabled:  # what ended does not come back when the user does
            await session_queries.end_all(tx, user_id=user_id, because="disabled")
            await token_queries.revoke_all(tx, user_id)
        kind = "user.disabled" if disabled else "user.enabled"
        await record_for_system(tx, Fact(kind, subject_id=user_id), by="operator")
    return user_id is not None


async def reset_mfa(tx: Tx, email: str) -> bool:
    """Forget a user's second factor and end the sessions, for the operator; False when there is no such user."""
    user = await queries.user_by_email(tx, email)
    if user is None:
        return False
    await otp.clear(tx, user["id"])
    await session_queries.end_all(tx, user_id=user["id"], because="mfa")
    await record_for_system(tx, Fact("mfa.reset", subject_id=user["id"]), by="operator")
    return True


async def end_sessions(tx: Tx, email: str | None) -> int | None:
    """End all sessions of a user, or of everybody; returns how many, None when there is no such user."""
    if email is None:
        ended = await session_queries.end_everybodys(tx, "operator")
        await record_for_system(tx, Fact("session.all_ended", details={"sessions": ended}), by="operator")
        return ended
    user = await queries.user_by_email(tx, email)
    if user is None:
        return None
    ended = await session_queries.end_all(tx, user_id=user["id"], because="operator")
    fact = Fact("user.logged_out_everywhere", subject_id=user["id"], details={"sessions": ended})
    await record_for_system(tx, fact, by="operator")
    return ended


async def register(ctx: Context, body: Registration) -> UUID:
    """Open an account and act as its user from here on; raises InvalidPayload for a weak password, EmailTaken."""
    await passwords.check_new(body.password, field="password", about=[body.email, body.name])
    password_hash = await passwords.hash_password(body.password)
    user_id = await queries.insert_user(ctx.tx, email=body.email, name=body.name, password_hash=password_hash)
    if user_id is None:
        raise EmailTaken
    ctx.principal = Principal("user", user_id, body.name)
    await record(ctx, Fact("user.registered", subject_id=user_id))
    return user_id


async def login(ctx: Context, credentials: Login) -> Tokens | Problem:
    """Check e-mail, password and second factor and begin a session; raises TooManyAttempts.

    LoginFailed, OtpRequired and OtpRefused are returned, not raised, so that the fact of the attempt is committed.
    """
    user = await queries.user_by_email(ctx.tx, credentials.email)
    try:
        user = await _proven(ctx, credentials, user)
    except (LoginFailed, OtpRefused) as refused:
        # Nothing of what was typed: it may be a password in the wrong field.
        details = {"why": refused.code()}
        await record(ctx, Fact("user.login_failed", subject_id=user["id"] if user else None, details=details))
        return refused
    except OtpRequired as asked:
        # Whoever stole the password learns here that it is right.
        await record(ctx, Fact("user.code_asked", subject_id=user["id"] if user else None))
        return asked
    ctx.principal = Principal("user", user["id"], user["name"])
    if passwords.is_outdated(user["password_hash"]):
        await queries.put_password(ctx.tx, user["id"], await passwords.hash_password(credentials.password))
    tokens = await sessions.begin(ctx, user_id=user["id"], name=user["name"], browser=credentials.client == "browser")
    details = {"second_factor": bool(user["has_otp"])}
    await record(ctx, Fact("user.logged_in", subject_id=user["id"], details=details))
    return tokens


async def _proven(ctx: Context, credentials: Login, user: asyncpg.Record | None) -> asyncpg.Record:
    async with throttle.attempt(ctx, credentials.email, user["id"] if user else None):
        right = await passwords.matches(user["password_hash"] if user else None, credentials.password)
        if user is None or not right or user["disabled_at"] is not None:
            raise LoginFailed
    if user["has_otp"]:
        if credentials.otp is None:
            raise OtpRequired
        await otp.check(ctx, ctx.tx, user["id"], credentials.otp)
    return user


async def forget_password(ctx: Context, email: str) -> None:
    """Send a one-time link to the account of this address; nobody is told whether there is one."""
    await throttle.of_address(ctx, "forgotten passwords")
    user = await queries.user_by_email(ctx.tx, email)
    if user is None or user["disabled_at"] is not None or not await throttle.may_write_to(ctx, user["id"]):
        return
    token = secrets.token_urlsafe(32)
    await queries.insert_reset(
        ctx.tx,
        digest=ctx.hub.keys.digest(token),
        user_id=user["id"],
        expires_at=ctx.hub.clock.now() + timedelta(seconds=RESET_S),
    )
    # After the #, so that the token reaches no server's log and no Referer.
    await write_to(ctx, user, PASSWORD_RESET, link=link(ctx, f"/reset#{token}"))
    ctx.principal = Principal("user", user["id"], user["name"])
    await record(ctx, Fact("password.reset_asked", subject_id=user["id"]))


async def reset_password(ctx: Context, body: PasswordReset) -> None:
    """Set a new password with the token of a link; all sessions and links of the user end. Raises ResetRefused."""
    await throttle.of_address(ctx, "password resets")
    user_id = await queries.use_reset(ctx.tx, ctx.hub.keys.digest(body.token), ctx.address)
    user = None if user_id is None else await queries.user_by_id(ctx.tx, user_id)
    if user is None or user["disabled_at"] is not None:
        raise ResetRefused
    ctx.principal = Principal("user", user["id"], user["name"])
    await _set_password(ctx, user, body.password, field="password")
    await record(ctx, Fact("password.reset", subject_id=user["id"]))


async def change_password(ctx: Context, body: PasswordChange) -> None:
    """Replace the caller's password; the caller's other sessions end. Raises PasswordWrong, MfaRequired, OtpRefused."""
    user = await passwords.prove_password(ctx, body.password)
    if user["has_otp"]:
        await otp.check(ctx, ctx.tx, user["id"], otp.shown(ctx, body.otp))
    await _set_password(ctx, user, body.new_password, field="new_password", but=ctx.caller.credential_id)
    await record(ctx, Fact("password.changed", subject_id=user["id"]))


async def _set_password(
    ctx: Context, user: asyncpg.Record, password: str, *, field: str, but: UUID | None = None
) -> None:
    await passwords.check_new(password, field=field, about=[user["email"], user["name"]])
    await queries.put_password(ctx.tx, user["id"], await passwords.hash_password(password))
    await queries.void_resets(ctx.tx, user["id"])
    await sessions.end_all(ctx, user["id"], "password", but=but)
    await write_to(ctx, user, PASSWORD_CHANGED)


async def me(ctx: Context) -> Me:
    """Tell who is logged in and where they are members."""
    user = await queries.user_by_id(ctx.tx, ctx.caller.id)
    if user is None:
        raise Unauthenticated
    only = ctx.caller.project_id if isinstance(ctx.caller, Personal) else None
    rows = [row for row in await queries.memberships(ctx.tx, ctx.caller.id) if only in {None, row["id"]}]
    return Me(
        id=user["id"],
        email=user["email"],
        name=user["name"],
        mfa=user["has_otp"],
        recovery_codes_left=await otp_queries.recovery_codes_left(ctx.tx, user["id"]) if user["has_otp"] else 0,
        projects=[Membership(**dict(row)) for row in rows],
    )
