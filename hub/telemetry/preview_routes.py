"""Routes that try profiles."""

from uuid import UUID

from hub.conversion.access import of_profile, of_sensor
from hub.kit.context import Context
from hub.kit.endpoint import Routes
from hub.projects.models import Role
from hub.projects.problems import RawNotAllowed
from hub.telemetry import preview
from hub.telemetry.preview_models import PayloadPreview, Preview, Previewed, PreviewedRange
from hub.telemetry.problems import RangeTooLarge

routes = Routes("profiles")
PROBLEMS = (RawNotAllowed, RangeTooLarge)


@routes.route(
    "POST",
    "/profiles/{profile_id}/preview",
    access=of_profile(Role.VIEWER),
    answer=Previewed | PreviewedRange,
    problems=PROBLEMS,
)
async def preview_profile(ctx: Context, profile_id: UUID, body: Preview) -> Previewed | PreviewedRange:
    """Convert raw values, or the sensor's stored samples beside what stands there now, storing nothing."""
    return await preview.of_version(ctx, profile_id, body)


@routes.route(
    "POST",
    "/sensors/{sensor_id}/profiles/preview",
    access=of_sensor(Role.VIEWER),
    answer=Previewed | PreviewedRange,
    problems=PROBLEMS,
)
async def preview_payload(ctx: Context, sensor_id: UUID, body: PayloadPreview) -> Previewed | PreviewedRange:
    """Try a payload that is not stored, as one tries a version."""
    return await preview.of_payload(ctx, sensor_id, body)
