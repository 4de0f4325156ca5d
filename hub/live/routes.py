"""The live WebSocket."""

from aiohttp import web

from hub.auth.access import PUBLIC, bearer
from hub.kit import origins
from hub.kit.context import Context
from hub.kit.endpoint import Routes
from hub.kit.origins import ForeignOrigin
from hub.live.fanout import Fanout
from hub.live.problems import WebSocketNeeded
from hub.live.session import Session

routes = Routes("live")
FANOUT = web.AppKey("fanout", Fanout)
SOCKETS = web.AppKey("sockets", set[web.WebSocketResponse])
MAX_MESSAGE_BYTES = 1 << 20


@routes.route(
    "GET", "/live", access=PUBLIC, status=101, problems=[ForeignOrigin, WebSocketNeeded], transaction=False, rate=0
)
async def live(ctx: Context) -> web.WebSocketResponse:
    """Watch sensors over a WebSocket; the first message says who watches, unless the Authorization header does."""
    origins.check(ctx)
    socket = web.WebSocketResponse(heartbeat=20.0, max_msg_size=MAX_MESSAGE_BYTES, compress=False)
    if not socket.can_prepare(ctx.request):
        raise WebSocketNeeded
    await socket.prepare(ctx.request)
    token = bearer(ctx) if "Authorization" in ctx.request.headers else None
    sockets = ctx.request.app[SOCKETS]
    sockets.add(socket)
    try:
        await Session(ctx, socket, ctx.request.app[FANOUT]).serve(token)
    finally:
        sockets.discard(socket)
        await socket.close()
    return socket
