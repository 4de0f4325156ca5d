"""Routes of backfills, and of publishing, which may start some."""

from uuid import UUID

from aiohttp import web

from hub.backfills import queries, service
from hub.backfills.dry_run import dry_run
from hub.backfills.models import (
    Backfill,
    BackfillCreate,
    BackfillOptions,
    BackfillQuery,
    DryRun,
    Publication,
    Published,
)
from hub.backfills.problems import (
    BackfillOver,
    BackfillUnderway,
    CaptureNotConvertible,
    ProfileNotPublished,
    TooManyCaptures,
)
from hub.captures.access import of_capture
from hub.conversion.access import of_profile
from hub.conversion.problems import ProfilePublished, ProfileUnitsDiffer, PublicationPending
from hub.kit.context import Context
from hub.kit.endpoint import Routes
from hub.kit.pages import Page
from hub.projects.access import Member, of_project
from hub.projects.models import Role
from hub.sensors.problems import SensorGone

routes = Routes("backfills")


def of_backfill(least: Role) -> Member:
    """Admit members of the project of the backfill in the path."""
    return Member(least, "backfill", "backfill_id", queries.project_of)


@routes.route(
    "POST",
    "/profiles/{profile_id}/publish",
    access=of_profile(Role.OWNER),
    answer=Published,
    problems=[ProfilePublished, PublicationPending, ProfileUnitsDiffer, TooManyCaptures, SensorGone],
)
async def publish_profile(ctx: Context, profile_id: UUID, body: Publication) -> Published:
    """Let a draft apply to what is measured from a time on, and to captures of the last days where that is asked."""
    return await service.publish(ctx, profile_id, body)


@routes.route(
    "POST",
    "/captures/{capture_id}/backfills",
    access=of_capture(Role.OWNER),
    answer=Backfill,
    status=201,
    also={200: DryRun},
    problems=[CaptureNotConvertible, ProfileNotPublished, BackfillUnderway, SensorGone],
)
async def create_backfill(
    ctx: Context, capture_id: UUID, query: BackfillOptions, body: BackfillCreate
) -> Backfill | web.Response:
    """Convert a sensor's series of a capture anew, into a revision beside the old one; or tell what would change."""
    if query.dry_run:
        tried = await dry_run(ctx, capture_id, body.profile_id)
        return web.Response(body=tried.model_dump_json().encode(), content_type="application/json")
    return await service.start(ctx, capture_id, body.profile_id)


@routes.route("GET", "/projects/{project_id}/backfills", access=of_project(Role.VIEWER), answer=Page[Backfill])
async def list_backfills(ctx: Context, project_id: UUID, query: BackfillQuery) -> Page[Backfill]:
    """List a project's backfills, the newest first."""
    return await service.list_of_project(ctx, project_id, query)


@routes.route("GET", "/backfills/{backfill_id}", access=of_backfill(Role.VIEWER), answer=Backfill)
async def read_backfill(ctx: Context, backfill_id: UUID) -> Backfill:
    """Read a backfill; `done` of `samples` tells how far it is."""
    return await service.read(ctx, backfill_id)


@routes.route(
    "POST",
    "/backfills/{backfill_id}/cancel",
    access=of_backfill(Role.OWNER),
    answer=Backfill,
    problems=[BackfillOver],
)
async def cancel_backfill(ctx: Context, backfill_id: UUID) -> Backfill:
    """End a backfill before it is finished; the capture stays as it is."""
    return await service.cancel(ctx, backfill_id)
