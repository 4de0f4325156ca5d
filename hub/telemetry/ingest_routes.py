"""`POST /telemetry`: reading and answering."""

from typing import Final, Literal

import orjson
from aiohttp import web

from contract.packet_lines import decode_lines
from hub.auth.access import bearer
from hub.journal.service import JOURNAL
from hub.kit.context import Context
from hub.kit.endpoint import Routes
from hub.kit.problems import TooManyRequests
from hub.telemetry import troubles
from hub.telemetry.access import DEVICE, DEVICE_TOKEN
from hub.telemetry.decompression import read_body
from hub.telemetry.fabric import FABRIC
from hub.telemetry.ingest import Receipt
from hub.telemetry.ingest_models import PacketIn, ReceiptOut
from hub.telemetry.limiting import count_request
from hub.telemetry.problems import (
    BadCompression,
    PacketTooLarge,
    StreamUnavailable,
    TelemetryBroken,
    TooManySamples,
    UnknownEncoding,
    UnknownMediaType,
)
from hub.telemetry.receiving import Receiver

routes = Routes("telemetry")
root_routes = Routes("telemetry-root", prefix="")

Form = Literal["json", "lines", "msgpack"]
FORMS: Final[dict[str, Form]] = {
    "application/json": "json",
    "application/x-ndjson": "lines",
    "application/ndjson": "lines",
    "application/msgpack": "msgpack",
    "application/x-msgpack": "msgpack",
    "application/vnd.msgpack": "msgpack",
    # What clients send that say nothing: none at all, curl -d, and small devices.
    "application/octet-stream": "json",
    "application/x-www-form-urlencoded": "json",
    "text/plain": "json",
}
PROBLEMS = (
    TelemetryBroken,
    BadCompression,
    UnknownEncoding,
    UnknownMediaType,
    PacketTooLarge,
    StreamUnavailable,
    TooManyRequests,
    TooManySamples,
)


async def take_telemetry(ctx: Context) -> web.Response:
    """Take a packet of samples, or lines of packets; answered once it is durable on disk."""
    with troubles.noted(ctx.request.app[JOURNAL], ctx.request[DEVICE]):
        return await _take(ctx)


async def _take(ctx: Context) -> web.Response:
    form = FORMS.get(ctx.request.content_type)
    if form is None:
        raise UnknownMediaType
    device = ctx.request[DEVICE]
    await count_request(ctx, device)
    receiver = Receiver(ctx.hub, ctx.request.app[FABRIC], bearer(ctx), device, by_samples=device.kind == "agent")
    body = await read_body(ctx)
    if form == "lines":
        receipt = await _take_lines(receiver, body)
    else:
        receipt = await receiver.take(receiver.read(body, packed=form == "msgpack"))
    return web.Response(body=orjson.dumps(receipt.answer), status=receipt.status, content_type="application/json")


async def _take_lines(receiver: Receiver, body: bytes) -> Receipt:
    receiver.check_size(body.count(b"\n"), "lines")
    lines = decode_lines(body)
    series = [one for packet in (lines.packet, *(alone for _, alone in lines.alone)) for one in packet.series]
    receiver.check_size(lines.count, series=series)
    return await receiver.take_lines(lines)


for each in (routes, root_routes):
    each.route(
        "POST",
        "/telemetry",
        access=DEVICE_TOKEN,
        answer=ReceiptOut,
        status=202,
        problems=PROBLEMS,
        transaction=False,
        rate=0,
        sampled=True,
        consumes=("application/json", "application/x-ndjson", "application/msgpack"),
        takes=PacketIn,
    )(take_telemetry)
