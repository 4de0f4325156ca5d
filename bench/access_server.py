"""A hub process with three routes more, all reading one row: `python -m bench.access_server SENSOR_ID BARE_PORT`.

`/bare` is aiohttp alone, `/bench/public/…` goes through the hub's kit without asking who calls, `/bench/member/…` asks.
"""

import asyncio
import sys
from uuid import UUID

import orjson
import uvloop
from aiohttp import web

from hub.app import create_app
from hub.auth.access import PUBLIC
from hub.kit.context import HUB, Context
from hub.kit.db import Tx
from hub.kit.endpoint import Routes, register
from hub.main import collect_rarely
from hub.projects.models import Role
from hub.sensors.access import of_sensor
from hub.settings import load

routes = Routes("bench", prefix="/bench")


async def _row(connection: Tx, sensor_id: UUID) -> bytes:
    row = await connection.fetchrow("select id, name, type, display_unit from sensor where id = $1", sensor_id)
    return orjson.dumps(dict(row) if row else None)


@routes.route("GET", "/public/{sensor_id}", access=PUBLIC, transaction=False)
async def read_publicly(ctx: Context, sensor_id: UUID) -> web.Response:
    """Read a sensor, whoever asks."""
    async with ctx.hub.db.connection() as connection:
        return web.Response(body=await _row(connection, sensor_id), content_type="application/json")


@routes.route("GET", "/member/{sensor_id}", access=of_sensor(Role.VIEWER), transaction=False)
async def read_as_member(ctx: Context, sensor_id: UUID) -> web.Response:
    """Read a sensor as a member of its project."""
    async with ctx.hub.db.connection() as connection:
        return web.Response(body=await _row(connection, sensor_id), content_type="application/json")


def _bare(sensor_id: UUID) -> web.Application:
    app = web.Application()

    async def serve(request: web.Request) -> web.Response:
        pool = await request.app[HUB].db.pool()
        async with pool.acquire() as connection:
            return web.Response(body=await _row(connection, sensor_id), content_type="application/json")

    app.router.add_get("/bare", serve)
    return app


async def main(sensor_id: UUID, bare_port: int) -> None:
    """Serve until killed: the hub with its two routes, and the bare application on a port of its own."""
    settings = load()
    app = create_app(settings, frozenset({"api"}))
    for endpoint in routes.endpoints:
        register(app, endpoint)
    bare = _bare(sensor_id)
    bare[HUB] = app[HUB]
    for port, application in ((settings.http_port, app), (bare_port, bare)):
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, settings.host, port).start()
    collect_rarely()  # as the hub does
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(UUID(sys.argv[1]), int(sys.argv[2])))
