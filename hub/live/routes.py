"""The live channel's two ways in: WebSocket and server-sent events."""

from typing import Annotated
from uuid import UUID

from aiohttp import web
from pydantic import BaseModel, BeforeValidator, Field

from hub.auth.access import PUBLIC, READER, bearer
from hub.kit import origins
from hub.kit.context import Context
from hub.kit.endpoint import Routes
from hub.kit.origins import ForeignOrigin
from hub.kit.problems import NotFound
from hub.live.messages import MOST_BACKLOG_S, Subscribe
from hub.live.problems import WebSocketNeeded
from hub.live.session import Session
from hub.live.sse import EventStream
from hub.live.watch import PARTS
from hub.projects.problems import RawNotAllowed
from hub.telemetry.models import Values
from hub.telemetry.problems import RangeTooLarge, StreamUnread

routes = Routes("live")
SOCKETS = web.AppKey("sockets", set[web.WebSocketResponse])
STREAMS = web.AppKey("event streams", set[EventStream])
MAX_MESSAGE_BYTES = 1 << 20


def _ids(text: object) -> object:
    return text.split(",") if isinstance(text, str) else text


Ids = Annotated[list[UUID], BeforeValidator(_ids)]


class EventsQuery(BaseModel):
    """What to watch: sensors, those bound to runs, and the events of projects; each a comma-separated list of ids."""

    sensor_id: Ids = Field(default=[], max_length=500)
    run_id: Ids = Field(default=[], max_length=100)
    project_id: Ids = Field(default=[], max_length=100)
    values: Values = Field(default=None, description="Comma-separated: raw, physical. Default: what one may read.")
    backlog_s: float = Field(default=0.0, ge=0.0, le=MOST_BACKLOG_S, description="Begin with the last seconds.")
    ledger: bool = Field(
        default=False, description="Have counts sent as they grow: of the projects' sensors, of the runs' captures."
    )
    samples: bool = Field(default=True, description="False: of runs nothing but the ledgers of their captures.")


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
        await Session(ctx, socket, ctx.request.app[PARTS]).serve(token)
    finally:
        sockets.discard(socket)
        await socket.close()
    return socket


@routes.route(
    "GET",
    "/live/events",
    access=READER,
    problems=[NotFound, RawNotAllowed, RangeTooLarge, StreamUnread],
    transaction=False,
    produces=("text/event-stream",),
)
async def watch_events(ctx: Context, query: EventsQuery) -> web.StreamResponse:
    """Watch sensors and events over server-sent events; Last-Event-ID resumes after the last samples that came."""
    wanted = Subscribe(
        op="subscribe",
        sensors=query.sensor_id,
        runs=query.run_id,
        projects=query.project_id,
        values=query.values,
        since=ctx.request.headers.get("Last-Event-ID") or None,
        backlog_s=query.backlog_s,
        ledger=query.ledger,
        samples=query.samples,
    )
    streams = ctx.request.app[STREAMS]
    stream = EventStream(ctx, ctx.request.app[PARTS])
    streams.add(stream)
    try:
        return await stream.serve(wanted)
    finally:
        streams.discard(stream)
