"""The plainest kinds of access: everybody, and whoever is logged in."""

from collections.abc import Sequence

from hub.auth import queries, tokens
from hub.kit.context import Context, Principal
from hub.kit.problems import Problem, Unauthenticated


def bearer(ctx: Context) -> str:
    """Return the bearer token of the request; raises Unauthenticated without one."""
    scheme, _, token = ctx.request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated
    return token.strip()


async def identify(ctx: Context) -> Principal:
    """Find out which user asks, from the access token; raises Unauthenticated."""
    token = tokens.verify(ctx.hub.keys, bearer(ctx))
    if ctx.transaction is not None:
        revoked = await queries.family_revoked(ctx.tx, token.family_id)
    else:
        async with ctx.hub.db.connection() as connection:
            revoked = await queries.family_revoked(connection, token.family_id)
    if revoked:
        raise Unauthenticated("This session was ended; log in again.")
    ctx.principal = Principal("user", token.user_id, token.name)
    return ctx.principal


class Public:
    """Admits everybody."""

    scheme = None
    rule = "public"
    problems: Sequence[type[Problem]] = ()

    async def admit(self, ctx: Context) -> None:
        """Admit."""


class LoggedIn:
    """Admits every user who is logged in."""

    scheme = "user"
    rule = "logged in"
    problems: Sequence[type[Problem]] = (Unauthenticated,)

    async def admit(self, ctx: Context) -> None:
        """Identify the user."""
        await identify(ctx)


PUBLIC = Public()
LOGGED_IN = LoggedIn()
