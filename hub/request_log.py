"""The request log: one event for each request once its answer has been sent."""

import re
from time import monotonic
from typing import Final

import structlog
from aiohttp import web
from aiohttp.abc import AbstractAccessLogger

from contract.masking import MASK, is_secret
from hub.kit.arrival import ARRIVAL
from hub.kit.context import HUB

log = structlog.get_logger("hub.requests")

SAMPLE_S: Final = 10.0
MOST_KINDS: Final = 1000
# Asked every few seconds by whoever watches the hub.
UNLOGGED: Final = frozenset({"/healthz", "/readyz", "/metrics"})


class Sampler:
    """Lets the first of each kind through in ten seconds, and counts the others."""

    def __init__(self) -> None:
        self._seen: dict[object, tuple[float, int]] = {}

    def take(self, kind: object, now_s: float) -> int | None:
        """Tell how many of this kind were not shown since the last that was; None when this one is not, either."""
        shown_at_s, unshown = self._seen.get(kind, (-SAMPLE_S, 0))
        if now_s < shown_at_s + SAMPLE_S:
            self._seen[kind] = (shown_at_s, unshown + 1)
            return None
        if len(self._seen) >= MOST_KINDS:
            self._seen.clear()
        self._seen[kind] = (now_s, 0)
        return unshown


_sampler: Final = Sampler()
# Where devices of ThingsBoard put their tokens, also when they ask for what is not there or write slashes twice: what
# stands before a word of their API, and what is no plain word where all our addresses have one.
_DEVICE_API: Final = re.compile(
    r"""
    ^ (/+ api /+ v1 /+)
    (?: [^/]+ (?= /+ (?:telemetry|attributes|rpc|claim|firmware|software) (?:/|$) )
      | (?! [a-z][a-z-]{0,23} (?:\.json)? (?:/|$) ) [^/]+ )
    """,
    re.VERBOSE,
)


class RequestLog(AbstractAccessLogger):
    """Writes the log; aiohttp makes one for each connection."""

    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        """Write one event; of sampled routes now and then, with how many like it came since (`unlogged`)."""
        route = _route(request)
        arrival = request.get(ARRIVAL)
        if arrival is None or route in UNLOGGED:
            return
        if isinstance(request, web.Request) and _is_routed(request):
            request.app[HUB].meters.note_request(request.method, route, response.status, time)
        more: dict[str, object] = {}
        if arrival.sampled:
            unlogged = _sampler.take((request.method, route, response.status), monotonic())
            if unlogged is None:
                return
            more["unlogged"] = unlogged
        if arrival.principal is not None:
            credential = arrival.principal.credential_id
            more |= {
                "principal": arrival.principal.kind,
                "principal_id": str(arrival.principal.id),
                "credential_id": None if credential is None else str(credential),
            }
        log.info(
            "request",
            method=request.method,
            route=route,
            path=path_of(request),
            status=response.status,
            duration_ms=round(time * 1000, 2),
            bytes=response.body_length,
            address=arrival.address,
            request_id=arrival.request_id,
            **more,
        )


def _route(request: web.BaseRequest) -> str | None:
    resource = request.match_info.route.resource if isinstance(request, web.Request) and _is_routed(request) else None
    return None if resource is None else resource.canonical


def _is_routed(request: web.Request) -> bool:
    return request._match_info is not None  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - match_info asserts it


def path_of(request: web.BaseRequest) -> str:
    """Return the path without its query, and without the tokens that some devices put into it."""
    path = request.path
    if isinstance(request, web.Request) and _is_routed(request):
        for name, value in request.match_info.items():
            if value and is_secret(name):
                path = path.replace(value, MASK)
    return _DEVICE_API.sub(rf"\1{MASK}", path)[:500]
