"""The gateway: what happens to every request before its route and to every answer after it."""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from typing import Any, Final
from urllib.parse import unquote_to_bytes

import structlog
from aiohttp import web

from hub.kit import headers, origins, peers
from hub.kit.arrival import ARRIVAL, Arrival
from hub.kit.problems import AddressBroken, HttpsNeeded, InternalFault, Problem, RequestBroken, from_http_error
from hub.kit.server import Runner
from hub.request_log import RequestLog, path_of
from hub.settings import Settings

log = structlog.get_logger(__name__)

# Asked by whoever keeps the process alive, on the machine itself.
OF_THE_MACHINE: Final = frozenset({"/healthz", "/readyz", "/metrics"})
SETTINGS: Final = web.AppKey("gateway settings", Settings)
# What needs no closer look: no escape, no empty segment, none that begins with a dot.
_PLAIN_PATH: Final = re.compile(r"(?:/[A-Za-z0-9_~!$&'()*+,;=:@-][A-Za-z0-9._~!$&'()*+,;=:@-]*)+/?|/")
_BROKEN_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_FORBIDDEN: Final = re.compile(r"[\x00-\x1f\x7f\\]|//|/\.\.?(?:/|$)")
_ENCODED_SLASH: Final = re.compile(r"%2f", re.IGNORECASE)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def make_runner(app: web.Application, **options: Any) -> Runner:
    """Make what serves an application that was mounted behind the gateway."""
    settings = app[SETTINGS]
    return Runner(
        app,
        lambda request: _arrive(request, settings),
        access_log=logging.getLogger("hub.requests"),
        access_log_class=RequestLog,
        **options,
    )


def mount(app: web.Application, settings: Settings) -> None:
    """Put the gateway before the application's routes."""
    app[SETTINGS] = settings
    app.middlewares.append(answer)
    app.on_response_prepare.append(_add_headers)


@web.middleware
async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give a request its id, refuse it where it is malformed, and turn every exception into a problem document."""
    settings = request.app[SETTINGS]
    arrival = request[ARRIVAL] = _arrive(request, settings)
    try:
        _check(request)
        _check_https(request, arrival, settings)
        asked = origins.preflight(request, settings.cors_origins)
        return await handler(request) if asked is None else asked
    except Problem as raised:
        problem = raised
    except web.HTTPException as error:
        translated = from_http_error(error)
        if translated is None:
            raise
        problem = translated
    except (asyncio.CancelledError, ConnectionResetError):
        raise
    except Exception:
        log.exception("request failed", request_id=arrival.request_id, method=request.method, path=path_of(request))
        problem = InternalFault()
    if request.writer.output_size > 0:
        raise ConnectionResetError("an answer has begun already: only its end can tell that it is not whole")
    return problem.response(arrival.request_id)


def _arrive(request: web.BaseRequest, settings: Settings) -> Arrival:
    # In production nothing is believed: the connection itself, or the proxy that ends TLS, tells.
    always_https = settings.behind_https and settings.env != "production"
    return peers.arrive(request, settings.trusted_proxies, always_https=always_https)


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    arrival = request.get(ARRIVAL)
    if arrival is not None:
        headers.add(response, arrival)
        origins.add_headers(request, response, request.app[SETTINGS].cors_origins)


def _check(request: web.Request) -> None:
    """Refuse what no client of ours sends and what nothing behind can hold; raises AddressBroken, RequestBroken."""
    path = request.rel_url.raw_path
    if not _PLAIN_PATH.fullmatch(path):
        _check_path(path)
    for _, value in request.raw_headers:
        if not value.isascii():
            try:
                value.decode()
            except UnicodeDecodeError as error:
                raise RequestBroken("A header is not UTF-8.") from error


def _check_https(request: web.Request, arrival: Arrival, settings: Settings) -> None:
    if settings.env != "production" or arrival.https or request.path in OF_THE_MACHINE:
        return
    # A broker or an edge agent beside the hub: what it sends crosses no network.
    if not peers.is_neighbour(request):
        raise HttpsNeeded


def _check_path(path: str) -> None:
    if not path.startswith("/") or _BROKEN_ESCAPE.search(path) or _ENCODED_SLASH.search(path):
        raise AddressBroken
    try:
        decoded = unquote_to_bytes(path.encode()).decode()
    except UnicodeError as error:
        raise AddressBroken from error
    if _FORBIDDEN.search(decoded):
        raise AddressBroken
