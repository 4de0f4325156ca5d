"""Pruning: whole oldest stretches only, never within a year, and what is left verifies."""

import pytest

from hub.kit.db import Tx
from hub.ledger.pruning import Pruned, StretchBroken, prune
from tests.hub.ledger.conftest import Add, Check, Link, tamper


async def pruned(db: Tx, days: int = 366) -> Pruned | None:
    async with db.transaction():
        return await prune(db, days, by="test")


class TestPrune:
    async def test_within_a_year(self, db: Tx) -> None:
        with pytest.raises(ValueError, match="366 days"):
            await pruned(db, 365)

    async def test_nothing_so_old(self, db: Tx, add: Add, link: Link) -> None:
        await add(days_old=365)
        await link()
        assert await pruned(db) is None
        assert await db.fetchval("select count(*) from fact") == 1

    async def test_what_is_left_verifies(self, db: Tx, add: Add, link: Link, check: Check) -> None:
        await add(5, days_old=500)
        kept = await add(3, days_old=100)
        await link()
        noted = (await check()).head
        assert await pruned(db) == Pruned(facts=5, seq=5)
        await link()
        found = await check(noted)
        assert (found.faults, found.facts, found.pruned, found.head.seq) == ([], 4, 5, 9)
        assert [row["id"] for row in await db.fetch("select id from fact order by id limit 3")] == kept

    async def test_is_a_fact(self, db: Tx, add: Add, link: Link) -> None:
        await add(5, days_old=500)
        await link()
        hash_ = await db.fetchval("select hash from fact_link where seq = 5")
        await pruned(db, 400)
        fact = await db.fetchrow("select kind, principal_kind, request_id, details from fact")
        assert fact is not None
        assert tuple(fact)[:3] == ("audit.pruned", "system", "test")
        told = {name: fact["details"][name] for name in ("older_than_days", "facts", "seq", "hash")}
        assert told == {"older_than_days": 400, "facts": 5, "seq": 5, "hash": hash_.hex()}

    async def test_an_old_fact_behind_a_young_one_stays(self, db: Tx, add: Add, link: Link, check: Check) -> None:
        for days_old in (500, 100, 500):
            await add(days_old=days_old)
            await link()
        assert await pruned(db) == Pruned(facts=1, seq=1)
        assert await db.fetchval("select count(*) from fact where kind = 'thing.done'") == 2
        assert (await check()).holds

    async def test_facts_that_wait_stay(self, db: Tx, add: Add) -> None:
        await add(days_old=500)
        assert await pruned(db) is None

    async def test_the_chain_goes_on_after_all_was_pruned(self, db: Tx, add: Add, link: Link, check: Check) -> None:
        for _ in range(2):
            await add(2, days_old=500)
            await link()
            assert await pruned(db) is not None
            await tamper(db, "delete from fact")
            await tamper(db, "delete from fact_waiting")
        assert await db.fetchval("select count(*) from fact_link") == 0
        await add(2)
        await link()
        found = await check()
        assert (found.faults, found.facts, found.pruned, found.head.seq) == ([], 2, 4, 6)

    async def test_evidence_is_kept(self, db: Tx, add: Add, link: Link) -> None:
        facts = await add(5, days_old=500)
        await link()
        await tamper(db, "update fact set role = 'owner' where id = $1", facts[2])
        with pytest.raises(StretchBroken, match="Link 3"):
            await pruned(db)
        assert await db.fetchval("select count(*) from fact") == 5

    async def test_a_forged_anchor_shows(self, db: Tx, add: Add, link: Link, check: Check) -> None:
        facts = await add(5)
        await link()
        await tamper(db, "delete from fact where id = any ($1::bigint[])", facts[:3])
        await tamper(db, "delete from fact_link where seq <= 3")
        await tamper(db, "insert into fact_anchor (seq, hash, facts) values (3, sha256(''), 3)")
        assert [fault.seq for fault in (await check()).faults] == [4]
