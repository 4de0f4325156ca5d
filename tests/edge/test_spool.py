import asyncio
import contextlib
import json
import sqlite3
import stat
from itertools import count
from uuid import UUID

import pytest
from hypothesis import HealthCheck
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from edge.spool import MAX_REFUSED, Entry, Refused, Spool, size_of
from edge.unreadable import MAX_KINDS, Fault
from tests.cases import cases

SENSOR = "0d9cf9c2-4a52-4a49-9d0b-2a39c1d0b6a1"


def entry(body, samples=1, sensor=SENSOR, first_us=0, last_us=0):
    return Entry(body, samples, sensor, first_us, last_us)


def entries(*values, samples=1):
    return [entry(json.dumps(value).encode(), samples) for value in values]


def garbage(code, detail):
    fault = Fault(UUID(SENSOR), code, detail)
    return Refused(0, "somewhere", detail, b"garbage", 400, fault)


def content(batch):
    return json.loads(batch.content)["series"]


@pytest.fixture
async def spool(tmp_path):
    opened = await Spool.open(tmp_path / "spool.sqlite", 100_000)
    yield opened
    await opened.aclose()


async def test_only_its_user_may_look_into_it(tmp_path):
    folder = tmp_path / "edge"
    folder.mkdir(mode=0o755)
    async with contextlib.aclosing(await Spool.open(folder / "spool.sqlite", 100_000)):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


async def test_a_frozen_batch_stays_as_it_is_whatever_comes_after(spool, tmp_path):
    await spool.append(entries(1, 2))
    first = await spool.next_batch(10, 1000)
    await spool.append(entries(3))
    assert await spool.next_batch(10, 1000) == first
    await spool.aclose()
    again = await Spool.open(tmp_path / "spool.sqlite", 100_000)
    try:
        assert await again.next_batch(1, 1) == first
        assert again.samples == 3
    finally:
        await again.aclose()


async def test_a_batch_keeps_to_its_limits_but_for_a_single_entry(spool):
    await spool.append(entries("aaaaaaaaaa", samples=50) + entries(1, 2, 3, samples=4))
    assert content(await spool.next_batch(10, 5)) == ["aaaaaaaaaa"]
    await spool.settle(await spool.next_batch(10, 5))
    batch = await spool.next_batch(8, 1000)
    assert (content(batch), batch.entries, batch.samples) == ([1, 2], 2, 8)


async def test_split_halves_come_in_order_under_new_ids(spool):
    await spool.append(entries(1, 2, 3))
    whole = await spool.next_batch(10, 1000)
    await spool.split(whole)
    seen = []
    while (batch := await spool.next_batch(10, 1000)) is not None:
        seen.append(batch)
        await spool.settle(batch)
    assert [content(batch) for batch in seen] == [[1], [2, 3]]
    assert len({batch.batch_id for batch in [whole, *seen]}) == 3


async def test_room_is_waited_for_and_made_by_settling(spool):
    await spool.append([entry(b"x" * 99_000)])
    waiting = asyncio.create_task(spool.room(5_000))
    await asyncio.sleep(0)
    assert not waiting.done()
    await spool.settle(await spool.next_batch(10, 1000))
    await asyncio.wait_for(waiting, 5)
    await asyncio.wait_for(spool.room(10**9), 5)


async def test_a_spool_of_an_earlier_version_keeps_its_content(tmp_path):
    bodies = [{"sensor_id": SENSOR, "t": [t, t + 1.5, t - 2], "v": [1, 2, 3]} for t in (1732348800.000001, 5)]
    with contextlib.closing(sqlite3.connect(tmp_path / "spool.sqlite")) as old:
        old.executescript(
            "create table entry (id integer primary key autoincrement, samples integer not null, body blob not null)"
            " strict; create table batch (first_entry integer primary key, last_entry integer not null,"
            " batch_id text not null unique) strict; insert into batch values (1, 1, 'frozen');"
        )
        old.executemany("insert into entry (samples, body) values (3, ?)", [(json.dumps(b).encode(),) for b in bodies])
        old.commit()
    async with contextlib.aclosing(await Spool.open(tmp_path / "spool.sqlite", 100_000)) as spool:
        assert (await spool.next_batch(10, 1000)).batch_id == "frozen"
        await spool.settle(await spool.next_batch(10, 1000))
        await spool.drop_oldest(100_000)
        (gone,) = (await spool.next_report()).dropped
        assert (str(gone.sensor_id), gone.samples, gone.first_us, gone.last_us) == (SENSOR, 3, 3_000_000, 6_500_000)
        await spool.append([], [garbage("telemetry-broken", "")])
        assert (await spool.next_unreadable()).messages == 1


