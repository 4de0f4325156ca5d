"""A hub on real PostgreSQL and Valkey, a project with members in every role, and sensors."""

import itertools
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from hub.app import create_app
from hub.auth import tokens
from hub.gateway import make_runner
from hub.kit.context import HUB
from hub.kit.db import Tx, prepare_connection
from hub.settings import Role, Settings
from tests.hub.callers import Caller
from tests.hub.rows import Rows

Login = Callable[..., Awaitable[Caller]]
Make = Callable[..., Awaitable[dict[str, Any]]]
Device = Callable[[dict[str, Any]], Caller]
Forget = Callable[[], None]

PAGE = '<html><meta property="csp-nonce" nonce="__CSP_NONCE__"><script nonce="__CSP_NONCE__"></script></html>'


@pytest.fixture
def settings(database_url: str, valkey_url: str, tmp_path: Path) -> Settings:
    """Settings of a hub on this test's database and stream; override to change one."""
    return Settings(
        _env_file=None,
        database_url=database_url,
        redis_url=valkey_url,
        data_dir=tmp_path / "data",
        frontend_dir=tmp_path / "no-frontend",
    )


@pytest.fixture
def roles() -> frozenset[Role]:
    """The roles that the hub under test plays; override for tests of writers and workers."""
    return frozenset({"api"})


@pytest.fixture
def app(settings: Settings, roles: frozenset[Role]) -> web.Application:
    """The hub's application, not started."""
    return create_app(settings, roles)


@pytest.fixture
def dashboard(settings: Settings) -> Path:
    """A built dashboard of two files; ask for it before the client."""
    assets = settings.frontend_dir / "assets"
    assets.mkdir(parents=True)
    (settings.frontend_dir / "index.html").write_text(PAGE)
    (assets / "chart-1a2b.js").write_text("export default 1")
    (assets / "chart-1a2b.js.gz").write_bytes(b"packed")
    (settings.frontend_dir / "favicon.svg").write_text("<svg/>")
    return settings.frontend_dir


class HubServer(TestServer):
    """The hub as it serves in earnest, behind its gateway."""

    async def _make_runner(self, **options: Any) -> web.BaseRunner:
        return make_runner(self.app, **options)


@pytest.fixture
async def client(app: web.Application) -> AsyncIterator[TestClient[web.Request, web.Application]]:
    """A client of the running hub."""
    async with TestClient(HubServer(app)) as client:
        yield client


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Tx]:
    """A connection of the test's own, to look behind the API and to set up what it cannot."""
    connection = await asyncpg.connect(database_url, server_settings={"timezone": "UTC"})
    await prepare_connection(connection)
    yield connection
    await connection.close()


@pytest.fixture
def forget(app: web.Application) -> Forget:
    """Let the hub see at once what a test changed behind its back, rather than within a second."""
    return app[HUB].remembered.forget


@pytest.fixture
async def project(db: Tx) -> str:
    """The id of a project whose raw values are closed to viewers."""
    return str(await db.fetchval("insert into project (name) values ('bench 3') returning id"))


@pytest.fixture
async def other_project(db: Tx) -> str:
    """The id of a second project."""
    return str(await db.fetchval("insert into project (name) values ('bench 4') returning id"))


@pytest.fixture
async def rows(db: Tx, project: str) -> Rows:
    """What makes rows of the project past the API."""
    user = await db.fetchval(
        "insert into app_user (email, name, password_hash) values ('rows@example.com', 'rows', '!') returning id"
    )
    return Rows(db, uuid.UUID(project), user)


