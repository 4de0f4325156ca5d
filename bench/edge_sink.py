"""A hub that only gives receipts: it counts an edge agent's samples and tells when they came."""

import gzip
import sys
import time
from typing import Any

import msgspec
from aiohttp import web

_LINEAR = {"kind": "linear", "slope": 2.0, "intercept": 1.0}


class Series(msgspec.Struct):
    """As much of a series as is counted."""

    v: list[float]
    p: list[float | None]


class Batch(msgspec.Struct):
    """As much of a batch as is counted."""

    batch_id: str
    series: list[Series]


class Seen(msgspec.Struct):
    """The samples so far; those of the first batch, and when it and the last one came (seconds, monotonic)."""

    samples: int = 0
    of_first: int = 0
    first_s: float = 0.0
    last_s: float = 0.0


def make(agent_id: str, sensors: list[str]) -> web.Application:
    """Make the sink for an agent and its sensors, all with a linear profile."""
    seen = Seen()
    profiles = [{"version": 1, "payload": _LINEAR}]
    config: dict[str, Any] = {
        "agent": {"id": agent_id},
        "sensors": [{"id": sensor, "profiles": profiles} for sensor in sensors],
    }

    async def take(request: web.Request) -> web.Response:
        nonlocal seen
        body = await request.read()
        batch = msgspec.json.decode(gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body, type=Batch)
        count = sum(len(series.v) for series in batch.series)
        now = time.monotonic()
        if not seen.samples:
            seen = Seen(of_first=count, first_s=now)
        seen.samples += count
        seen.last_s = now
        return web.json_response({"batch_id": batch.batch_id, "accepted": count}, status=202)

    async def tell(_: web.Request) -> web.Response:
        return web.Response(body=msgspec.json.encode(seen))

    async def forget(_: web.Request) -> web.Response:
        nonlocal seen
        seen = Seen()
        return web.Response()

    async def configure(_: web.Request) -> web.Response:
        return web.json_response(config, headers={"ETag": '"1"'})

    app = web.Application(client_max_size=1 << 24)
    app.router.add_post("/api/v1/telemetry", take)
    app.router.add_get("/api/v1/edge/config", configure)
    app.router.add_get("/seen", tell)
    app.router.add_delete("/seen", forget)
    return app


if __name__ == "__main__":
    web.run_app(make(sys.argv[2], sys.argv[3].split(",")), host="127.0.0.1", port=int(sys.argv[1]), print=None)