class TestDropping:
    async def test_the_oldest_go_and_no_more_than_needed(self, tmp_path):
        one = size_of(entries("x" * 300))
        async with contextlib.aclosing(await Spool.open(tmp_path / "spool.sqlite", 10 * one)) as spool:
            await spool.append(entries(*(f"{i:0300d}" for i in range(10)), samples=2))
            assert not spool.fits(one)
            assert await spool.drop_oldest(one) == 4  # one for the new entry, and a hundredth to spare
            assert (spool.fits(2 * one), spool.fits(3 * one), spool.samples) == (True, False, 16)
            assert content(await spool.next_batch(100, 10**6)) == [f"{i:0300d}" for i in range(2, 10)]

    async def test_a_frozen_batch_stays(self, spool):
        await spool.append(entries(*range(6)))
        frozen = await spool.next_batch(3, 1000)
        assert await spool.drop_oldest(100_000) == 3
        assert await spool.next_batch(3, 1000) == frozen
        await spool.settle(frozen)
        assert (spool.samples, spool.bytes, spool.oldest_us) == (0, 0, None)

    async def test_counts_by_sensor_wait_for_the_hub_and_survive_a_restart(self, spool, tmp_path):
        other = "1d9cf9c2-4a52-4a49-9d0b-2a39c1d0b6a1"
        await spool.append([entry(b"1", 3, SENSOR, 5, 9), entry(b"2", 2, other, 1, 2), entry(b"3", 1, SENSOR, 2, 4)])
        assert await spool.drop_oldest(100_000) == 6
        first = await spool.next_report()
        assert sorted((str(p.sensor_id), p.samples, p.first_us, p.last_us) for p in first.dropped) == [
            (SENSOR, 4, 2, 9),
            (other, 2, 1, 2),
        ]
        await spool.append([entry(b"4", 7, SENSOR, 11, 11)])
        await spool.drop_oldest(100_000)
        await spool.aclose()
        async with contextlib.aclosing(await Spool.open(tmp_path / "spool.sqlite", 100_000)) as again:
            assert again.unreported == 13
            assert await again.next_report() == first
            await again.settle_report(first)
            second = await again.next_report()
            assert [(p.samples, p.first_us, p.last_us) for p in second.dropped] == [(7, 11, 11)]
            await again.settle_report(second)
            assert (await again.next_report(), again.unreported) == (None, 0)


class TestUnreadable:
    async def test_counts_by_sensor_and_code_wait_for_the_hub_and_survive_a_restart(self, spool, tmp_path):
        await spool.append([], [garbage("telemetry-broken", "first"), garbage("telemetry-broken", "x" * 1000)])
        report = await spool.next_unreadable()
        await spool.append([], [garbage("telemetry-broken", "later"), garbage("invalid-payload", "shape")])
        assert await spool.next_unreadable() == report
        assert [(str(p.sensor_id), p.code, p.messages, p.detail) for p in report.unreadable] == [
            (SENSOR, "telemetry-broken", 2, "x" * 500)
        ]
        await spool.aclose()
        async with contextlib.aclosing(await Spool.open(tmp_path / "spool.sqlite", 100_000)) as again:
            assert again.unreadable == 4
            assert await again.next_unreadable() == report
            await again.settle_unreadable(report)
            await again.settle_unreadable(report)
            emptied = asyncio.create_task(again.emptied())
            await asyncio.sleep(0)
            second = await again.next_unreadable()
            assert {part.code: part.messages for part in second.unreadable} == {
                "telemetry-broken": 1,
                "invalid-payload": 1,
            }
            assert not emptied.done()
            await again.settle_unreadable(second)
            await asyncio.wait_for(emptied, 5)
            assert (again.unreadable, await again.next_unreadable()) == (0, None)

    async def test_their_kinds_are_bounded_and_the_newest_stay(self, spool):
        await spool.append([], [garbage(f"code-{i}", "") for i in range(MAX_KINDS + 5)])
        assert spool.unreadable == MAX_KINDS
        report = await spool.next_unreadable()
        assert [part.code for part in report.unreadable] == [f"code-{i}" for i in range(5, 1005)]
        assert report.messages == 1000


