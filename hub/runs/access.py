"""Access to runs by membership of their projects."""

from uuid import UUID

from hub.kit.context import Context
from hub.kit.problems import NotFound
from hub.projects import access
from hub.projects.access import Member
from hub.projects.models import Role
from hub.runs import queries


def of_run(least: Role) -> Member:
    """Admit members of the project of the run in the path."""
    return Member(least, "run", "run_id", queries.project_of)


async def admit_to(ctx: Context, run_id: UUID, least: Role) -> None:
    """Admit the caller to a run that the body names; raises NotFound or RoleTooLow."""
    project_id = await queries.project_of(ctx.tx, run_id)
    if project_id is None:
        raise NotFound(noun="run")
    await access.admit_to(ctx, project_id, least, "run")
