"""Routes of samples, exports and ledgers."""

from typing import Any
from uuid import UUID

import numpy as np
import orjson
from aiohttp import web

from contract import frames
from contract.frames import Frame, FrameSeries
from hub.kit.context import Context
from hub.kit.endpoint import Routes
from hub.kit.problems import NotFound
from hub.ledger.service import Fact, record, record_apart
from hub.projects.access import Member, readable_values
from hub.projects.models import Role
from hub.projects.problems import RawNotAllowed
from hub.telemetry import counting, export, read_queries, reading
from hub.telemetry.models import (
    STATUS_NAMES,
    CaptureLedger,
    CaptureRangeQuery,
    ExportQuery,
    Ledger,
    RangeQuery,
    SamplesOut,
    to_us,
)
from hub.telemetry.problems import RangeTooLarge, SensorNotCaptured, StreamUnavailable
from hub.telemetry.reading import Column

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
    column = await reading.read(ctx.tx, sensor_no=sensor["no"], from_us=start, to_us=end, max_points=query.max_points)
    await record(ctx, Fact("sensor.samples_read", subject_id=sensor_id, details=_shown(query, values, column)))
    return _answer(ctx, sensor_id, column, values)


@routes.route(
    "GET",
    "/captures/{capture_id}/samples",
    access=CAPTURE_VIEWER,
    answer=SamplesOut,
    problems=[RawNotAllowed, RangeTooLarge, SensorNotCaptured],
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
    column = await reading.read(
        ctx.tx,
        sensor_no=sensor["no"],
        from_us=start,
        to_us=end,
        max_points=query.max_points,
        capture_id=capture_id,
    )
    details = {"sensor_id": query.sensor_id} | _shown(query, values, column)
    await record(ctx, Fact("capture.samples_read", subject_id=capture_id, details=details))
    return _answer(ctx, query.sensor_id, column, values)


@routes.route(
    "GET",
    "/captures/{capture_id}/export",
    access=CAPTURE_VIEWER,
    problems=[RawNotAllowed],
    transaction=False,
    produces=("text/csv",),
)
async def export_capture(ctx: Context, capture_id: UUID, query: ExportQuery) -> web.StreamResponse:
    """Download a capture as CSV, streamed."""
    values = readable_values(ctx.scope, query.values)
    details = {"format": query.format, "values": sorted(values)}
    await record_apart(ctx, Fact("capture.exported", subject_id=capture_id, details=details))
    async with ctx.hub.db.snapshot() as tx:
        capture = await read_queries.capture_range(tx, capture_id)
        if capture is None:
            raise NotFound(noun="capture")
        sensors = await read_queries.capture_sensors(tx, capture_id)
        start, end = await counting.capture_bounds(tx, capture_id)
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
        async for part in export.csv(tx, capture_id, sensors, from_us=start, to_us=end, values=values):
            await response.write(part)
        await response.write_eof()
    return response


@routes.route(
    "GET",
    "/sensors/{sensor_id}/ledger",
    access=SENSOR_VIEWER,
    answer=Ledger,
    problems=[StreamUnavailable],
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
    problems=[StreamUnavailable],
    transaction=False,
)
async def read_capture_ledger(ctx: Context, capture_id: UUID) -> CaptureLedger:
    """Read a capture's counts of samples, in all and for each sensor."""
    return await counting.of_capture(ctx.hub, capture_id)


def _shown(query: RangeQuery, values: frozenset[str], column: Column) -> dict[str, Any]:
    """Say which samples an answer shows, and how many; none of their values."""
    return {
        "from": query.from_ and query.from_.isoformat(),
        "to": query.to and query.to.isoformat(),
        "values": sorted(values),
        "samples": column.total,
        "decimated": column.decimated,
    }


def _answer(ctx: Context, sensor_id: UUID, column: Column, values: frozenset[str]) -> web.Response:
    seconds = column.t_us / 1e6
    if frames.MEDIA_TYPE in ctx.request.headers.get("Accept", ""):
        series = FrameSeries(
            sensor_id=sensor_id,
            t=seconds,
            raw=column.raw if "raw" in values else None,
            physical=column.physical if "physical" in values else None,
            status=column.status,
            delay_ms=float("nan"),
            decimated=column.decimated,
            total=column.total,
        )
        return web.Response(body=frames.encode(Frame("", 0, [series])), content_type=frames.MEDIA_TYPE)
    answer = {"sensor_id": sensor_id, "t": seconds}
    if "raw" in values:
        answer["raw"] = column.raw
    if "physical" in values:
        answer["physical"] = column.physical
    answer |= {
        "status": [STATUS_NAMES[code] for code in column.status.tolist()],
        "total": column.total,
        "decimated": column.decimated,
        "revision": 1,
    }
    return web.Response(
        body=orjson.dumps({k: _plain(v) for k, v in answer.items()}, option=orjson.OPT_SERIALIZE_NUMPY),
        content_type="application/json",
    )


def _plain(value: object) -> object:
    return np.ascontiguousarray(value) if isinstance(value, np.ndarray) else value
