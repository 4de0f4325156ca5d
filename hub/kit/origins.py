"""Which pages of other sites may use the API from a browser: none, but those that the settings list."""

from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from hub.kit.context import Context
from hub.kit.problems import Problem

_METHODS: Final = "GET, POST, PUT, PATCH, DELETE"
_TAKEN: Final = "Authorization, Content-Type, Content-Encoding, Idempotency-Key, If-None-Match, X-OTP"
_SHOWN: Final = (
    "X-Request-ID, Retry-After, RateLimit, RateLimit-Policy, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, "
    "ETag, Content-Disposition"
)


class ForeignOrigin(Problem):
    """This page may not connect."""

    status = 403
    detail = "Only the dashboard's own pages may, and the origins in ETP_CORS_ORIGINS."


def add_headers(request: web.BaseRequest, response: web.StreamResponse, listed: frozenset[str]) -> None:
    """Let a listed origin read the answer; never with credentials, for tokens are sent by hand."""
    if not listed:
        return
    response.headers.add("Vary", "Origin")
    origin = request.headers.get("Origin")
    if origin in listed:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = _SHOWN


def preflight(request: web.BaseRequest, listed: frozenset[str]) -> web.Response | None:
    """Answer a browser that asks whether a listed origin may send a request; None when this is no such question."""
    if (
        request.method != "OPTIONS"
        or "Access-Control-Request-Method" not in request.headers
        or request.headers.get("Origin") not in listed
    ):
        return None
    allowed = {
        "Access-Control-Allow-Methods": _METHODS,
        "Access-Control-Allow-Headers": _TAKEN,
        "Access-Control-Max-Age": "600",
    }
    return web.Response(status=204, headers=allowed)


def check(ctx: Context) -> None:
    """Refuse a WebSocket that a foreign page opens, which no browser hinders; raises ForeignOrigin."""
    origin = ctx.request.headers.get("Origin")
    if origin is None or origin in ctx.hub.settings.cors_origins:
        return  # no browser, or one that may
    own = {ctx.request.headers.get("Host", ""), urlsplit(ctx.hub.settings.public_url or "").netloc}
    if not origin.startswith(("http://", "https://")) or origin.partition("://")[2] not in own - {""}:
        raise ForeignOrigin
