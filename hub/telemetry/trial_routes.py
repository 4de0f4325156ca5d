"""`POST /sensors/{id}/test`: trying a sensor without its device."""

from uuid import UUID

from hub.kit import bodies, wire
from hub.kit.context import Context
from hub.kit.endpoint import Routes
from hub.kit.problems import WrongContentType
from hub.projects.access import Member
from hub.projects.models import Role
from hub.telemetry import read_queries, trials
from hub.telemetry.fabric import FABRIC
from hub.telemetry.ingest_models import PacketIn
from hub.telemetry.problems import PacketTooLarge, StreamUnavailable, TelemetryBroken
from hub.telemetry.trial_models import Trial, TrialQuery

routes = Routes("sensor-tests")
SENSOR_EDITOR = Member(Role.EDITOR, "sensor", "sensor_id", read_queries.project_of_sensor)


@routes.route(
    "POST",
    "/sensors/{sensor_id}/test",
    access=SENSOR_EDITOR,
    answer=Trial,
    problems=[TelemetryBroken, PacketTooLarge, StreamUnavailable],
    transaction=False,
    takes=PacketIn,
)
async def test_sensor(ctx: Context, sensor_id: UUID, query: TrialQuery) -> Trial:
    """Try a packet as if the sensor had sent it: raw, physical and what would be refused; stored only if asked."""
    if ctx.request.content_type != "application/json":
        raise WrongContentType(expected="application/json")
    body = await bodies.read(ctx.request, wire.MAX_BODY_BYTES)
    return await trials.test(ctx, ctx.request.app[FABRIC], sensor_id, body, store=query.store)
