"""Access by membership: the one place that decides who may do what in a project."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from hub.auth.access import identify
from hub.kit.context import Context, Grant
from hub.kit.db import Tx
from hub.kit.problems import Problem, Unauthenticated
from hub.projects import queries
from hub.projects.models import RANK, Role
from hub.projects.problems import NotFound, RawNotAllowed, RoleTooLow

ProjectOf = Callable[[Tx, UUID], Awaitable[UUID | None]]


async def _itself(_tx: Tx, project_id: UUID) -> UUID | None:
    return project_id


@dataclass(frozen=True)
class Member:
    """Admits members of the project to which the addressed thing belongs, from a role upwards.

    `parameter` is the path parameter that holds the thing's id, `of` finds its project (None: no such thing).
    """

    least: Role
    noun: str
    parameter: str
    of: ProjectOf

    scheme = "user"

    @property
    def rule(self) -> str:
        """Return who is admitted."""
        return (
            f"{self.least} of the {self.noun}'s project" if self.noun != "project" else f"{self.least} of the project"
        )

    @property
    def problems(self) -> Sequence[type[Problem]]:
        """Return what the rule may answer."""
        return (Unauthenticated, NotFound, *(() if self.least is Role.VIEWER else (RoleTooLow,)))

    async def admit(self, ctx: Context) -> None:
        """Find the project and the caller's role in it; 404 for whoever is no member, 403 for a role too low."""
        await identify(ctx)
        thing_id = _uuid(ctx.request.match_info[self.parameter], self.noun)
        if ctx.transaction is not None:
            await self._grant(ctx, ctx.tx, thing_id)
        else:
            async with ctx.hub.db.connection() as connection:
                await self._grant(ctx, connection, thing_id)

    async def _grant(self, ctx: Context, tx: Tx, thing_id: UUID) -> None:
        project_id = await self.of(tx, thing_id)
        if project_id is None:
            raise NotFound(noun=self.noun)
        ctx.grant = await grant(tx, project_id, ctx.caller.id, self.noun)
        role = Role(ctx.grant.role)
        if RANK[role] < RANK[self.least]:
            raise RoleTooLow(needed=self.least, role=role)


def _uuid(text: str, noun: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise NotFound(noun=noun) from error


async def grant(tx: Tx, project_id: UUID, user_id: UUID, noun: str = "project") -> Grant:
    """Return what a user may do in a project; raises NotFound for whoever is no member."""
    row = await queries.membership(tx, project_id, user_id)
    if row is None:
        raise NotFound(noun=noun)
    return Grant(project_id, row["role"], {"raw_policy": row["raw_policy"]})


def of_project(least: Role) -> Member:
    """Admit members of the project in the path."""
    return Member(least, "project", "project_id", _itself)


def may_read_raw(granted: Grant) -> bool:
    """Tell whether raw values are open to this member."""
    return Role(granted.role) is not Role.VIEWER or granted.facts.get("raw_policy") == "open"


def readable_values(granted: Grant, wanted: frozenset[str] | None) -> frozenset[str]:
    """Return which of raw and physical to show; raises RawNotAllowed when raw was asked for by name and is closed."""
    if wanted is None:
        return frozenset({"raw", "physical"}) if may_read_raw(granted) else frozenset({"physical"})
    if "raw" in wanted and not may_read_raw(granted):
        raise RawNotAllowed
    return wanted
