"""Routes of experiments."""

from uuid import UUID

from hub.experiments import service
from hub.experiments.access import of_experiment
from hub.experiments.models import Experiment, ExperimentCreate, ExperimentQuery, ExperimentUpdate
from hub.experiments.problems import ExperimentArchived, ExperimentHeld, ExperimentMoveRefused
from hub.kit.context import Context
from hub.kit.endpoint import Routes
from hub.kit.pages import Page
from hub.projects.access import of_project
from hub.projects.models import Role

routes = Routes("experiments")


@routes.route("GET", "/projects/{project_id}/experiments", access=of_project(Role.VIEWER), answer=Page[Experiment])
async def list_experiments(ctx: Context, project_id: UUID, query: ExperimentQuery) -> Page[Experiment]:
    """List a project's experiments."""
    return await service.list_of_project(ctx, project_id, query)


@routes.route(
    "POST", "/projects/{project_id}/experiments", access=of_project(Role.EDITOR), answer=Experiment, status=201
)
async def create_experiment(ctx: Context, project_id: UUID, body: ExperimentCreate) -> Experiment:
    """Create an experiment."""
    return await service.create(ctx, body)


@routes.route("GET", "/experiments/{experiment_id}", access=of_experiment(Role.VIEWER), answer=Experiment)
async def read_experiment(ctx: Context, experiment_id: UUID) -> Experiment:
    """Read an experiment."""
    return await service.read(ctx, experiment_id)


@routes.route(
    "PATCH",
    "/experiments/{experiment_id}",
    access=of_experiment(Role.EDITOR),
    answer=Experiment,
    problems=[ExperimentArchived, ExperimentMoveRefused],
)
async def update_experiment(ctx: Context, experiment_id: UUID, body: ExperimentUpdate) -> Experiment:
    """Change an experiment or its status."""
    return await service.update(ctx, experiment_id, body)


@routes.route(
    "POST",
    "/experiments/{experiment_id}/archive",
    access=of_experiment(Role.EDITOR),
    answer=Experiment,
    problems=[ExperimentArchived, ExperimentHeld],
)
async def archive_experiment(ctx: Context, experiment_id: UUID) -> Experiment:
    """Archive an experiment of which no run is running or scheduled."""
    return await service.archive(ctx, experiment_id)


@routes.route(
    "DELETE",
    "/experiments/{experiment_id}",
    access=of_experiment(Role.OWNER),
    status=204,
    problems=[ExperimentHeld],
)
async def delete_experiment(ctx: Context, experiment_id: UUID) -> None:
    """Delete an experiment that has no runs."""
    await service.delete(ctx, experiment_id)
