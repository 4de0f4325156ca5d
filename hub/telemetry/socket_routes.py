"""`GET /telemetry` with Upgrade: telemetry over a WebSocket."""

from typing import Final

from aiohttp import web

from hub.kit import origins
from hub.kit.context import Context
from hub.kit.endpoint import Routes
from hub.kit.origins import ForeignOrigin
from hub.telemetry.access import TOKEN_OR_MESSAGE
from hub.telemetry.problems import WebSocketWanted
from hub.telemetry.socket import TelemetrySocket

routes = Routes("telemetry-socket")
root_routes = Routes("telemetry-socket-root", prefix="")
SOCKETS: Final = web.AppKey("telemetry sockets", set[web.WebSocketResponse])


async def telemetry_socket(ctx: Context) -> web.WebSocketResponse:
    """Send batches over a WebSocket, JSON as text or msgpack as binary; each is acknowledged in order."""
    origins.check(ctx)
    most = ctx.hub.settings.max_packet_bytes
    # Pings are the session's own: while a limit holds up the reading, no answer to them can be seen.
    socket = web.WebSocketResponse(autoping=False, max_msg_size=most, compress=False)
    if not socket.can_prepare(ctx.request):
        raise WebSocketWanted
    await socket.prepare(ctx.request)
    sockets = ctx.request.app[SOCKETS]
    sockets.add(socket)
    try:
        await TelemetrySocket(ctx, socket).serve()
    finally:
        sockets.discard(socket)
        await socket.close()
    return socket


for each in (routes, root_routes):
    each.route(
        "GET",
        "/telemetry",
        access=TOKEN_OR_MESSAGE,
        status=101,
        problems=[ForeignOrigin, WebSocketWanted],
        transaction=False,
        rate=0,
    )(telemetry_socket)
