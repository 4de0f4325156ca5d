"""Fixtures that every test may ask for."""

import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import redis

from dev.postgres import Postgres
from dev.valkey import Valkey
from tests import cases
from tests.services import Database, TestServers, free_port, migrate, program_of, run

cases.register()


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestServers]:
    """The real servers of this test process, started on demand."""
    started = TestServers(tmp_path_factory.mktemp("servers"))
    yield started
    run(started.stop())


@pytest.fixture(scope="session")
def _clone(servers: TestServers) -> Database:
    return Database(run(servers.clone()))


@pytest.fixture
def database_url(_clone: Database) -> str:
    """A PostgreSQL database with the newest schema and no rows but those of the migrations."""
    run(_clone.empty())
    return _clone.url


@pytest.fixture
def empty_database_url(servers: TestServers) -> Iterator[str]:
    """A PostgreSQL database without any table, for tests of migrations."""
    url = run(servers.create(f"empty_{uuid.uuid4().hex}"))
    yield url
    run(servers.drop(url))


@pytest.fixture
def stream_server() -> str:
    """The kind of server that holds the stream; tests of the stream override it to run on `redis` as well."""
    return "valkey"


@pytest.fixture
def valkey_url(servers: TestServers, stream_server: str) -> str:
    """A Valkey (or Redis) without any key."""
    url = run(servers.stream(stream_server)).url
    with redis.Redis.from_url(url) as client:
        client.flushall()
    return url


@pytest.fixture
async def own_postgres(tmp_path: Path) -> AsyncIterator[Postgres]:
    """A migrated PostgreSQL with fsync on that belongs to one test, which may kill and restart it."""
    server = Postgres(tmp_path / "postgres")
    await server.start()
    await migrate(server.url)
    yield server
    await server.stop()


@pytest.fixture
async def own_valkey(tmp_path: Path, stream_server: str) -> AsyncIterator[Valkey]:
    """A Valkey (or Redis) with fsync always that belongs to one test, which may kill and restart it."""
    server = Valkey(tmp_path / "valkey", program=program_of(stream_server))
    await server.start()
    yield server
    await server.stop()


@pytest.fixture(name="free_port")
def _free_port() -> int:
    """A TCP port on 127.0.0.1 that nobody listens on."""
    return free_port()
