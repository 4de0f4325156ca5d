"""The pool: the role that its connections assume, and what does not answer in time."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from dev.postgres import Postgres
from hub.kit.db import Database
from hub.kit.problems import DatabaseAway
from tests.hub.races import until
from tests.pauses import paused

SLOW = "select pg_sleep(10)"


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A pool of one connection, whose statements have a fifth of a second."""
    database = Database(database_url, max_size=1, statement_timeout_s=0.2)
    yield database
    await database.close()


async def serves(database: Database) -> bool:
    """Tell whether the pool's connection answers, and no statement of another one goes on."""
    async with database.transaction() as tx:
        return await tx.fetchval(
            "select count(*) = 0 from pg_stat_activity where query = $1 and state = 'active'", SLOW
        )


async def test_a_database_that_is_not_prepared_is_away(database_url: str) -> None:
    database = Database(database_url, role="nobody_made_this_role")
    with pytest.raises(DatabaseAway):
        async with database.connection():
            pass
    await database.close()


class TestDeadlines:
    @pytest.mark.parametrize("kind", ["connection", "transaction", "snapshot"])
    async def test_a_statement_that_does_not_answer(self, database: Database, kind: str) -> None:
        async def ask() -> None:
            async with getattr(database, kind)() as connection:
                await connection.execute(SLOW)

        with pytest.raises(DatabaseAway) as raised:
            await ask()
        assert isinstance(raised.value.__cause__, TimeoutError)
        assert raised.value.headers == {"Retry-After": "2"}
        assert await serves(database)

    async def test_one_that_a_cursor_waits_for(self, database: Database) -> None:
        async def ask() -> None:
            async with database.transaction() as tx:
                async for _ in tx.cursor(SLOW):
                    pass

        with pytest.raises(DatabaseAway):
            await ask()

    @pytest.mark.parametrize("kind", ["connection", "transaction"])
    @pytest.mark.parametrize("what", ["a statement", "something else"])
    async def test_a_deadline_of_ones_own_stays_that(self, database: Database, kind: str, what: str) -> None:
        """It may be about anything: a viewer who does not read, a device that is silent."""

        async def ask() -> None:
            async with getattr(database, kind)() as connection, asyncio.timeout(0.05):
                await (connection.execute(SLOW) if what == "a statement" else asyncio.Event().wait())

        with pytest.raises(TimeoutError):
            await ask()
        assert await serves(database)

    @pytest.mark.parametrize("how", ["waiting", "between two statements"])
    async def test_a_connection_that_is_lent_for_a_time(self, database_url: str, how: str) -> None:
        database = Database(database_url, max_size=1)

        async def ask() -> None:
            async with database.connection(within_s=0.2) as connection:
                if how == "waiting":
                    await connection.execute(SLOW)
                await asyncio.sleep(0.3)
                await connection.execute("select 1")

        began = time.monotonic()
        with pytest.raises(DatabaseAway):
            await ask()
        assert time.monotonic() - began < 1
        async with database.connection(within_s=0.2) as connection:
            assert await connection.fetchval("select 1") == 1
        await asyncio.sleep(0.3)
        async with database.connection() as connection:  # what was given back in time is not cut later
            assert await connection.fetchval("select 1") == 1
        await until(lambda: serves(database), within_s=4)
        await database.close()


class TestPaused:
    async def test_a_server_that_hangs(self, own_postgres: Postgres) -> None:
        """What is waited for, and what it says, whether it is asked in a transaction or not, or was asked before."""
        database = Database(own_postgres.url, max_size=6, statement_timeout_s=1)

        async def ask(kind: str) -> None:
            async with getattr(database, kind)() as connection:
                await connection.fetchval("select 1")

        async def ask_before(asked: asyncio.Event, hangs: asyncio.Event) -> None:
            async with database.connection() as connection:
                await connection.fetchval("select 1")
                asked.set()
                await hangs.wait()

        await asyncio.gather(*(ask("connection") for _ in range(6)))
        asked, hangs = asyncio.Event(), asyncio.Event()
        served = asyncio.create_task(ask_before(asked, hangs))
        await asked.wait()
        with paused(own_postgres):
            hangs.set()
            began = time.monotonic()
            kinds = ("connection", "transaction", "snapshot")
            found = await asyncio.gather(*(ask(kind) for kind in kinds), return_exceptions=True)
            await served  # it had its answer
            took_s = time.monotonic() - began
        assert [type(each) for each in found] == [DatabaseAway] * 3
        assert took_s < 4
        await ask("transaction")
        await database.close()