@pytest.fixture
def login(client: TestClient[Any, Any], app: web.Application, db: Tx, project: str) -> Login:
    """Make users: a member of this role, a stranger without one; each call another user.

    `in_project` names another project.
    """
    counter = itertools.count(1)

    async def log_in(role: str | None = None, in_project: str | None = None) -> Caller:
        name = f"{role or 'stranger'} {next(counter)}"
        # Nobody can log in with this hash by password: argon2 would cost each test 50 ms a user.
        user_id = await db.fetchval(
            "insert into app_user (email, name, password_hash) values ($1, $2, '!') returning id",
            f"{name.replace(' ', '-')}@example.com",
            name,
        )
        if role is not None:
            await db.execute(
                "insert into project_member (project_id, user_id, role) values ($1, $2, $3)",
                uuid.UUID(in_project or project),
                user_id,
                role,
            )
        hub = app[HUB]
        session_id = uuid.uuid4()
        await db.execute(
            "insert into session (id, user_id, client, expires_at) values ($1, $2, 'script', now() + interval '1 day')",
            session_id,
            user_id,
        )
        token = tokens.issue(hub.keys, hub.clock, user_id=user_id, session_id=session_id, name=name, lifetime_s=3600)
        return Caller(client, token, str(user_id), name)

    return log_in


@pytest.fixture
def anonymous(client: TestClient[Any, Any]) -> Caller:
    """Somebody without a token."""
    return Caller(client)


@pytest.fixture
async def owner(login: Login) -> Caller:
    """An owner of the project."""
    return await login("owner")


@pytest.fixture
async def editor(login: Login) -> Caller:
    """An editor of the project."""
    return await login("editor")


@pytest.fixture
async def viewer(login: Login) -> Caller:
    """A viewer of the project."""
    return await login("viewer")


@pytest.fixture
async def stranger(login: Login) -> Caller:
    """A user who is no member of the project."""
    return await login()


@pytest.fixture
def device(client: TestClient[Any, Any]) -> Device:
    """Make a caller with the token of a sensor or edge agent that was just created."""

    def make(thing: dict[str, Any]) -> Caller:
        return Caller(client, thing["token"], thing["id"], thing["name"])

    return make


@pytest.fixture
def sensor(owner: Caller, project: str) -> Make:
    """Register a sensor (physical = 2 · raw + 1 °C), which is returned with its token.

    Keyword arguments replace fields of the request; `in_project` names another project of the owner.
    """
    counter = itertools.count(1)

    async def make(in_project: str | None = None, **fields: Any) -> dict[str, Any]:
        body = {
            "name": f"sensor {next(counter)}",
            "type": "temperature",
            "input_unit": "V",
            "display_unit": "°C",
            "profile": {"kind": "linear", "slope": 2.0, "intercept": 1.0},
            "limits": {"requests_per_s": 1000, "burst": 10_000},  # tests post more often than sensors do
        }
        return (await owner.post(f"/projects/{in_project or project}/sensors", body | fields)).ok

    return make


@pytest.fixture
def agent(owner: Caller, project: str) -> Make:
    """Create an edge agent of the project, which is returned with its token."""
    counter = itertools.count(1)

    async def make(in_project: str | None = None, **fields: Any) -> dict[str, Any]:
        body = {"name": f"edge {next(counter)}"} | fields
        return (await owner.post(f"/projects/{in_project or project}/edge-agents", body)).ok

    return make


@pytest.fixture
def experiment(editor: Caller, project: str) -> Make:
    """Create an experiment; keyword arguments replace fields of the request."""

    async def make(**fields: Any) -> dict[str, Any]:
        return (await editor.post(f"/projects/{project}/experiments", {"name": "Warm-up"} | fields)).ok

    return make


@pytest.fixture
def run(editor: Caller, experiment: Make) -> Make:
    """Create a run of a new experiment with the given sensors bound, started unless `start` is false.

    Other keyword arguments replace fields of the request; `experiment_id` names an experiment.
    """

    async def make(
        *sensors: dict[str, Any], start: bool = True, experiment_id: str | None = None, **fields: Any
    ) -> dict[str, Any]:
        of = experiment_id or (await experiment())["id"]
        made = (await editor.post(f"/experiments/{of}/runs", {"name": "run"} | fields)).ok
        if sensors:
            bound = {"sensors": [{"sensor_id": sensor["id"]} for sensor in sensors]}
            made = (await editor.put(f"/runs/{made['id']}/sensors", bound)).ok
        if start:
            made = (await editor.post(f"/runs/{made['id']}/start")).ok
        return made

    return make
