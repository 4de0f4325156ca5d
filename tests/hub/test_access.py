"""The access matrix: every declared route, called by everybody, answers as docs/access.md says."""

import re
import uuid
from http import HTTPStatus
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from hub.access_table import Caller as Who
from hub.access_table import refusal
from hub.app import ENDPOINTS, LIVE_ENDPOINTS
from hub.auth import tokens
from hub.kit.context import HUB
from hub.kit.db import Tx
from hub.kit.endpoint import Endpoint
from hub.settings import Role
from tests.hub.access_ids import USUAL
from tests.hub.access_rows import ROWS
from tests.hub.access_world import World
from tests.hub.auth.conftest import EMAIL, RIGHT
from tests.hub.callers import Answer, Caller
from tests.hub.conftest import Login, Make
from tests.hub.ledger.conftest import of_request
from tests.hub.ledger.rules import SOMETIMES, leaves_a_fact

SOCKET = "GET /api/v1/live"
EVENTS = "GET /api/v1/live/events"
# After these a caller, or the project, is not what it was: each gets a world of its own.
ENDING = {
    "POST /api/v1/auth/logout",
    "POST /api/v1/auth/password/change",
    "POST /api/v1/auth/password/reset",
    "PUT /api/v1/projects/{project_id}/members/{user_id}",
    "DELETE /api/v1/projects/{project_id}/members/{user_id}",
    "DELETE /api/v1/projects/{project_id}",
    "POST /api/v1/invites/accept",
    "PATCH /api/v1/projects/{project_id}/settings",
}


def name(endpoint: Endpoint) -> str:
    return f"{endpoint.method} {endpoint.path}"


@pytest.fixture
def roles() -> frozenset[Role]:
    """Every part of the hub runs: ingest waits for the writer's first look at the stream."""
    return frozenset({"api", "writer", "live", "worker"})


@pytest.fixture(scope="session")
def password_hash() -> str:
    """A hash of RIGHT, made once."""
    from argon2 import PasswordHasher  # noqa: PLC0415 - the only place that needs one without the hub

    return PasswordHasher().hash(RIGHT)


@pytest.fixture
async def world(
    app: web.Application,
    db: Tx,
    project: str,
    other_project: str,
    owner: Caller,
    editor: Caller,
    viewer: Caller,
    anonymous: Caller,
    sensor: Make,
    agent: Make,
    experiment: Make,
    run: Make,
    password_hash: str,
) -> World:
    """A project with one of everything, and another one that is empty."""
    await db.execute("insert into app_user (email, name, password_hash) values ($1, 'Ada', $2)", EMAIL, password_hash)
    # Viewers may preview raw values: what the matrix asks is who is admitted.
    await owner.patch(f"/projects/{project}/settings", {"raw_policy": "open"})
    return World(
        hub=app[HUB],
        db=db,
        project=project,
        owner=owner,
        editor=editor,
        viewer=viewer,
        anonymous=anonymous,
        sensor=await sensor(),
        agent=await agent(default=True),
        new_sensor=sensor,
        new_agent=agent,
        new_experiment=experiment,
        new_run=run,
        password_hash=password_hash,
    )


@pytest.fixture
async def callers(world: World, login: Login, other_project: str, app: web.Application) -> dict[Who, Caller]:
    """Everybody who may call."""
    hub, client = app[HUB], world.owner.client
    expired = tokens.issue(
        hub.keys, hub.clock, user_id=uuid.UUID(world.owner.id), session_id=uuid.uuid4(), name="", lifetime_s=-1
    )
    revoked = await login("owner")
    await revoked.post("/auth/logout")
    second = await login("owner")  # tokens are another owner's, so that one may leave
    await world.db.execute(
        "insert into project_member (project_id, user_id, role) values ($1, $2, 'owner')",
        uuid.UUID(other_project),
        uuid.UUID(second.id),
    )

    async def token(scope: str, project_id: str | None = None) -> Caller:
        body = {"name": "ci", "scope": scope, "project_id": project_id}
        return Caller(client, (await second.post("/auth/tokens", body)).ok["token"], second.id)

    return {
        Who.ANONYMOUS: world.anonymous,
        Who.EXPIRED: Caller(client, expired, world.owner.id),
        Who.REVOKED: revoked,
        Who.STRANGER: await login(),
        Who.VIEWER: world.viewer,
        Who.EDITOR: world.editor,
        Who.OWNER: world.owner,
        Who.READ: await token("read"),
        Who.WRITE: await token("write"),
        Who.ADMIN: await token("admin"),
        Who.ELSEWHERE: await token("admin", other_project),
        Who.SENSOR: Caller(client, world.sensor["token"], world.sensor["id"]),
        Who.AGENT: Caller(client, world.agent["token"], world.agent["id"]),
    }


