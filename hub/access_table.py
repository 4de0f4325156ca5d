"""Who is admitted where, read off the declared routes: the table in docs/access.md and what the tests expect."""

from collections.abc import Sequence
from enum import StrEnum
from http import HTTPStatus
from typing import Final

from hub.auth.access import SCOPE_RANK, LoggedIn, Public
from hub.auth.models import Scope
from hub.auth.step_up import WithOtp
from hub.kit.endpoint import Access, Endpoint
from hub.projects.access import Member, NamedProject
from hub.projects.models import RANK, Role
from hub.sensors.access import Device
from hub.telemetry.access import DeviceToken


class Caller(StrEnum):
    """Who may call a route."""

    ANONYMOUS = "anonymous"
    EXPIRED = "expired token"
    REVOKED = "revoked token"
    STRANGER = "stranger"
    VIEWER = "viewer"
    EDITOR = "editor"
    OWNER = "owner"
    READ = "token: read"
    WRITE = "token: write"
    ADMIN = "token: admin"
    ELSEWHERE = "token of another project"
    SENSOR = "sensor"
    AGENT = "edge agent"


ROLES: Final = {Caller.VIEWER: Role.VIEWER, Caller.EDITOR: Role.EDITOR, Caller.OWNER: Role.OWNER}
# Personal tokens of an owner, with these scopes.
TOKENS: Final[dict[Caller, Scope]] = {
    Caller.READ: "read",
    Caller.WRITE: "write",
    Caller.ADMIN: "admin",
    Caller.ELSEWHERE: "admin",
}
DEVICES: Final = {Caller.SENSOR: "sensor", Caller.AGENT: "agent"}
ADMITTED: Final = None


def refusal(access: Access, caller: Caller) -> HTTPStatus | None:
    """Return with which status a rule refuses a caller, None when it admits; raises TypeError for an unknown rule.

    A caller with a second factor is meant where the rule asks for a code.
    """
    match access:
        case WithOtp(before=before):
            return refusal(before, caller)
        case Public():
            return ADMITTED
        case DeviceToken():
            return ADMITTED if caller in DEVICES else HTTPStatus.UNAUTHORIZED
        case Device(kinds=kinds):
            return ADMITTED if DEVICES.get(caller) in kinds else HTTPStatus.UNAUTHORIZED
        case LoggedIn():
            bound = HTTPStatus.FORBIDDEN if access.unbound and caller is Caller.ELSEWHERE else ADMITTED
            return _without_login(caller) or _of_scope(caller, access.needs) or bound
        case Member() | NamedProject():
            return _without_login(caller) or _of_scope(caller, access.needs) or _of_member(caller, access.least)
        case _:
            raise TypeError(f"{type(access).__name__} is missing here")


def _without_login(caller: Caller) -> HTTPStatus | None:
    users = {Caller.STRANGER, *ROLES, *TOKENS}
    return ADMITTED if caller in users else HTTPStatus.UNAUTHORIZED


def _of_scope(caller: Caller, needs: Scope | None) -> HTTPStatus | None:
    scope = TOKENS.get(caller)
    reaches = scope is None or (needs is not None and SCOPE_RANK[scope] >= SCOPE_RANK[needs])
    return ADMITTED if reaches else HTTPStatus.FORBIDDEN


def _of_member(caller: Caller, least: Role) -> HTTPStatus | None:
    if caller in {Caller.STRANGER, Caller.ELSEWHERE}:
        return HTTPStatus.NOT_FOUND
    reaches = RANK[ROLES.get(caller, Role.OWNER)] >= RANK[least]
    return ADMITTED if reaches else HTTPStatus.FORBIDDEN


def render(endpoints: Sequence[Endpoint]) -> str:
    """Write the table as Markdown, a row a route."""
    rows = [_row(endpoint) for endpoint in sorted(endpoints, key=lambda one: (one.path, one.method))]
    head = ["route", *Caller, "rule"]
    return HEAD + "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)) + "\n"


def _row(endpoint: Endpoint) -> list[str]:
    refusals = [refusal(endpoint.access, caller) for caller in Caller]
    cells = ["✓" if status is None else str(status.value) for status in refusals]
    return [f"`{endpoint.method} {endpoint.path}`", *cells, endpoint.access.rule]


HEAD: Final = """# Who may call what

Generated from the declared routes by `python -m hub.write_docs`; every cell is tried by `tests/hub/test_access.py`.

✓ admitted (a handler may still refuse what is asked for) · 401 who you are is not known · 403 not with this role or
token · 404 whoever is no member cannot tell a thing from none. A token is a personal token of an owner with this scope.
The live WebSocket opens for everybody and is told who watches by its first message; unless that is a user it closes.

"""
