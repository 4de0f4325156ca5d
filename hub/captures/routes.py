"""Routes of captures."""

from uuid import UUID

from hub.captures import service
from hub.captures.access import of_capture
from hub.captures.models import Capture, CaptureCreate, CaptureQuery, CaptureUpdate
from hub.captures.problems import (
    CaptureKept,
    CaptureNotDraft,
    CaptureNotOver,
    CaptureNotRunning,
    NothingToRecord,
    PreRollTooLong,
)
from hub.kit.context import Context
from hub.kit.endpoint import Routes
from hub.kit.pages import Page
from hub.projects.access import of_project
from hub.projects.models import Role
from hub.projects.problems import ProjectGone
from hub.runs.access import of_run
from hub.runs.problems import RunNotRunning, RunOver
from hub.sensors.problems import SensorGone

routes = Routes("captures")


@routes.route("GET", "/runs/{run_id}/captures", access=of_run(Role.VIEWER), answer=Page[Capture])
async def list_captures(ctx: Context, run_id: UUID, query: CaptureQuery) -> Page[Capture]:
    """List a run's captures, the newest first."""
    return await service.list_of(ctx, query, run_id=run_id)


@routes.route("GET", "/projects/{project_id}/captures", access=of_project(Role.VIEWER), answer=Page[Capture])
async def list_project_captures(ctx: Context, project_id: UUID, query: CaptureQuery) -> Page[Capture]:
    """List a project's captures, the newest first; with status=running those that record now."""
    return await service.list_of(ctx, query, project_id=project_id)


@routes.route(
    "POST",
    "/runs/{run_id}/captures",
    access=of_run(Role.EDITOR),
    answer=Capture,
    status=201,
    problems=[RunNotRunning, RunOver, NothingToRecord, PreRollTooLong, SensorGone, ProjectGone],
)
async def create_capture(ctx: Context, run_id: UUID, body: CaptureCreate) -> Capture:
    """Start a capture of a running run; `start: false` makes a draft."""
    return await service.create(ctx, run_id, body)


@routes.route(
    "POST",
    "/captures/{capture_id}/start",
    access=of_capture(Role.EDITOR),
    answer=Capture,
    problems=[CaptureNotDraft, RunNotRunning, NothingToRecord, SensorGone, ProjectGone],
)
async def start_capture(ctx: Context, capture_id: UUID) -> Capture:
    """Start a draft."""
    return await service.start(ctx, capture_id)


@routes.route(
    "POST",
    "/captures/{capture_id}/stop",
    access=of_capture(Role.EDITOR),
    answer=Capture,
    problems=[CaptureNotRunning],
)
async def stop_capture(ctx: Context, capture_id: UUID) -> Capture:
    """Stop a capture; samples taken before still belong to it when they arrive late."""
    return await service.stop(ctx, capture_id)


@routes.route("GET", "/captures/{capture_id}", access=of_capture(Role.VIEWER), answer=Capture)
async def read_capture(ctx: Context, capture_id: UUID) -> Capture:
    """Read a capture."""
    return await service.read(ctx, capture_id)


@routes.route(
    "PATCH", "/captures/{capture_id}", access=of_capture(Role.EDITOR), answer=Capture, problems=[CaptureNotOver]
)
async def update_capture(ctx: Context, capture_id: UUID, body: CaptureUpdate) -> Capture:
    """Change a capture's notes, or archive it."""
    return await service.update(ctx, capture_id, body)


@routes.route("DELETE", "/captures/{capture_id}", access=of_capture(Role.EDITOR), status=204, problems=[CaptureKept])
async def delete_capture(ctx: Context, capture_id: UUID) -> None:
    """Delete a draft or a failed capture."""
    await service.delete(ctx, capture_id)
