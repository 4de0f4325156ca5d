"""Health: is the process alive, and can it do its work."""

import asyncio
from dataclasses import asdict

import orjson
from aiohttp import web
from redis.exceptions import RedisError

from hub.kit.context import HUB
from hub.kit.problems import DatabaseAway
from hub.kit.workers import Workers

CHECK_TIMEOUT_S = 2.0


def mount(app: web.Application, workers: Workers) -> None:
    """Add /healthz (the process answers) and /readyz (its parts do)."""

    async def healthz(_request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def readyz(request: web.Request) -> web.Response:
        database, stream = await asyncio.gather(_database(request), _stream(request))
        ready = database and stream and all(state.running for state in workers.states)
        body = {
            "ready": ready,
            "database": database,
            "stream": stream,
            "workers": [asdict(state) for state in workers.states],
        }
        return web.Response(body=orjson.dumps(body), status=200 if ready else 503, content_type="application/json")

    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)


async def _database(request: web.Request) -> bool:
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_S), request.app[HUB].db.connection() as connection:
            return await connection.fetchval("select 1") == 1
    except (DatabaseAway, TimeoutError):
        return False


async def _stream(request: web.Request) -> bool:
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_S):
            return bool(await request.app[HUB].stream.ping())
    except (RedisError, OSError, TimeoutError):
        return False
