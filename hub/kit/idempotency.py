"""Idempotency keys: a creating POST repeated with its key gets the first answer again."""

import hashlib

from aiohttp import web

from hub.kit.context import Context
from hub.kit.problems import IdempotencyConflict

HEADER = "Idempotency-Key"


def key_of(ctx: Context) -> str | None:
    """Return the caller's own key for a request; None where nobody was admitted, whose key would be anybody's.

    Asked before the handler, which may admit whoever asks (logging in): such answers hold secrets, and are not kept.
    """
    if ctx.request.method != "POST" or ctx.transaction is None or ctx.principal is None:
        return None
    key = ctx.request.headers.get(HEADER)
    return None if key is None else key[:200]


def _about(ctx: Context, key: str) -> bytes:
    return f"{ctx.caller.id} {key}".encode()


def _fingerprint(ctx: Context, body: bytes) -> bytes:
    # With the role: an answer to an owner may hold what an editor never sees.
    role = "" if ctx.grant is None else ctx.grant.role
    return hashlib.sha256(f"{ctx.request.method} {ctx.request.path} {role}\n".encode() + body).digest()


async def recall(ctx: Context, key: str | None, body: bytes) -> web.Response | None:
    """Return the answer that this key got before; raises IdempotencyConflict when it was for another request."""
    if key is None:
        return None
    # The lock makes a concurrent repetition wait for the first one's commit instead of racing it.
    await ctx.tx.execute("select pg_advisory_xact_lock(hashtextextended($1, 0))", f"{ctx.caller.id} {key}")
    row = await ctx.tx.fetchrow(
        """
        select fingerprint, status, answer
        from idempotency_key
        where principal_id = $1 and key = $2
        """,
        ctx.caller.id,
        key,
    )
    if row is None:
        return None
    if row["fingerprint"] != _fingerprint(ctx, body):
        raise IdempotencyConflict
    answer = await ctx.hub.vault.unseal(row["answer"], _about(ctx, key))
    return web.Response(body=answer, status=row["status"], content_type="application/json")


async def remember(ctx: Context, key: str | None, body: bytes, response: web.StreamResponse) -> None:
    """Keep a success under the request's key, sealed since it may hold a token, in the request's transaction."""
    if key is None or response.status >= 400 or not isinstance(response, web.Response):
        return
    answer = response.body if isinstance(response.body, bytes) else b""
    await ctx.tx.execute(
        """
        insert into idempotency_key (principal_id, key, fingerprint, status, answer)
        values ($1, $2, $3, $4, $5)
        """,
        ctx.caller.id,
        key,
        _fingerprint(ctx, body),
        response.status,
        await ctx.hub.vault.seal(answer, _about(ctx, key)),
    )