def test_every_route_has_a_row() -> None:
    assert {name(endpoint) for endpoint in (*ENDPOINTS, *LIVE_ENDPOINTS)} == {*ROWS, SOCKET, EVENTS}


@pytest.mark.parametrize("tag", sorted({endpoint.tag for endpoint in ENDPOINTS}))
async def test_routes(tag: str, world: World, callers: dict[Who, Caller]) -> None:
    wrong: list[str] = []
    for endpoint in ENDPOINTS:
        if endpoint.tag == tag and name(endpoint) not in ENDING:
            wrong += await try_everybody(endpoint, world, callers)
    assert wrong == []


@pytest.mark.parametrize("endpoint", [one for one in ENDPOINTS if name(one) in ENDING], ids=name)
async def test_routes_that_end_access(endpoint: Endpoint, world: World, callers: dict[Who, Caller]) -> None:
    assert await try_everybody(endpoint, world, callers) == []


async def try_everybody(endpoint: Endpoint, world: World, callers: dict[Who, Caller]) -> list[str]:
    """Call a route as everybody, those who change things last; returns what was not as the table says.

    What is let through must also leave its facts: each reading of data one, a change at least when it is made first.
    """
    wrong: list[str] = []
    told: list[int] = []
    for who in sorted(Who, key=lambda one: refusal(endpoint.access, one) is None):
        caller = callers[who]
        expected = refusal(endpoint.access, who)
        as_user = caller if caller.id and expected is None else world.owner
        answer = await ask(endpoint, world, caller, as_user)
        succeeds = ROWS[name(endpoint)].status or endpoint.status
        if answer.status != (succeeds if expected is None else expected):
            wrong.append(
                f"{name(endpoint)} as {who}: {answer.status} {answer.code} instead of {expected or endpoint.status}"
            )
        if expected is None:
            told.append(len(await of_request(world.db, answer)))
        if expected is None and name(endpoint) == "DELETE /api/v1/projects/{project_id}":
            await world.db.execute("update project set deleted_at = null")
        await forget_attempts(world)
    if leaves_a_fact(endpoint):
        kept = set(told) == {1} if endpoint.method == "GET" else told[0] > 0
    else:
        kept = set(told) == {0} or name(endpoint) in SOMETIMES
    return wrong if kept else [*wrong, f"{name(endpoint)} left {told} facts"]


async def forget_attempts(world: World) -> None:
    """Let everybody try again: how often one may is another matter."""
    if keys := await world.hub.stream.keys("limit:*"):
        await world.hub.stream.delete(*keys)


async def ask(endpoint: Endpoint, world: World, caller: Caller, as_user: Caller) -> Answer:
    """Call a route with what its row says."""
    row = ROWS[name(endpoint)]
    wanted = re.findall(r"\{(\w+)\}", endpoint.path + row.query)
    ids = {one: str(await (row.ids.get(one) or USUAL[one])(world, as_user)) for one in wanted}
    headers = await row.headers(world, as_user) if row.headers else {}
    body = await row.body_for(world, as_user)
    return await caller.call(endpoint.method, (endpoint.path + row.query).format(**ids), body, **headers)


async def test_live_socket(client: TestClient[Any, Any], world: World, callers: dict[Who, Caller]) -> None:
    users = {Who.STRANGER, Who.VIEWER, Who.EDITOR, Who.OWNER, Who.READ, Who.WRITE, Who.ADMIN, Who.ELSEWHERE}
    for who, caller in callers.items():
        socket = await client.ws_connect("/api/v1/live")
        await socket.send_json({"op": "auth", "access_token": caller.token or "none"})
        answer = await socket.receive_json(timeout=5)
        assert (answer["op"] == "ready") is (who in users), who
        if who not in users:
            await socket.receive(timeout=5)
            assert socket.close_code == 4401
        await socket.close()


async def test_live_events(world: World, callers: dict[Who, Caller]) -> None:
    (endpoint,) = [one for one in LIVE_ENDPOINTS if name(one) == EVENTS]
    for who, caller in callers.items():
        headers = {"Authorization": f"Bearer {caller.token}"} if caller.token else {}
        # The stream does not end by itself: its head is all that is read.
        async with caller.client.get(endpoint.path, headers=headers) as response:
            assert response.status == (refusal(endpoint.access, who) or endpoint.status), who
        await forget_attempts(world)


def test_statuses_are_documented() -> None:
    for endpoint in ENDPOINTS:
        documented = {problem.status for problem in endpoint.access.problems}
        refusals = {refusal(endpoint.access, who) for who in Who} - {None}
        assert {HTTPStatus(status) for status in documented} >= refusals, name(endpoint)
