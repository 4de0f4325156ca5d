"""Headers of safety that every answer carries."""

import math
from typing import Final

from aiohttp import web

from hub.kit.arrival import Arrival
from hub.kit.limits import Rate, Verdict

SERVER: Final = "etp"
_HSTS: Final = "max-age=31536000; includeSubDomains"
_OF_EVERY_ANSWER: Final = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Content-Security-Policy", "default-src 'none'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"),
    ("Cache-Control", "no-store"),
)
# Charts measure their memory only in a page that shares its process with no other site.
_OF_PAGES: Final = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Permissions-Policy": (
        "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), hid=(), magnetometer=(), "
        "microphone=(), midi=(), payment=(), publickey-credentials-get=(), serial=(), usb=()"
    ),
}
_PAGE_POLICY: Final = (
    "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'{nonce}; font-src 'self'; "
    "img-src 'self' data: blob:; connect-src 'self'; manifest-src 'self'; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)


def of_page(nonce: str | None = None) -> dict[str, str]:
    """Return the headers of a page or a file of the dashboard; style elements need the nonce of their page."""
    return _OF_PAGES | {"Content-Security-Policy": _PAGE_POLICY.format(nonce=f" 'nonce-{nonce}'" if nonce else "")}


def add(response: web.StreamResponse, arrival: Arrival) -> None:
    """Add what the answer does not say by itself."""
    headers = response.headers
    headers["X-Request-ID"] = arrival.request_id
    headers["Server"] = SERVER  # without versions: they help only those who look for old ones
    for name, value in _OF_EVERY_ANSWER:
        headers.setdefault(name, value)
    if arrival.https:
        headers["Strict-Transport-Security"] = _HSTS
    if arrival.allowance is not None:
        headers.update(_of_allowance(*arrival.allowance))


def _of_allowance(rate: Rate, verdict: Verdict) -> dict[str, str]:
    """Tell what is left: as the draft has it now (RateLimit, RateLimit-Policy), and as clients know it from before."""
    limit, left, full_s = int(rate.burst), max(0, int(verdict.left)), math.ceil(verdict.full_s)
    return {
        "RateLimit-Policy": f'"requests";q={limit};w={max(1, round(rate.burst / rate.per_s))}',
        "RateLimit": f'"requests";r={left};t={full_s}',
        "RateLimit-Limit": str(limit),
        "RateLimit-Remaining": str(left),
        "RateLimit-Reset": str(full_s),
    }
