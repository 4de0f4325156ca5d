"""What is remembered of the database is a second old at most, and never what a rolled back transaction saw."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from hub.auth.session_queries import access_version
from hub.kit.db import Database, Tx
from hub.kit.remembered import MAX_AGE_S, Remembered
from tests.hub.races import until


class Counted:
    """A question to the database that counts how often it was asked."""

    def __init__(self, answer: str | None = "yes") -> None:
        self.asked = 0
        self.answer = answer

    async def __call__(self, tx: Tx) -> str | None:
        self.asked += 1
        return self.answer


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    yield database
    await database.close()


@pytest.fixture
async def remembered(database: Database) -> AsyncIterator[Remembered]:
    remembered = Remembered(database, access_version)
    looking = asyncio.create_task(remembered.run())
    await until(lambda: _remembers(remembered))
    yield remembered
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)


async def _remembers(remembered: Remembered) -> bool:
    question = Counted()
    await remembered.get("probe", question)
    await remembered.get("probe", question)
    return question.asked < 2


async def test_asks_once(remembered: Remembered) -> None:
    question = Counted()
    assert [await remembered.get("a", question) for _ in range(3)] == ["yes"] * 3
    assert question.asked == 1


async def test_that_nothing_was_found_is_not_remembered(remembered: Remembered) -> None:
    question = Counted(None)
    assert [await remembered.get("a", question) for _ in range(2)] == [None, None]
    assert question.asked == 2


async def test_a_change_anywhere_is_seen_within_a_second(remembered: Remembered, db: Tx) -> None:
    question = Counted()
    await remembered.get("a", question)
    generation = remembered.generation
    await db.execute("update access_version set version = version + 1")

    async def asked_again() -> bool:
        await remembered.get("a", question)
        return question.asked == 2

    await until(asked_again, MAX_AGE_S)
    assert remembered.generation == generation + 1


async def test_forgetting_wins_over_an_answer_under_way(remembered: Remembered) -> None:
    reached, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(tx: Tx) -> str:
        reached.set()
        await go_on.wait()
        return "old"

    asking = asyncio.create_task(remembered.get("a", slowly))
    await reached.wait()
    remembered.forget()
    go_on.set()
    assert await asking == "old"
    assert await remembered.get("a", Counted("new")) == "new"


async def test_what_a_transaction_sees_is_not_remembered(remembered: Remembered, database: Database) -> None:
    async with database.transaction() as tx:
        assert await remembered.get("a", Counted("mine"), within=tx) == "mine"
    assert await remembered.get("a", Counted("everybody's")) == "everybody's"


async def test_without_looking_nothing_is_remembered(database: Database) -> None:
    alone = Remembered(database, access_version)
    question = Counted()
    await alone.get("a", question)
    await alone.get("a", question)
    assert question.asked == 2
