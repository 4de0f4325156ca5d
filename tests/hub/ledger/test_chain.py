"""Linking: everything that was committed, once, whenever it was committed."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from aiohttp.test_utils import TestClient
from structlog.testing import capture_logs

from hub.kit.db import Database, Tx
from hub.ledger import chain
from hub.settings import Role
from tests.hub.callers import Caller
from tests.hub.ledger.conftest import Add, Check, Link
from tests.hub.races import until


@pytest.fixture
async def slow(database_url: str) -> AsyncIterator[Tx]:
    """A connection whose transaction takes its time."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


async def linked(db: Tx) -> list[int]:
    """Return the ids of the linked facts, in the chain's order."""
    return [row["fact_id"] for row in await db.fetch("select fact_id from fact_link order by seq")]


class TestLinkWaiting:
    async def test_nothing(self, pool: Database) -> None:
        assert await chain.link_waiting(pool) == 0

    async def test_in_order(self, pool: Database, db: Tx, add: Add) -> None:
        facts = await add(3)
        assert await chain.link_waiting(pool) == 3
        facts += await add(2)
        assert await chain.link_waiting(pool) == 2
        assert await linked(db) == facts
        assert [row["seq"] for row in await db.fetch("select seq from fact_link order by seq")] == [1, 2, 3, 4, 5]
        assert await chain.link_waiting(pool) == 0

    async def test_hash_can_be_computed_by_anybody(self, db: Tx, add: Add, link: Link) -> None:
        first, second = await add(2)
        await link()
        before = bytes(32)
        for fact in (first, second):
            at = await db.fetchval("select (extract(epoch from at) * 1000000)::bigint from fact where id = $1", fact)
            text = "".join(
                f"{len(part)}:{part},"
                for part in (
                    f"at={at}",
                    f'details={{"n": {fact - first + 1}}}',
                    f"id={fact}",
                    "kind=thing.done",
                    f"request_id=r{fact - first + 1}",
                    "role=editor",
                )
            )
            before = hashlib.sha256(before + text.encode()).digest()
            assert await db.fetchval("select hash from fact_link where fact_id = $1", fact) == before

    async def test_covers_every_column(self, db: Tx) -> None:
        columns = await db.fetch("select column_name from information_schema.columns where table_name = 'fact'")
        assert sorted(row["column_name"] for row in columns) == list(chain.COLUMNS)

    async def test_slow_transaction_is_not_passed_over(
        self, pool: Database, db: Tx, slow: Tx, add: Add, check: Check
    ) -> None:
        transaction = slow.transaction()
        await transaction.start()
        late = await slow.fetchval("insert into fact (kind, request_id) values ('late.done', 'slow') returning id")
        (early,) = await add()
        assert late < early
        assert await chain.link_waiting(pool) == 1
        assert await chain.link_waiting(pool) == 0
        await transaction.commit()
        assert await chain.link_waiting(pool) == 1
        assert await linked(db) == [early, late]
        assert (await check()).faults == []

    async def test_what_was_rolled_back_is_no_fact(self, pool: Database, db: Tx, slow: Tx, add: Add) -> None:
        transaction = slow.transaction()
        await transaction.start()
        await slow.execute("insert into fact (kind, request_id) values ('never.done', 'slow')")
        await transaction.rollback()
        (fact,) = await add()
        assert await chain.link_waiting(pool) == 1
        assert await linked(db) == [fact]

    async def test_one_worker_at_a_time(self, pool: Database, db: Tx, slow: Tx, add: Add) -> None:
        await add(3)
        async with slow.transaction():
            await slow.execute("select pg_advisory_xact_lock(hashtext('fact_link'))")
            assert await chain.link_waiting(pool) == 0
        assert await chain.link_waiting(pool) == 3

    async def test_two_workers_link_once(self, pool: Database, db: Tx, add: Add, check: Check) -> None:
        facts = await add(200)
        assert sum(await asyncio.gather(*(chain.link_waiting(pool) for _ in range(4)))) == 200
        assert await linked(db) == facts
        assert (await check()).faults == []


class TestWorker:
    @pytest.fixture
    def roles(self) -> frozenset[Role]:
        return frozenset({"api", "worker"})

    async def test_links_within_seconds(self, stranger: Caller, db: Tx, add: Add) -> None:
        await add(2 * chain.BATCH + 1)
        await stranger.post("/projects", {"name": "mine"})

        async def all_linked() -> bool:
            return not await db.fetchval("select exists (select from fact_waiting)")

        await until(all_linked)
        assert len(await linked(db)) == 2 * chain.BATCH + 2

    async def test_tells_the_log_where_the_chain_ends(self, client: TestClient[Any, Any], db: Tx, add: Add) -> None:
        with capture_logs() as logs:
            await add()

            async def told() -> bool:
                return any(entry["event"] == "audit chain" for entry in logs)

            await until(told)
        hash_ = await db.fetchval("select hash from fact_link where seq = 1")
        assert [entry["last_link"] for entry in logs if "last_link" in entry] == [f"1:{hash_.hex()}"]
