"""Verifying: whatever a superuser does to facts shows, exactly there."""

from datetime import UTC, datetime, timedelta

import pytest

from hub.kit.db import Tx
from hub.ledger.verification import Head
from tests.hub.ledger.conftest import Add, Check, Link, tamper


@pytest.fixture
async def facts(add: Add, link: Link) -> list[int]:
    """Ten linked facts."""
    made = await add(10)
    await link()
    return made


class TestUntouched:
    async def test_empty(self, check: Check) -> None:
        found = await check()
        assert (found.holds, found.facts, found.waiting, found.first_at) == (True, 0, 0, None)

    async def test_says_what_it_saw(self, check: Check, facts: list[int], db: Tx) -> None:
        found = await check()
        assert (found.holds, found.facts, found.head.seq) == (True, 10, 10)
        bounds = await db.fetchrow("select min(at), max(at) from fact")
        assert bounds is not None
        assert (found.first_at, found.last_at) == tuple(bounds)
        assert found.last_at is not None
        assert datetime.now(UTC) - found.last_at < timedelta(minutes=1)

    async def test_facts_that_wait_are_no_fault(self, check: Check, facts: list[int], add: Add) -> None:
        await add()
        found = await check()
        assert (found.holds, found.facts, found.waiting) == (True, 10, 0)

    async def test_facts_that_wait_too_long_are_told(self, check: Check, add: Add) -> None:
        await add(2, days_old=2 / 1440)
        found = await check()
        assert (found.holds, found.waiting) == (True, 2)


class TestChangedFact:
    @pytest.mark.parametrize(
        "change",
        [
            "details = '{\"n\": 50}'",
            "at = at + interval '1 microsecond'",
            "at = 'infinity'",
            "at = '20000-01-01'",
            "role = 'owner'",
            "role = null",
            "address = ''",
            "kind = 'thing.undone'",
            "project_id = gen_random_uuid()",
            "subject_id = gen_random_uuid()",
            "principal_kind = 'user'",
            "principal_id = gen_random_uuid()",
            "credential_id = gen_random_uuid()",
            "user_agent = 'curl'",
            "request_id = 'r'",
        ],
    )
    async def test_is_found(self, check: Check, facts: list[int], db: Tx, change: str) -> None:
        await tamper(db, f"update fact set {change} where id = $1", facts[4])
        assert [(fault.seq, fault.fact_id) for fault in (await check()).faults] == [(5, facts[4])]

    async def test_the_last_one_too(self, check: Check, facts: list[int], db: Tx) -> None:
        await tamper(db, "update fact set role = 'owner' where id = $1", facts[-1])
        assert [fault.fact_id for fault in (await check()).faults] == [facts[-1]]

    async def test_fields_cannot_flow_into_each_other(self, check: Check, facts: list[int], db: Tx) -> None:
        await tamper(db, "update fact set kind = 'thing', request_id = '.done' || request_id where id = $1", facts[0])
        assert [fault.fact_id for fault in (await check()).faults] == [facts[0]]


class TestMissing:
    async def test_fact(self, check: Check, facts: list[int], db: Tx) -> None:
        await tamper(db, "delete from fact where id = $1", facts[2])
        (fault,) = (await check()).faults
        assert (fault.seq, fault.fact_id, fault.what) == (3, facts[2], "the fact is missing")

    async def test_fact_with_its_link(self, check: Check, facts: list[int], db: Tx) -> None:
        await tamper(db, "delete from fact where id = $1", facts[2])
        await tamper(db, "delete from fact_link where fact_id = $1", facts[2])
        (fault,) = (await check()).faults
        assert (fault.seq, fault.what) == (3, "the link is missing")

    async def test_fact_with_its_link_and_the_others_moved_up(self, check: Check, facts: list[int], db: Tx) -> None:
        await tamper(db, "delete from fact where id = $1", facts[2])
        await tamper(db, "delete from fact_link where fact_id = $1", facts[2])
        for seq in range(4, 11):
            await tamper(db, "update fact_link set seq = seq - 1 where seq = $1", seq)
        assert [fault.seq for fault in (await check()).faults] == [3]

    async def test_the_end_shows_to_whoever_noted_a_link_down(self, check: Check, facts: list[int], db: Tx) -> None:
        noted = (await check()).head
        await tamper(db, "delete from fact where id = any ($1::bigint[])", facts[8:])
        await tamper(db, "delete from fact_link where seq > 8")
        assert (await check()).holds
        assert [fault.seq for fault in (await check(noted)).faults] == [10]


class TestPutIn:
    async def test_beside_the_chain(self, check: Check, facts: list[int], db: Tx) -> None:
        await tamper(db, "insert into fact (kind, request_id) values ('thing.done', 'r')")
        (fault,) = (await check()).faults
        assert (fault.seq, fault.fact_id) == (None, await db.fetchval("select max(id) from fact"))

    async def test_with_a_link(self, check: Check, facts: list[int], db: Tx) -> None:
        await tamper(db, "insert into fact (kind, request_id) values ('thing.done', 'r')")
        await tamper(db, "insert into fact_link (seq, fact_id, hash) select 11, max(id), sha256('') from fact")
        assert [fault.seq for fault in (await check()).faults] == [11]


class TestLinks:
    async def test_changed_hash(self, check: Check, facts: list[int], db: Tx) -> None:
        await tamper(db, "update fact_link set hash = sha256('') where seq = 4")
        assert (await check()).faults[0].seq == 4

    async def test_another_chain_shows_to_whoever_noted_a_link_down(
        self, check: Check, facts: list[int], db: Tx, link: Link
    ) -> None:
        noted = (await check()).head
        assert (await check(noted)).holds
        # A superuser who knows how makes the chain anew.
        await tamper(db, "update fact set role = 'owner' where id = $1", facts[4])
        await tamper(db, "delete from fact_link")
        await tamper(db, "insert into fact_waiting select id from fact")
        await link()
        assert (await check()).holds
        assert [(fault.seq, fault.fact_id) for fault in (await check(noted)).faults] == [(10, facts[9])]


class TestHead:
    def test_is_written_and_read(self) -> None:
        head = Head(12, bytes(range(32)))
        assert Head.parse(str(head)) == head

    @pytest.mark.parametrize("text", ["", "12", "x:00", "12:xyz"])
    def test_rubbish(self, text: str) -> None:
        with pytest.raises(ValueError, match=r".*"):
            Head.parse(text)
