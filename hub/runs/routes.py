"""Routes of runs."""

from uuid import UUID

from hub.experiments.access import of_experiment
from hub.experiments.problems import ExperimentArchived, ExperimentMoveRefused
from hub.kit.context import Context
from hub.kit.endpoint import Routes
from hub.kit.pages import Page
from hub.projects.access import NamedProject
from hub.projects.models import Role
from hub.runs import moves, service
from hub.runs.access import of_run
from hub.runs.models import BatchStatus, Run, RunCreate, RunFinish, RunQuery, Runs, RunSensors, RunUpdate
from hub.runs.problems import RunMoveRefused, RunOver, RunRecording
from hub.sensors.problems import SensorGone

routes = Routes("runs")

START_PROBLEMS = (RunMoveRefused, ExperimentArchived, ExperimentMoveRefused)
MOVE_PROBLEMS = (*START_PROBLEMS, RunRecording)


@routes.route("GET", "/experiments/{experiment_id}/runs", access=of_experiment(Role.VIEWER), answer=Page[Run])
async def list_runs(ctx: Context, experiment_id: UUID, query: RunQuery) -> Page[Run]:
    """List an experiment's runs."""
    return await service.list_of_experiment(ctx, experiment_id, query)


@routes.route(
    "POST",
    "/experiments/{experiment_id}/runs",
    access=of_experiment(Role.EDITOR),
    answer=Run,
    status=201,
    problems=[ExperimentArchived],
)
async def create_run(ctx: Context, experiment_id: UUID, body: RunCreate) -> Run:
    """Create a run."""
    return await service.create(ctx, experiment_id, body)


@routes.route("GET", "/runs/{run_id}", access=of_run(Role.VIEWER), answer=Run)
async def read_run(ctx: Context, run_id: UUID) -> Run:
    """Read a run."""
    return await service.read(ctx, run_id)


@routes.route("PATCH", "/runs/{run_id}", access=of_run(Role.EDITOR), answer=Run, problems=[RunOver])
async def update_run(ctx: Context, run_id: UUID, body: RunUpdate) -> Run:
    """Change what describes a run."""
    return await service.update(ctx, run_id, body)


@routes.route("PUT", "/runs/{run_id}/sensors", access=of_run(Role.EDITOR), answer=Run, problems=[RunOver, SensorGone])
async def put_run_sensors(ctx: Context, run_id: UUID, body: RunSensors) -> Run:
    """Say which sensors take part in a run, and which of them its captures store."""
    return await service.put_sensors(ctx, run_id, body)


@routes.route("POST", "/runs/{run_id}/start", access=of_run(Role.EDITOR), answer=Run, problems=START_PROBLEMS)
async def start_run(ctx: Context, run_id: UUID) -> Run:
    """Start a run."""
    return await moves.start(ctx, run_id)


@routes.route("POST", "/runs/{run_id}/finish", access=of_run(Role.EDITOR), answer=Run, problems=MOVE_PROBLEMS)
async def finish_run(ctx: Context, run_id: UUID, body: RunFinish) -> Run:
    """End a run, and with it its running captures."""
    return await moves.finish(ctx, run_id, body)


@routes.route(
    "POST",
    "/runs/batch-status",
    access=NamedProject(Role.EDITOR),
    answer=Runs,
    problems=MOVE_PROBLEMS,
)
async def move_runs(ctx: Context, body: BatchStatus) -> Runs:
    """Move several runs to one state, all of them or none."""
    return await moves.move_all(ctx, body)
