"""Routes of vectors."""

from typing import Any
from uuid import UUID

import orjson
from aiohttp import web

from hub.kit.context import Context
from hub.kit.endpoint import Routes
from hub.kit.problems import NotFound
from hub.ledger.service import Fact, record
from hub.projects.access import readable_values
from hub.projects.problems import RawNotAllowed
from hub.telemetry import counting, read_queries, revisions, vector_queries, vectors
from hub.telemetry.models import STATUS_NAMES, CaptureVectorQuery, VectorQuery, VectorsOut, to_us
from hub.telemetry.problems import NoVectors, RevisionUnknown, SensorNotCaptured
from hub.telemetry.revisions import FIRST, Revision
from hub.telemetry.routes import CAPTURE_VIEWER, SENSOR_VIEWER

routes = Routes("samples")
BEGINNING_US = -(1 << 62)


@routes.route(
    "GET",
    "/sensors/{sensor_id}/vectors",
    access=SENSOR_VIEWER,
    answer=VectorsOut,
    problems=[RawNotAllowed, NoVectors],
)
async def read_sensor_vectors(ctx: Context, sensor_id: UUID, query: VectorQuery) -> web.Response:
    """Read the newest vectors of a sensor that has an axis; the newest one of all by default."""
    sensor = await read_queries.sensor(ctx.tx, sensor_id)
    if sensor is None:
        raise NotFound(noun="sensor")
    answer = await _read(ctx, sensor, query, BEGINNING_US, counting.FAR_FUTURE_US)
    await record(ctx, Fact("sensor.samples_read", subject_id=sensor_id, details=_shown(query, answer)))
    return _response(answer)


@routes.route(
    "GET",
    "/captures/{capture_id}/vectors",
    access=CAPTURE_VIEWER,
    answer=VectorsOut,
    problems=[RawNotAllowed, NoVectors, SensorNotCaptured, RevisionUnknown],
)
async def read_capture_vectors(ctx: Context, capture_id: UUID, query: CaptureVectorQuery) -> web.Response:
    """Read the newest vectors that a capture holds of one sensor."""
    sensors = await read_queries.capture_sensors(ctx.tx, capture_id)
    sensor = next((one for one in sensors if one["id"] == query.sensor_id), None)
    if sensor is None:
        raise SensorNotCaptured
    revision = await revisions.find(ctx.tx, ctx.hub.vault, capture_id, query.sensor_id, query.revision)
    answer = await _read(ctx, sensor, query, *await counting.capture_bounds(ctx.tx, capture_id), revision=revision)
    details = {"sensor_id": query.sensor_id, "revision": revision.number} | _shown(query, answer)
    await record(ctx, Fact("capture.samples_read", subject_id=capture_id, details=details))
    return _response(answer)


async def _read(
    ctx: Context, sensor: Any, query: VectorQuery, first: int, last: int, *, revision: Revision = FIRST
) -> dict[str, Any]:
    values = readable_values(ctx.scope, query.values)
    axis = sensor["axis"]
    if axis is None:
        raise NoVectors
    start = max(first, to_us(query.from_)) if query.from_ else first
    end = min(last, to_us(query.to)) if query.to else last
    limit = min(query.limit, max(1, vectors.MAX_ELEMENTS // axis["count"]))
    found = await vectors.newest(ctx.tx, sensor["no"], from_us=start, to_us=end, limit=limit, revision=revision)
    answer: dict[str, Any] = {"sensor_id": sensor["id"], "axis": axis, "t": [each.t_us / 1e6 for each in found]}
    if "raw" in values:
        answer["raw"] = [each.raw for each in found]
    if "physical" in values:
        answer["physical"] = [each.physical for each in found]
    return answer | {
        "status": [STATUS_NAMES[each.worst] for each in found],
        "total": await vector_queries.count(ctx.tx, sensor["no"], start, end),
        "revision": revision.number,
    }


def _shown(query: VectorQuery, answer: dict[str, Any]) -> dict[str, Any]:
    """Say which vectors an answer shows, and how many; none of their values."""
    return {
        "from": query.from_ and query.from_.isoformat(),
        "to": query.to and query.to.isoformat(),
        "values": sorted(answer.keys() & {"raw", "physical"}),
        "vectors": len(answer["t"]),
    }


def _response(answer: dict[str, Any]) -> web.Response:
    body = orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY)
    return web.Response(body=body, content_type="application/json")
