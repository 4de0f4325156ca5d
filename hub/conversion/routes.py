"""Routes of conversion profiles."""

from uuid import UUID

from hub.conversion import fitting, publication, service
from hub.conversion.access import of_profile, of_sensor
from hub.conversion.fit_models import FitRequest, Fitted
from hub.conversion.models import Profile, ProfileDraft
from hub.conversion.problems import ProfileNotScheduled, ProfilePublished
from hub.kit.context import Context
from hub.kit.endpoint import Routes
from hub.kit.pages import Page
from hub.projects.models import Role

routes = Routes("profiles")


@routes.route("GET", "/sensors/{sensor_id}/profiles", access=of_sensor(Role.VIEWER), answer=Page[Profile])
async def list_profiles(ctx: Context, sensor_id: UUID) -> Page[Profile]:
    """List the versions of a sensor's profile, the newest first."""
    return await service.list_of(ctx, sensor_id)


@routes.route("POST", "/sensors/{sensor_id}/profiles", access=of_sensor(Role.EDITOR), answer=Profile, status=201)
async def create_profile(ctx: Context, sensor_id: UUID, body: ProfileDraft) -> Profile:
    """Draft the next version of a sensor's profile; it applies to nothing before an owner publishes it."""
    return await publication.draft(ctx, sensor_id, body)


@routes.route("POST", "/sensors/{sensor_id}/profiles/fit", access=of_sensor(Role.EDITOR), answer=Fitted)
async def fit_profile(ctx: Context, sensor_id: UUID, body: FitRequest) -> Fitted:
    """Fit a line or a table to reference pairs, storing nothing."""
    return await fitting.fit(ctx, sensor_id, body)


@routes.route("GET", "/profiles/{profile_id}", access=of_profile(Role.VIEWER), answer=Profile)
async def read_profile(ctx: Context, profile_id: UUID) -> Profile:
    """Read a version of a profile."""
    return await service.read(ctx, profile_id)


@routes.route(
    "PATCH", "/profiles/{profile_id}", access=of_profile(Role.EDITOR), answer=Profile, problems=[ProfilePublished]
)
async def update_profile(ctx: Context, profile_id: UUID, body: ProfileDraft) -> Profile:
    """Replace what a draft says."""
    return await publication.change(ctx, profile_id, body)


@routes.route(
    "DELETE", "/profiles/{profile_id}", access=of_profile(Role.EDITOR), status=204, problems=[ProfilePublished]
)
async def delete_profile(ctx: Context, profile_id: UUID) -> None:
    """Delete a draft."""
    await publication.discard(ctx, profile_id)


@routes.route(
    "POST",
    "/profiles/{profile_id}/withdraw",
    access=of_profile(Role.OWNER),
    answer=Profile,
    problems=[ProfileNotScheduled],
)
async def withdraw_profile(ctx: Context, profile_id: UUID) -> Profile:
    """Take a publication back before it begins; the version before goes on."""
    return await publication.withdraw(ctx, profile_id)
