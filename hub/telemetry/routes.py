"""Routes of samples, exports and ledgers."""

import asyncio
from collections.abc import Coroutine
from typing import Any
from uuid import UUID

from aiohttp import web

from contract import frames
from hub.kit.context import Context
from hub.kit.endpoint import Routes
from hub.kit.problems import NotFound
from hub.ledger.service import Fact, record, record_apart
from hub.projects.access import Member, readable_values
from hub.projects.models import Role
from hub.projects.problems import RawNotAllowed
from hub.telemetry import answers, counting, export, read_queries, reading, revisions
from hub.telemetry.models import (
    CaptureLedger,
    CaptureRangeQuery,
    ExportQuery,
    Ledger,
    RangeQuery,
    SamplesOut,
    to_us,
)
from hub.telemetry.problems import RangeTooLarge, RevisionUnknown, SensorNotCaptured, StreamUnread

routes = Routes("samples")
SENSOR_VIEWER = Member(Role.VIEWER, "sensor", "sensor_id", read_queries.project_of_sensor)
CAPTURE_VIEWER = Member(Role.VIEWER, "capture", "capture_id", read_queries.project_of_capture)
DEFAULT_WINDOW_US = 600_000_000
SAMPLE_FORMS = ("application/json", frames.MEDIA_TYPE)


@routes.route(
    "GET",
    "/sensors/{sensor_id}/samples",
    access=SENSOR_VIEWER,
    answer=SamplesOut,
    problems=[RawNotAllowed, RangeTooLarge],
    produces=SAMPLE_FORMS,
)
async def read_sensor_samples(ctx: Context, sensor_id: UUID, query: RangeQuery) -> web.Response:
    """Read a sensor's samples; by default of the last ten minutes."""
    values = readable_values(ctx.scope, query.values)
    sensor = await read_queries.sensor(ctx.tx, sensor_id)
    if sensor is None:
        raise NotFound(noun="sensor")
    end = to_us(query.to) if query.to else await read_queries.now_us(ctx.tx) + 1
    start = to_us(query.from_) if query.from_ else end - DEFAULT_WINDOW_US
    column = await reading.read(ctx.tx, sensor_no=sensor["no"], from_us=start, to_us=end)
    details = answers.shown(query, values, column)
    return await _noted(
        ctx,
        Fact("sensor.samples_read", subject_id=sensor_id, details=details),
        answers.of_samples(ctx, sensor, column, query, values),
    )


@routes.route(
    "GET",
    "/captures/{capture_id}/samples",
    access=CAPTURE_VIEWER,
    answer=SamplesOut,
    problems=[RawNotAllowed, RangeTooLarge, SensorNotCaptured, RevisionUnknown],
    produces=SAMPLE_FORMS,
)
async def read_capture_samples(ctx: Context, capture_id: UUID, query: CaptureRangeQuery) -> web.Response:
    """Read what a capture holds of one sensor."""
    values = readable_values(ctx.scope, query.values)
    sensors = await read_queries.capture_sensors(ctx.tx, capture_id)
    sensor = next((one for one in sensors if one["id"] == query.sensor_id), None)
    if sensor is None:
        raise SensorNotCaptured
    first, last = await counting.capture_bounds(ctx.tx, capture_id)
    start = max(first, to_us(query.from_)) if query.from_ else first
    end = min(last, to_us(query.to)) if query.to else last
    revision = await revisions.find(ctx.tx, ctx.hub.vault, capture_id, query.sensor_id, query.revision)
    column = await reading.read(
        ctx.tx,
        sensor_no=sensor["no"],
        from_us=start,
        to_us=end,
        capture_id=capture_id,
        revision=revision,
    )
    details = {"sensor_id": query.sensor_id, "revision": revision.number} | answers.shown(query, values, column)
    return await _noted(
        ctx,
        Fact("capture.samples_read", subject_id=capture_id, details=details),
        answers.of_samples(ctx, sensor, column, query, values, revision=revision.number),
    )


@routes.route(
    "GET",
    "/captures/{capture_id}/export",
    access=CAPTURE_VIEWER,
    problems=[RawNotAllowed, RevisionUnknown],
    transaction=False,
    produces=("text/csv",),
)
async def export_capture(ctx: Context, capture_id: UUID, query: ExportQuery) -> web.StreamResponse:
    """Download a capture as CSV, streamed."""
    values = readable_values(ctx.scope, query.values)
    details = {"format": query.format, "values": sorted(values), "revision": query.revision}
    await record_apart(ctx, Fact("capture.exported", subject_id=capture_id, details=details))
    async with ctx.hub.db.snapshot() as tx:
        capture = await read_queries.capture_range(tx, capture_id)
        if capture is None:
            raise NotFound(noun="capture")
        sensors = await read_queries.capture_sensors(tx, capture_id)
        start, end = await counting.capture_bounds(tx, capture_id)
        shown = [await revisions.find(tx, ctx.hub.vault, capture_id, one["id"], query.revision) for one in sensors]
        name = f"run-{capture['run_number']}-capture-{capture['ordinal_number']}.csv"
        response = web.StreamResponse(
            headers={
                "Content-Type": "text/csv; charset=utf-8",
                "Content-Disposition": f'attachment; filename="{name}"',
                "Cache-Control": "no-store",
                "X-Request-ID": ctx.request_id,
            }
        )
        await response.prepare(ctx.request)
        content = export.csv(
            tx, capture_id, list(zip(sensors, shown, strict=True)), from_us=start, to_us=end, values=values
        )
        async for part in content:
            await response.write(part)
        await response.write_eof()
    return response


@routes.route(
    "GET",
    "/sensors/{sensor_id}/ledger",
    access=SENSOR_VIEWER,
    answer=Ledger,
    problems=[StreamUnread],
    transaction=False,
)
async def read_sensor_ledger(ctx: Context, sensor_id: UUID) -> Ledger:
    """Read a sensor's counts of samples."""
    async with ctx.hub.db.connection() as connection:
        sensor = await read_queries.sensor(connection, sensor_id)
    if sensor is None:
        raise NotFound(noun="sensor")
    return await counting.of_sensor(ctx.hub, sensor["no"])


@routes.route(
    "GET",
    "/captures/{capture_id}/ledger",
    access=CAPTURE_VIEWER,
    answer=CaptureLedger,
    problems=[StreamUnread],
    transaction=False,
)
async def read_capture_ledger(ctx: Context, capture_id: UUID) -> CaptureLedger:
    """Read a capture's counts of samples, in all and for each sensor."""
    return await counting.of_capture(ctx.hub, capture_id)


async def _noted(ctx: Context, fact: Fact, answer: Coroutine[Any, Any, web.Response]) -> web.Response:
    """Write down that samples are read while a thread writes the answer; it leaves once both are done."""
    _, made = await asyncio.gather(record(ctx, fact), answer)
    return made
