"""Who asks: everybody, or a user by a session's access token or a personal token."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from hub.auth import session_queries, token_queries, tokens
from hub.auth.models import Scope
from hub.auth.problems import SessionNeeded, TokenNotEnough, TokenOfOneProject
from hub.kit.context import Context, Principal
from hub.kit.db import Tx
from hub.kit.endpoint import Access
from hub.kit.problems import Problem, Unauthenticated

SCOPE_RANK: dict[Scope, int] = {"read": 0, "write": 1, "admin": 2}


@dataclass(frozen=True)
class Personal(Principal):
    """A user who showed a personal token, which narrows what they may do."""

    scope: Scope = "read"
    project_id: UUID | None = None


def bearer(ctx: Context) -> str:
    """Return the bearer token of the request; raises Unauthenticated without one."""
    scheme, _, token = ctx.request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated
    return token.strip()


async def identify(ctx: Context, needs: Scope | None) -> Principal:
    """Find out which user asks and set the principal; raises what `user_of` raises."""
    ctx.principal = await user_of(ctx, bearer(ctx), needs)
    return ctx.principal


async def user_of(ctx: Context, token: str, needs: Scope | None) -> Principal:
    """Find the user who holds an access token or a personal token; raises Unauthenticated.

    A personal token must reach `needs`, else TokenNotEnough; where that is None only a session is admitted.
    """
    if not token.startswith(tokens.PERSONAL_PREFIX):
        return await _of_session(ctx, token)
    personal = await _of_personal(ctx, token)
    if needs is None:
        raise SessionNeeded
    if SCOPE_RANK[personal.scope] < SCOPE_RANK[needs]:
        raise TokenNotEnough(needed=needs, scope=personal.scope)
    return personal


async def _of_session(ctx: Context, token: str) -> Principal:
    key = ("access token", tokens.digest(ctx.hub.keys, token))
    known: Principal | None = ctx.hub.remembered.known(key)
    if known is not None and ctx.hub.clock.now_us() < known.expires_at_s * 1e6:
        return known
    access = tokens.verify(ctx.hub.keys, ctx.hub.clock, token)

    async def load(tx: Tx) -> Principal | None:
        if not await session_queries.goes_on(tx, access.session_id, access.user_id):
            return None
        return Principal("user", access.user_id, access.name, access.session_id, access.expires_at_s)

    user = await ctx.hub.remembered.get(key, load)
    if user is None:
        raise Unauthenticated("This session was ended; log in again.")
    return user


async def _of_personal(ctx: Context, token: str) -> Personal:
    digest = ctx.hub.keys.digest(token)
    row = await ctx.hub.remembered.get(("personal token", digest), lambda tx: token_queries.by_digest(tx, digest))
    if row is None or row["expires_at"] <= ctx.hub.clock.now():
        raise Unauthenticated("No personal token that is still good looks like this.")
    ctx.hub.tokens_used.add(row["id"])
    return Personal(
        kind="user",
        id=row["user_id"],
        name=row["user_name"],
        credential_id=row["id"],
        expires_at_s=row["expires_at"].timestamp(),
        scope=row["scope"],
        project_id=row["project_id"],
    )


class Public(Access):
    """Admits everybody."""

    @property
    def rule(self) -> str:
        """Return who is admitted."""
        return "public"

    async def admit(self, ctx: Context) -> None:
        """Admit."""


@dataclass(frozen=True)
class LoggedIn(Access):
    """Admits every user; `needs` is the scope that a personal token must have, None admits sessions only.

    `unbound` refuses tokens that are bound to one project.
    """

    needs: Scope | None
    unbound: bool = False

    @property
    def scheme(self) -> str | None:
        """Return the name of the OpenAPI security scheme."""
        return "user"

    @property
    def rule(self) -> str:
        """Return who is admitted."""
        if self.needs is None:
            return "logged in, no personal token"
        return f"logged in, or a token with {self.needs}" + (" in all projects" if self.unbound else "")

    @property
    def problems(self) -> Sequence[type[Problem]]:
        """Return what the rule may answer."""
        bound = (TokenOfOneProject,) if self.unbound else ()
        return (Unauthenticated, SessionNeeded if self.needs is None else TokenNotEnough, *bound)

    async def admit(self, ctx: Context) -> None:
        """Identify the user."""
        user = await identify(ctx, self.needs)
        if self.unbound and isinstance(user, Personal) and user.project_id is not None:
            raise TokenOfOneProject


PUBLIC = Public()
SESSION = LoggedIn(None)
READER = LoggedIn("read")
UNBOUND_ADMIN = LoggedIn("admin", unbound=True)
