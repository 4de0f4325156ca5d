"""Routes of logging in and out."""

from hub.auth import service
from hub.auth.access import LOGGED_IN, PUBLIC
from hub.auth.models import Login, Me, Refresh, Tokens
from hub.auth.problems import LoginFailed, RefreshRefused
from hub.kit.context import Context
from hub.kit.endpoint import Routes

routes = Routes("auth")


@routes.route("POST", "/auth/login", access=PUBLIC, answer=Tokens, problems=[LoginFailed])
async def log_in(ctx: Context, body: Login) -> Tokens:
    """Log in with e-mail and password."""
    return await service.login(ctx, body)


@routes.route("POST", "/auth/refresh", access=PUBLIC, answer=Tokens, problems=[RefreshRefused])
async def refresh(ctx: Context, body: Refresh) -> Tokens | RefreshRefused:
    """Trade a refresh token for a new pair of tokens."""
    return await service.refresh(ctx, body)


@routes.route("POST", "/auth/logout", access=LOGGED_IN, status=204)
async def log_out(ctx: Context) -> None:
    """End this session."""
    await service.logout(ctx)


@routes.route("GET", "/auth/me", access=LOGGED_IN, answer=Me, problems=[LoginFailed])
async def read_me(ctx: Context) -> Me:
    """Tell who is logged in, and in which projects."""
    return await service.me(ctx)
