"""Routes of conversion profiles."""

from uuid import UUID

from hub.conversion import queries, service
from hub.conversion.models import Preview, Previewed, Profile
from hub.kit.context import Context
from hub.kit.endpoint import Routes
from hub.kit.pages import Page
from hub.projects.access import Member
from hub.projects.models import Role
from hub.projects.problems import RawNotAllowed

routes = Routes("profiles")

OF_SENSOR = Member(Role.VIEWER, "sensor", "sensor_id", queries.project_of_sensor)
OF_PROFILE = Member(Role.VIEWER, "profile", "profile_id", queries.project_of_profile)


@routes.route("GET", "/sensors/{sensor_id}/profiles", access=OF_SENSOR, answer=Page[Profile])
async def list_profiles(ctx: Context, sensor_id: UUID) -> Page[Profile]:
    """List the versions of a sensor's profile, the newest first."""
    return await service.list_of(ctx, sensor_id)


@routes.route("GET", "/profiles/{profile_id}", access=OF_PROFILE, answer=Profile)
async def read_profile(ctx: Context, profile_id: UUID) -> Profile:
    """Read a version of a profile."""
    return await service.read(ctx, profile_id)


@routes.route("POST", "/profiles/{profile_id}/preview", access=OF_PROFILE, answer=Previewed, problems=[RawNotAllowed])
async def preview_profile(ctx: Context, profile_id: UUID, body: Preview) -> Previewed:
    """Convert raw values with a version, storing nothing."""
    return await service.preview(ctx, profile_id, body)
