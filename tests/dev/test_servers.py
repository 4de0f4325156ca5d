"""The embedded servers: their whole lives, the violent ends included."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import asyncpg
import psutil
import pytest
import redis.asyncio

from dev.ports import free_port
from dev.postgres import Postgres
from dev.process import FolderInUse, ServerFailed, spawn, until
from dev.valkey import Valkey, redis_path

NO_SYNC = {"fsync": "off"}


class PostgresCase:
    """PostgreSQL under the test: makes servers, writes and reads."""

    name = "postgres"

    def make(self, folder: Path, port: int | None = None) -> Postgres:
        return Postgres(folder, port, NO_SYNC)

    async def write(self, url: str, text: str) -> None:
        connection = await asyncpg.connect(url)
        await connection.execute("create table if not exists note (text text)")
        await connection.execute("insert into note values ($1)", text)
        await connection.close()

    async def read(self, url: str) -> list[str]:
        connection = await asyncpg.connect(url)
        rows = await connection.fetch("select text from note order by text")
        await connection.close()
        return [row["text"] for row in rows]


class ValkeyCase:
    """Valkey under the test: makes servers, writes and reads."""

    name = "valkey-server"

    def make(self, folder: Path, port: int | None = None) -> Valkey:
        return Valkey(folder, port)

    async def write(self, url: str, text: str) -> None:
        async with redis.asyncio.from_url(url) as client:
            await client.xadd("note", {"text": text})

    async def read(self, url: str) -> list[str]:
        async with redis.asyncio.from_url(url, decode_responses=True) as client:
            return sorted(fields["text"] for _, fields in await client.xrange("note"))


Case = PostgresCase | ValkeyCase
Start = Callable[..., object]


@pytest.fixture(params=[PostgresCase, ValkeyCase], ids=["postgres", "valkey"])
def case(request: pytest.FixtureRequest) -> Case:
    return request.param()


@pytest.fixture
async def make(case: Case) -> AsyncIterator[Callable[..., Postgres | Valkey]]:
    made: list[Postgres | Valkey] = []

    def keep(folder: Path, port: int | None = None) -> Postgres | Valkey:
        made.append(case.make(folder, port))
        return made[-1]

    yield keep
    for server in made:
        await server.stop()


async def test_second_start_finds_the_data_of_the_first(case: Case, make: Callable, tmp_path: Path):
    server = make(tmp_path / "data")
    await server.start()
    await case.write(server.url, "first")
    await server.stop()
    assert server.pid is None

    again = make(tmp_path / "data")
    await again.start()
    await case.write(again.url, "second")
    assert await case.read(again.url) == ["first", "second"]


async def test_killed_server_starts_again_at_the_same_address_with_what_it_acknowledged(
    case: Case, make: Callable, tmp_path: Path, free_port: int
):
    server = make(tmp_path / "data", free_port)
    await server.start()
    address = server.url
    await case.write(address, "acknowledged")
    os.kill(server.pid, signal.SIGKILL)
    assert await server.gone(10)
    await server.start()
    assert server.url == address
    assert await case.read(address) == ["acknowledged"]


async def test_server_of_a_killed_process_is_ended_and_its_data_are_found(case: Case, make: Callable, tmp_path: Path):
    owner = tmp_path / "owner.py"
    owner.write_text(
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from tests.dev.test_servers import PostgresCase, ValkeyCase\n"
        "async def main():\n"
        f"    server = {type(case).__name__}().make(Path(sys.argv[1]))\n"
        "    await server.start()\n"
        f"    await {type(case).__name__}().write(server.url, 'acknowledged')\n"
        "    print(server.pid, flush=True)\n"
        "    await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    log = tmp_path / "owner.log"
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    child = spawn([sys.executable, owner, tmp_path / "data"], env=env, log=log, death_signal=signal.SIGKILL)
    assert await until(lambda: child.returncode is not None or log.read_text().strip().isdigit(), 30), log.read_text()
    pid = int(log.read_text())

    os.kill(child.pid, signal.SIGKILL)
    assert await child.gone(10)
    server = make(tmp_path / "data")
    await server.start()
    assert not _runs(pid)
    assert server.pid != pid
    assert await case.read(server.url) == ["acknowledged"]


def _runs(pid: int) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


async def test_folder_that_another_server_works_on_is_refused(case: Case, make: Callable, tmp_path: Path):
    server = make(tmp_path / "data")
    await server.start()
    with pytest.raises(FolderInUse, match=str(os.getpid())):
        await make(tmp_path / "data").start()
    await case.write(server.url, "still here")


async def test_taken_port_is_named_in_the_failure(make: Callable, tmp_path: Path, free_port: int):
    async with await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", free_port):
        with pytest.raises(ServerFailed, match=str(free_port)):
            await make(tmp_path / "data", free_port).start()


async def test_works_below_a_folder_that_only_its_owner_may_enter(case: Case, make: Callable, tmp_path: Path):
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    server = make(private / "data")
    await server.start()
    await case.write(server.url, "text")
    assert await case.read(server.url) == ["text"]


async def test_works_in_a_folder_whose_path_is_too_long_for_a_socket(case: Case, make: Callable, tmp_path: Path):
    server = make(tmp_path / ("long" * 20) / "data")
    await server.start()
    await case.write(server.url, "text")
    assert await case.read(server.url) == ["text"]


async def test_port_asks_for_the_password(case: Case, make: Callable, tmp_path: Path):
    port = free_port()
    server = make(tmp_path / "data", port)
    await server.start()
    password = (tmp_path / "data" / "password").read_text().strip()
    assert password in server.url
    with pytest.raises((asyncpg.InvalidPasswordError, redis.exceptions.AuthenticationError)):
        await case.write(server.url.replace(password, "wrong"), "text")


class TestPostgres:
    async def test_pid_file_that_names_another_living_process_is_no_obstacle(self, tmp_path: Path):
        server = Postgres(tmp_path / "data", settings=NO_SYNC)
        await server.start()
        pid_file = tmp_path / "data" / "18" / "postmaster.pid"
        text = pid_file.read_text()
        os.kill(server.pid or 0, signal.SIGKILL)
        assert await server.gone(10)
        pid_file.write_text(text.replace(text.splitlines()[0], str(os.getppid()), 1))
        (tmp_path / "data" / ".s.PGSQL.5432.lock").write_text(f"{os.getppid()}\n")
        await server.start()
        await server.stop()

    async def test_first_start_that_was_killed_half_way_is_begun_anew(self, tmp_path: Path):
        (tmp_path / "data" / "18.new").mkdir(parents=True)
        (tmp_path / "data" / "18.new" / "PG_VERSION").write_text("18\n")
        server = Postgres(tmp_path / "data", settings=NO_SYNC)
        await server.start()
        await server.stop()

    async def test_backends_of_a_killed_postmaster_are_gone_before_the_next_start(self, tmp_path: Path):
        server = Postgres(tmp_path / "data", settings=NO_SYNC)
        await server.start()
        connection = await asyncpg.connect(server.url)
        backend = await connection.fetchval("select pg_backend_pid()")
        os.kill(backend, signal.SIGSTOP)  # it cannot notice the death of its postmaster
        os.kill(server.pid or 0, signal.SIGKILL)
        assert await server.gone(10)
        await server.start()
        assert not _runs(backend)
        connection.terminate()
        await server.stop()

    async def test_commits_are_durable_by_default(self, own_postgres: Postgres):
        connection = await asyncpg.connect(own_postgres.url)
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            assert await connection.fetchval(f"show {setting}") == "on"
        await connection.close()


class TestValkey:
    async def test_stream_is_durable_and_never_evicts_by_default(self, own_valkey: Valkey):
        async with redis.asyncio.from_url(own_valkey.url, decode_responses=True) as client:
            settings = await client.config_get("append*", "maxmemory-policy")
        assert (settings["appendonly"], settings["appendfsync"]) == ("yes", "always")
        assert settings["maxmemory-policy"] == "noeviction"

    async def test_fsync_and_memory_are_settings(self, tmp_path: Path):
        server = Valkey(tmp_path / "data", fsync="everysec", max_memory="64mb")
        await server.start()
        async with redis.asyncio.from_url(server.url, decode_responses=True) as client:
            settings = await client.config_get("appendfsync", "maxmemory")
        assert settings == {"appendfsync": "everysec", "maxmemory": str(64 << 20)}
        await server.stop()


class TestRedis:
    async def test_the_same_lifecycle(self, tmp_path: Path) -> None:
        server = Valkey(tmp_path / "data", program=redis_path())
        await server.start()
        async with redis.asyncio.from_url(server.url) as client:
            info = await client.info("server")
            assert int(info["redis_version"].split(".")[0]) >= 7
            assert "valkey_version" not in info
            await client.set("kept", "yes")
        os.kill(server.pid or 0, signal.SIGKILL)
        await server.gone()
        await server.start()
        async with redis.asyncio.from_url(server.url) as client:
            assert await client.get("kept") == b"yes"
        await server.stop()

    def test_one_that_is_missing_or_too_old_is_told(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(ServerFailed, match="sudo apt-get install redis-server"):
            redis_path()
        old = tmp_path / "redis-server"
        old.write_text("#!/bin/sh\necho Redis server v=6.2.1 bits=64\n")
        old.chmod(0o755)
        with pytest.raises(ServerFailed, match="too old"):
            redis_path()
