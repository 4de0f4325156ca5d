"""`POST /telemetry/stream`: lines of telemetry up, acknowledgements down, both at once."""

from typing import Final

from aiohttp import web

from hub.auth.access import bearer
from hub.journal.service import JOURNAL
from hub.kit.context import Context
from hub.kit.endpoint import Routes
from hub.kit.problems import TooManyRequests
from hub.telemetry import troubles
from hub.telemetry.access import DEVICE, DEVICE_TOKEN
from hub.telemetry.fabric import FABRIC
from hub.telemetry.ingest_models import PacketIn
from hub.telemetry.ingest_routes import FORMS
from hub.telemetry.limiting import count_request
from hub.telemetry.line_stream import LineStream
from hub.telemetry.problems import StreamPacked, UnknownMediaType
from hub.telemetry.receiving import Receiver

routes = Routes("telemetry-stream")
root_routes = Routes("telemetry-stream-root", prefix="")
STREAMS: Final = web.AppKey("telemetry streams", set[LineStream])
HEADERS: Final = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # a proxy that buffers would hold acknowledgements back
}


async def stream_telemetry(ctx: Context) -> web.StreamResponse:
    """Send a packet on each line for as long as you like; events acknowledge them in order, while you send."""
    device = ctx.request[DEVICE]
    with troubles.noted(ctx.request.app[JOURNAL], device):
        if FORMS.get(ctx.request.content_type) not in {"lines", "json"}:
            raise UnknownMediaType
        if ctx.request.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise StreamPacked
        await count_request(ctx, device)
    response = web.StreamResponse(headers=HEADERS)
    await response.prepare(ctx.request)
    stream = LineStream(ctx, Receiver(ctx.hub, ctx.request.app[FABRIC], bearer(ctx), device), response)
    streams = ctx.request.app[STREAMS]
    streams.add(stream)
    try:
        await stream.serve()
    finally:
        streams.discard(stream)
    return response


for each in (routes, root_routes):
    each.route(
        "POST",
        "/telemetry/stream",
        access=DEVICE_TOKEN,
        problems=[UnknownMediaType, StreamPacked, TooManyRequests],
        transaction=False,
        rate=0,
        produces=("text/event-stream",),
        consumes=("application/x-ndjson",),
        takes=PacketIn,
    )(stream_telemetry)
