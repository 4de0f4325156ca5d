"""Which routes leave facts: all that change something, and all that show experiment data or a secret."""

import re

from hub.kit.endpoint import Endpoint

# What changes nothing that a person answers for, and why.
NEVER = {
    "POST /api/v1/auth/invite": "shows what a code is good for",
    "POST /api/v1/sensors/{sensor_id}/heartbeat": "a device's sign of life; the sensor keeps the last one",
    "POST /api/v1/edge/status": "a device's sign of life; the last one is kept",
    "POST /api/v1/edge/unreadable": "stands in the sensors' journals, as bodies that are refused over HTTP do",
    "POST /api/v1/broker/login": "a device connects; the broker asks again and again",
    "POST /api/v1/telemetry": "samples are counted one by one in the ledgers",
    "POST /telemetry": "samples are counted one by one in the ledgers",
    "POST /api/v2/write": "samples are counted one by one; what an editor decides about proposals is a fact",
    "POST /write": "samples are counted one by one; what an editor decides about proposals is a fact",
    "POST /api/v1/senml": "samples are counted one by one; what an editor decides about proposals is a fact",
    "POST /api/v1/{token}/telemetry": "samples are counted one by one; what an editor decides is a fact",
    "POST /query": "creates nothing",
    "POST /api/v1/telemetry/stream": "samples are counted one by one in the ledgers",
    "POST /telemetry/stream": "samples are counted one by one in the ledgers",
}
# What leaves one in some cases only.
SOMETIMES = {
    "POST /api/v1/auth/refresh": "a session goes on many times a day; a token used twice is a fact",
    "POST /api/v1/auth/password/forgot": "there may be no such account",
}
SHOWS_DATA = re.compile(r"/(samples|vectors|export|download|preview|token)$")


def name(endpoint: Endpoint) -> str:
    """Return method and path."""
    return f"{endpoint.method} {endpoint.path}"


def leaves_a_fact(endpoint: Endpoint) -> bool:
    """Tell whether whoever succeeds leaves a fact, at least when nobody did the same before."""
    if endpoint.method == "GET":
        return SHOWS_DATA.search(endpoint.path) is not None
    return name(endpoint) not in NEVER | SOMETIMES
