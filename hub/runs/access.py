"""Access to runs by membership of their projects."""

from uuid import UUID

from hub.kit.context import Context
from hub.projects.access import Member, grant
from hub.projects.models import RANK, Role
from hub.projects.problems import NotFound, RoleTooLow
from hub.runs import queries


def of_run(least: Role) -> Member:
    """Admit members of the project of the run in the path."""
    return Member(least, "run", "run_id", queries.project_of)


async def admit_to(ctx: Context, run_id: UUID, least: Role) -> None:
    """Admit the caller to a run that the body names; raises NotFound or RoleTooLow."""
    project_id = await queries.project_of(ctx.tx, run_id)
    if project_id is None:
        raise NotFound(noun="run")
    ctx.grant = await grant(ctx.tx, project_id, ctx.caller.id, "run")
    role = Role(ctx.grant.role)
    if RANK[role] < RANK[least]:
        raise RoleTooLow(needed=least, role=role)
