"""The hub's role: made once for the server, for logins that are no superusers too."""

import asyncio
import importlib
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from dev.postgres import Postgres
from hub.kit.db import APPLICATION_ROLE, Database
from hub.ledger import chain
from hub.migrate import downgrade, upgrade
from tests.services import FAST_POSTGRES

MIGRATION = importlib.import_module("migrations.versions.0005_audit")
MAKE_ROLE = next(statement for statement in MIGRATION.UP if "create role" in statement)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Postgres]:
    """A server on which nothing was migrated yet."""
    server = Postgres(tmp_path / "postgres", settings=FAST_POSTGRES)
    await server.start()
    yield server
    await server.stop()


def as_login(url: str, name: str) -> str:
    """Return the address for another login."""
    return url.replace("//etp@", f"//{name}@")


async def test_two_migrations_at_once(server: Postgres) -> None:
    first, second = await asyncpg.connect(server.url), await asyncpg.connect(server.url)
    transaction = first.transaction()
    await transaction.start()
    await first.execute(MAKE_ROLE)
    waiting = asyncio.create_task(second.execute(MAKE_ROLE))
    async with asyncio.timeout(10):
        while not await first.fetchval("select exists (select from pg_locks where not granted)"):  # noqa: ASYNC110 - another process's lock
            await asyncio.sleep(0.01)
    await transaction.commit()
    await waiting
    await second.execute(MAKE_ROLE)
    await first.close()
    await second.close()


async def test_logins_that_are_no_superusers(empty_database_url: str) -> None:
    name = uuid.uuid4().hex[:8]
    migrator, hub = f"migrator_{name}", f"hub_{name}"
    admin = await asyncpg.connect(empty_database_url)
    await admin.execute(f"create role {migrator} login createrole")
    await admin.execute(f"grant all on schema public to {migrator}")
    if await admin.fetchval("select exists (select from pg_roles where rolname = 'etp_app')"):
        await admin.execute(f"grant etp_app to {migrator} with admin option")
    url = as_login(empty_database_url, migrator)
    await asyncio.to_thread(upgrade, url)

    same = Database(url, role=APPLICATION_ROLE)
    async with same.transaction() as tx:
        await tx.execute("insert into fact (kind, request_id) values ('thing.done', 'r')")
    await same.close()

    owner = await asyncpg.connect(url)
    await owner.execute(f"create role {hub} login in role etp_app")
    await owner.close()
    own = Database(as_login(empty_database_url, hub), role=APPLICATION_ROLE)
    assert await chain.link_waiting(own) == 1
    async with own.connection() as connection:
        await connection.execute("select ensure_telemetry_day(20000)")
        await connection.execute("set role none")
        for statement in ("update fact set kind = ''", "alter table fact disable trigger all", "delete from fact"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
    await own.close()

    await asyncio.to_thread(downgrade, url, "base")
    for role in (hub, migrator):
        await admin.execute(f"drop owned by {role}")
        await admin.execute(f"drop role {role}")
    await admin.close()
