"""`POST /telemetry`: reading and answering."""

from typing import Any

import orjson
from aiohttp import web
from pydantic import BaseModel, Field

from contract import packets
from contract.packets import PacketBroken, PacketInvalid
from hub.auth.access import bearer
from hub.journal.service import JOURNAL
from hub.kit.context import Context
from hub.kit.endpoint import Routes
from hub.kit.problems import FieldError, InvalidPayload
from hub.telemetry import troubles
from hub.telemetry.access import DEVICE, DEVICE_TOKEN
from hub.telemetry.decompression import read_body, too_large
from hub.telemetry.fabric import FABRIC
from hub.telemetry.problems import (
    BadCompression,
    PacketTooLarge,
    StreamUnavailable,
    TelemetryBroken,
    UnknownEncoding,
)

routes = Routes("telemetry")
root_routes = Routes("telemetry-root", prefix="")


class SampleIn(BaseModel):
    """A sample of the row form; t as RFC 3339 or seconds since 1970, absent: the arrival."""

    t: str | float | None = None
    v: float | None
    meta: dict[str, Any] | None = None


class SeriesIn(BaseModel):
    """A sensor's samples in column form."""

    sensor_id: str | None = None
    t: list[str | float | None]
    v: list[float | None]
    p: list[float | None] | None = Field(default=None, description="What an edge agent computed; compared, not stored.")
    profile_version: int | None = None
    seq: int | None = None
    boot: str | None = None


class PacketIn(BaseModel):
    """A telemetry packet: either `samples` (rows of one sensor) or `series` (columns of several)."""

    batch_id: str | None = None
    seq: int | None = None
    boot: str | None = None
    sensor_id: str | None = None
    samples: list[SampleIn] | None = None
    series: list[SeriesIn] | None = None


class Rejected(BaseModel):
    """A sample that was refused; index null means the whole series."""

    series: int | None = None
    index: int | None
    code: str
    detail: str


class ReceiptOut(BaseModel):
    """The acknowledgement: this many samples are durable; the final figures are the ledger's."""

    batch_id: str | None
    accepted: int
    duplicates: int
    rejected: list[Rejected]


PROBLEMS = (TelemetryBroken, BadCompression, UnknownEncoding, PacketTooLarge, StreamUnavailable)


async def take_telemetry(ctx: Context) -> web.Response:
    """Take a packet of samples; answered once it is durable on disk."""
    with troubles.noted(ctx.request.app[JOURNAL], ctx.request[DEVICE]):
        return await _take(ctx)


async def _take(ctx: Context) -> web.Response:
    fabric = ctx.request.app[FABRIC]
    body = await read_body(ctx)
    limit = ctx.hub.settings.max_samples_per_packet
    try:
        packet = packets.decode(body)
    except PacketBroken as error:
        raise TelemetryBroken(why=str(error)) from error
    except PacketInvalid as error:
        raise InvalidPayload(errors=[FieldError(loc=["body", *error.loc], msg=str(error))]) from error
    if packet.count > limit:
        raise too_large(ctx, f"It holds {packet.count} samples")
    now_us = ctx.hub.clock.now_us()
    named = {series.sensor_id for series in packet.series}
    device = await fabric.registry.covering(bearer(ctx), ctx.request[DEVICE], named)
    receipt = await fabric.intake.take(packet, device, fabric.registry.snapshot, now_us)
    answer = {
        "batch_id": receipt.batch_id,
        "accepted": receipt.accepted,
        "duplicates": receipt.duplicates,
        "rejected": receipt.rejected,
    }
    return web.Response(body=orjson.dumps(answer), status=receipt.status, content_type="application/json")


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
        takes=PacketIn,
    )(take_telemetry)
