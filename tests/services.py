"""Real servers for tests: one PostgreSQL and one Valkey per test process, and private ones for tests that kill them."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import asyncpg

from dev.ports import free_port
from dev.postgres import Postgres
from dev.valkey import Valkey, redis_path
from hub.migrate import upgrade

__all__ = ["FAST_POSTGRES", "Database", "TestServers", "free_port", "migrate", "program_of", "run"]

T = TypeVar("T")

# The shared server's data do not outlive the test run; tests about durability start their own server with fsync on.
FAST_POSTGRES = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "shared_buffers": "128MB",
}
_TEMPLATE = "template_migrated"


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine from a fixture that is not async, without touching the test's event loop."""
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()


async def migrate(url: str) -> None:
    """Bring a database to the newest schema, the way `etp migrate` does."""
    await asyncio.to_thread(upgrade, url)


class Database:
    """A clone of the migrated template that is emptied, rather than made anew, between tests."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._statements: list[str] | None = None

    async def empty(self) -> None:
        """Delete every row that migrations did not put there, and end what still uses the database."""
        connection = await asyncpg.connect(self.url)
        try:
            await connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid()"
            )
            if self._statements is None:
                self._statements = await _keep_seeds(connection)
            async with connection.transaction():
                await connection.execute("set local session_replication_role = replica")  # no triggers, any order
                for statement in self._statements:
                    await connection.execute(statement)
        finally:
            await connection.close()


async def _keep_seeds(connection: "asyncpg.Connection[Any]") -> list[str]:
    # Rows that belong to the schema (a fresh clone holds no others) are copied aside once and restored after each test.
    await connection.execute("create schema if not exists test_seed")
    tables = await connection.fetch(
        "select c.oid, format('%I.%I', n.nspname, c.relname) as name"
        " from pg_class c join pg_namespace n on n.oid = c.relnamespace"
        " where c.relkind in ('r', 'p') and not c.relispartition and c.relname <> 'alembic_version'"
        " and n.nspname not in ('pg_catalog', 'information_schema', 'test_seed')"
    )
    statements = [f"delete from {table['name']}" for table in tables]
    for table in tables:
        if not await connection.fetchval(f"select exists (select from {table['name']})"):
            continue
        columns = await connection.fetchval(
            "select string_agg(quote_ident(attname), ', ' order by attnum) from pg_attribute"
            " where attrelid = $1 and attnum > 0 and not attisdropped and attgenerated = ''",
            table["oid"],
        )
        seed = f"test_seed.t{table['oid']}"
        await connection.execute(f"create table {seed} as select {columns} from {table['name']}")
        statements.append(
            f"insert into {table['name']} ({columns}) overriding system value select {columns} from {seed}"
        )
    return statements


def program_of(kind: str) -> Path | None:
    """Return the program of a kind of stream server: `valkey`, which comes along, or `redis`."""
    return redis_path() if kind == "redis" else None


class TestServers:
    """The servers of one test process, started when the first test asks; the kernel ends them with the process."""

    __test__ = False

    def __init__(self, folder: Path) -> None:
        self._postgres = Postgres(folder / "postgres", settings=FAST_POSTGRES)
        self._folder = folder
        self._streams: dict[str, Valkey] = {}
        self._template_ready = False
        self._clones = 0

    async def postgres(self) -> Postgres:
        """Return the running PostgreSQL."""
        await self._postgres.start()
        return self._postgres

    async def stream(self, kind: str) -> Valkey:
        """Return the running Valkey or Redis."""
        if kind not in self._streams:
            self._streams[kind] = Valkey(self._folder / kind, fsync="everysec", program=program_of(kind))
        await self._streams[kind].start()
        return self._streams[kind]

    async def clone(self) -> str:
        """Make a database with the newest schema and return its URL."""
        if not self._template_ready:
            await migrate(await self.create(_TEMPLATE))
            self._template_ready = True
        self._clones += 1
        return await self.create(f"clone_{self._clones}", template=_TEMPLATE)

    async def create(self, name: str, template: str = "template1") -> str:
        """Make a database as a copy of `template` and return its URL."""
        await self._admin(f'create database "{name}" template "{template}" strategy file_copy')
        return self._postgres.url_of(name)

    async def drop(self, url: str) -> None:
        """Drop a database, whoever still uses it."""
        await self._admin(f'drop database if exists "{urlsplit(url).path[1:]}" with (force)')

    async def stop(self) -> None:
        """End the servers."""
        for stream in self._streams.values():
            await stream.stop()
        await self._postgres.stop()

    async def _admin(self, statement: str) -> None:
        connection = await asyncpg.connect((await self.postgres()).url_of("postgres"))
        try:
            await connection.execute(statement)
        finally:
            await connection.close()
