"""Routes of projects."""

from uuid import UUID

from hub.auth.access import READER, UNBOUND_ADMIN
from hub.kit.context import Context
from hub.kit.endpoint import Routes
from hub.kit.pages import Page, PageQuery
from hub.projects import service
from hub.projects.access import of_project
from hub.projects.models import Project, ProjectCreate, ProjectSettings, ProjectUpdate, Role
from hub.projects.problems import ProjectBusy

routes = Routes("projects")


@routes.route("GET", "/projects", access=READER, answer=Page[Project])
async def list_projects(ctx: Context, query: PageQuery) -> Page[Project]:
    """List the projects one is a member of."""
    return await service.list_mine(ctx, query)


@routes.route("POST", "/projects", access=UNBOUND_ADMIN, answer=Project, status=201)
async def create_project(ctx: Context, body: ProjectCreate) -> Project:
    """Create a project and become its owner."""
    return await service.create(ctx, body)


@routes.route("GET", "/projects/{project_id}", access=of_project(Role.VIEWER), answer=Project)
async def read_project(ctx: Context, project_id: UUID) -> Project:
    """Read a project."""
    return await service.read(ctx, project_id)


@routes.route("PATCH", "/projects/{project_id}", access=of_project(Role.OWNER), answer=Project)
async def update_project(ctx: Context, project_id: UUID, body: ProjectUpdate) -> Project:
    """Change a project's name or description."""
    return await service.update(ctx, project_id, body)


@routes.route("DELETE", "/projects/{project_id}", access=of_project(Role.OWNER), status=204, problems=[ProjectBusy])
async def delete_project(ctx: Context, project_id: UUID) -> None:
    """Delete a project: nobody sees it any more, its tokens end, its data stay."""
    await service.delete(ctx, project_id)


@routes.route("GET", "/projects/{project_id}/settings", access=of_project(Role.VIEWER), answer=ProjectSettings)
async def read_settings(ctx: Context, project_id: UUID) -> ProjectSettings:
    """Read a project's settings."""
    return await service.read_settings(ctx, project_id)


@routes.route("PATCH", "/projects/{project_id}/settings", access=of_project(Role.OWNER), answer=ProjectSettings)
async def change_settings(ctx: Context, project_id: UUID, body: ProjectSettings) -> ProjectSettings:
    """Change a project's settings."""
    return await service.change_settings(ctx, project_id, body)
