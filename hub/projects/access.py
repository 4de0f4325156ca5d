"""Access by membership: the one place that decides who may do what in a project."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from hub.auth.access import Personal, identify
from hub.auth.models import Scope
from hub.auth.problems import TokenNotEnough
from hub.kit.context import Context, Grant
from hub.kit.db import Tx
from hub.kit.endpoint import Access
from hub.kit.problems import NotFound, Problem, Unauthenticated
from hub.projects import queries
from hub.projects.models import RANK, Role
from hub.projects.problems import RawNotAllowed, RoleTooLow

ProjectOf = Callable[[Tx, UUID], Awaitable[UUID | None]]
# What a personal token must be good for, to act with this role.
SCOPES: dict[Role, Scope] = {Role.VIEWER: "read", Role.EDITOR: "write", Role.OWNER: "admin"}
_HIGHEST: dict[Scope, Role] = {scope: role for role, scope in SCOPES.items()}


async def _itself(_tx: Tx, project_id: UUID) -> UUID | None:
    return project_id


@dataclass(frozen=True)
class Member(Access):
    """Admits members of the project to which the addressed thing belongs, from a role upwards.

    `parameter` is the path parameter that holds the thing's id, `of` finds its project (None: no such thing), `scope`
    is what a personal token needs where it is more than the role tells.
    """

    least: Role
    noun: str
    parameter: str
    of: ProjectOf
    scope: Scope | None = None

    @property
    def needs(self) -> Scope:
        """Return the scope that a personal token needs."""
        return self.scope or SCOPES[self.least]

    @property
    def scheme(self) -> str | None:
        """Return the name of the OpenAPI security scheme."""
        return "user"

    @property
    def rule(self) -> str:
        """Return who is admitted."""
        return (
            f"{self.least} of the {self.noun}'s project" if self.noun != "project" else f"{self.least} of the project"
        )

    @property
    def problems(self) -> Sequence[type[Problem]]:
        """Return what the rule may answer."""
        return (Unauthenticated, TokenNotEnough, NotFound, *(() if self.least is Role.VIEWER else (RoleTooLow,)))

    async def admit(self, ctx: Context) -> None:
        """Find the project and the caller's role in it; 404 for whoever is no member, 403 for a role too low."""
        await identify(ctx, self.needs)
        thing_id = _uuid(ctx.request.match_info[self.parameter], self.noun)
        project_id = await ctx.hub.remembered.get((self.noun, thing_id), lambda tx: self.of(tx, thing_id))
        if project_id is None:
            raise NotFound(noun=self.noun)
        await admit_to(ctx, project_id, self.least, self.noun)


@dataclass(frozen=True)
class NamedProject(Access):
    """Admits whoever is logged in; the handler finds the project in the body and calls `admit_to` with `least`."""

    least: Role

    @property
    def needs(self) -> Scope:
        """Return the scope that a personal token needs."""
        return SCOPES[self.least]

    @property
    def scheme(self) -> str | None:
        """Return the name of the OpenAPI security scheme."""
        return "user"

    @property
    def rule(self) -> str:
        """Return who is admitted."""
        return f"{self.least} of the project that is named"

    @property
    def problems(self) -> Sequence[type[Problem]]:
        """Return what the rule may answer."""
        return (Unauthenticated, TokenNotEnough, NotFound, RoleTooLow)

    async def admit(self, ctx: Context) -> None:
        """Identify the user."""
        await identify(ctx, self.needs)


async def admit_to(ctx: Context, project_id: UUID, least: Role, noun: str = "project") -> Grant:
    """Set what the caller may do in a project; 404 for whoever is no member, 403 for a role too low."""
    ctx.grant = await grant(ctx, project_id, noun)
    role = Role(ctx.grant.role)
    if RANK[role] < RANK[least]:
        raise RoleTooLow(needed=least, role=role)
    return ctx.grant


async def grant(ctx: Context, project_id: UUID, noun: str = "project") -> Grant:
    """Return what the caller may do in a project; raises NotFound for whoever is no member.

    Through a personal token nobody acts in a higher role than its scope allows.
    """
    caller = ctx.caller
    if isinstance(caller, Personal) and caller.project_id not in {None, project_id}:
        raise NotFound(noun=noun)

    async def load(tx: Tx) -> Grant | None:
        row = await queries.membership(tx, project_id, caller.id)
        return None if row is None else grant_of(project_id, row["role"], row["raw_policy"])

    granted = await ctx.hub.remembered.get(("member", project_id, caller.id), load, within=ctx.transaction)
    if granted is None:
        raise NotFound(noun=noun)
    if isinstance(caller, Personal) and RANK[_HIGHEST[caller.scope]] < RANK[Role(granted.role)]:
        return replace(granted, role=_HIGHEST[caller.scope])
    return granted


def grant_of(project_id: UUID, role: str, raw_policy: str) -> Grant:
    """Make the grant of a member with this role; whether raw values are open to them no token's scope narrows."""
    return Grant(project_id, role, {"raw_open": Role(role) is not Role.VIEWER or raw_policy == "open"})


def _uuid(text: str, noun: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise NotFound(noun=noun) from error


def of_project(least: Role, scope: Scope | None = None) -> Member:
    """Admit members of the project in the path."""
    return Member(least, "project", "project_id", _itself, scope)


def only_project(ctx: Context) -> UUID | None:
    """Return the one project that the caller's personal token is good for, None where nothing narrows it."""
    return ctx.caller.project_id if isinstance(ctx.caller, Personal) else None


def may_read_raw(granted: Grant) -> bool:
    """Tell whether raw values are open to this member."""
    return bool(granted.facts.get("raw_open"))


def readable_values(granted: Grant, wanted: frozenset[str] | None) -> frozenset[str]:
    """Return which of raw and physical to show; raises RawNotAllowed when raw was asked for by name and is closed."""
    if wanted is None:
        return frozenset({"raw", "physical"}) if may_read_raw(granted) else frozenset({"physical"})
    if "raw" in wanted and not may_read_raw(granted):
        raise RawNotAllowed
    return wanted