async def test_the_refused_are_bounded_and_the_newest_stay(spool):
    await spool.append([], [Refused(i, "t", "no", b"x") for i in range(MAX_REFUSED + 5)])
    async with spool._db.execute("select count(*), max(at_us) from refused") as cursor:
        assert await cursor.fetchone() == (MAX_REFUSED, MAX_REFUSED + 4)


async def test_a_cancelled_append_leaves_no_open_transaction(spool, tmp_path):
    for _ in range(20):
        task = asyncio.create_task(spool.append(entries(*range(100))))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    await spool.append(entries("last"))
    await spool.aclose()
    stored = spool.bytes
    reopened = await Spool.open(tmp_path / "spool.sqlite", 100_000)
    try:
        assert reopened.bytes == stored
    finally:
        await reopened.aclose()


class SpoolMachine(RuleBasedStateMachine):
    """Appends, freezes, settles, splits, refuses and restarts in any order: nothing lost, repeated or out of order."""

    folder = None

    def __init__(self):
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.path = self.folder / f"{next(NAMES)}.sqlite"
        self.spool = self.run(Spool.open(self.path, 10**9))
        self.next_value = count()
        self.expected = []  # values appended and not yet taken, in order

    def run(self, coroutine):
        return self.loop.run_until_complete(coroutine)

    @rule(sizes=st.lists(st.integers(1, 5), min_size=1, max_size=6))
    def append(self, sizes):
        new = [(next(self.next_value), samples) for samples in sizes]
        self.run(self.spool.append([entry(str(value).encode(), samples) for value, samples in new]))
        self.expected.extend(new)

    @rule(limit=st.integers(1, 12), fate=st.sampled_from(["settle", "split", "refuse", "keep"]))
    def forward(self, limit, fate):
        batch = self.run(self.spool.next_batch(limit, 10**6))
        if batch is None:
            assert self.expected == []
            return
        head = self.expected[: batch.entries]
        assert content(batch) == [value for value, _ in head]
        assert batch.samples == sum(samples for _, samples in head)
        if fate == "settle":
            self.run(self.spool.settle(batch))
        elif fate == "refuse":
            self.run(self.spool.refuse(batch, Refused(0, "", "", batch.content, 422)))
        elif fate == "split" and batch.entries > 1:
            self.run(self.spool.split(batch))
            return
        if fate in {"settle", "refuse"}:
            del self.expected[: batch.entries]
        else:
            assert self.run(self.spool.next_batch(limit, 10**6)) == batch

    @rule(size=st.integers(1, 400))
    def drop(self, size):
        frozen = self.frozen()
        self.spool.max_bytes = self.spool.bytes
        gone = self.run(self.spool.drop_oldest(size))
        self.spool.max_bytes = 10**9
        kept = self.expected[frozen:]
        while gone > 0:
            gone -= kept.pop(0)[1]
        assert gone == 0
        self.expected[frozen:] = kept

    def frozen(self):
        rows = self.run(self.spool._db.execute_fetchall("select first_entry, last_entry from batch"))
        ids = [row[0] for row in self.run(self.spool._db.execute_fetchall("select id from entry order by id"))]
        return sum(any(first <= place <= last for first, last in rows) for place in ids)

    @rule()
    def restart(self):
        self.run(self.spool.aclose())
        self.spool = self.run(Spool.open(self.path, 10**9))

    @invariant()
    def totals_hold(self):
        assert self.spool.samples == sum(samples for _, samples in self.expected)
        assert self.spool.bytes == size_of([entry(str(value).encode(), n) for value, n in self.expected])

    def teardown(self):
        self.run(self.spool.aclose())
        self.loop.close()


NAMES = count()


@pytest.mark.hypothesis
def test_any_history_keeps_order_and_content(tmp_path):
    SpoolMachine.folder = tmp_path
    run_state_machine_as_test(SpoolMachine, settings=cases(15, suppress=list(HealthCheck), stateful_step_count=20))
