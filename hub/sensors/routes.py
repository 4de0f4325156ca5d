"""Routes of sensors."""

from uuid import UUID

from hub.auth.access import READER
from hub.auth.step_up import WithOtp
from hub.kit.context import Context
from hub.kit.endpoint import Routes
from hub.kit.pages import Page
from hub.projects.access import of_project
from hub.projects.models import Role
from hub.projects.problems import RoleTooLow
from hub.sensors import service, tokens
from hub.sensors.access import DEVICE, of_sensor
from hub.sensors.models import ProjectSensorQuery, Sensor, SensorCreate, SensorQuery, SensorUpdate
from hub.sensors.problems import NotYourSensor, SensorHeld, SensorNameTaken, SensorTokenTaken
from hub.sensors.token_models import RotatedToken, SensorRotation, ShownToken

routes = Routes("sensors")


@routes.route("GET", "/sensors", access=READER, answer=Page[Sensor])
async def list_sensors(ctx: Context, query: SensorQuery) -> Page[Sensor]:
    """List the sensors of all projects one is a member of."""
    return await service.list_mine(ctx, query)


@routes.route("GET", "/projects/{project_id}/sensors", access=of_project(Role.VIEWER), answer=Page[Sensor])
async def list_project_sensors(ctx: Context, project_id: UUID, query: ProjectSensorQuery) -> Page[Sensor]:
    """List the sensors of a project."""
    return await service.list_of_project(ctx, project_id, query)


@routes.route(
    "POST",
    "/projects/{project_id}/sensors",
    access=of_project(Role.EDITOR),
    answer=Sensor,
    status=201,
    problems=[SensorNameTaken, SensorTokenTaken, RoleTooLow],
)
async def create_sensor(ctx: Context, project_id: UUID, body: SensorCreate) -> Sensor:
    """Register a sensor; an owner sees its token in this answer, once."""
    return await service.create(ctx, body)


@routes.route("GET", "/sensors/{sensor_id}", access=of_sensor(Role.VIEWER), answer=Sensor)
async def read_sensor(ctx: Context, sensor_id: UUID) -> Sensor:
    """Read a sensor."""
    return await service.read(ctx, sensor_id)


@routes.route(
    "PATCH",
    "/sensors/{sensor_id}",
    access=of_sensor(Role.EDITOR),
    answer=Sensor,
    problems=[SensorNameTaken, RoleTooLow],
)
async def update_sensor(ctx: Context, sensor_id: UUID, body: SensorUpdate) -> Sensor:
    """Change a sensor, or assign it to an edge agent."""
    return await service.update(ctx, sensor_id, body)


@routes.route("DELETE", "/sensors/{sensor_id}", access=of_sensor(Role.OWNER), status=204, problems=[SensorHeld])
async def delete_sensor(ctx: Context, sensor_id: UUID) -> None:
    """Delete a sensor; finished captures keep its data."""
    await service.delete(ctx, sensor_id)


@routes.route("GET", "/sensors/{sensor_id}/token", access=WithOtp(of_sensor(Role.OWNER)), answer=ShownToken)
async def view_sensor_token(ctx: Context, sensor_id: UUID) -> ShownToken:
    """Show a sensor's token."""
    return await tokens.view(ctx, sensor_id)


@routes.route(
    "POST",
    "/sensors/{sensor_id}/rotate-token",
    access=WithOtp(of_sensor(Role.OWNER)),
    answer=RotatedToken,
    problems=[SensorTokenTaken],
)
async def rotate_sensor_token(ctx: Context, sensor_id: UUID, body: SensorRotation) -> RotatedToken:
    """Give a sensor another token; the old one stays good for the overlap."""
    return await tokens.rotate(ctx, sensor_id, body)


@routes.route("POST", "/sensors/{sensor_id}/heartbeat", access=DEVICE, status=204, problems=[NotYourSensor])
async def note_heartbeat(ctx: Context, sensor_id: UUID) -> None:
    """Give a sign of life."""
    await service.heartbeat(ctx, sensor_id)
