"""Several writers: shards are shared, whoever is outrun or leaves stands by, and a stale position stores nothing."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import numpy as np
import pytest

from hub.app import make_hub
from hub.kit.context import Hub
from hub.kit.db import Tx
from hub.settings import Settings
from hub.telemetry import crew as crews
from hub.telemetry import entries, shard_queries, writer
from hub.telemetry.crew import Crew
from hub.telemetry.entries import Entry
from hub.telemetry.stream import key_of
from hub.telemetry.writer import Outrun, Writer

SHARDS = 4
T_US = 1_795_000_000_000_000


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"stream_shards": SHARDS, "writer_transactions_per_s": 50.0})


@pytest.fixture
async def hub(settings: Settings) -> AsyncIterator[Hub]:
    """The parts of a hub, nothing of which runs."""
    hub = make_hub(settings)
    yield hub
    await hub.stream.aclose()
    await hub.db.close()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let writers look at each other oftener than in earnest."""
    for module, name, value in (
        (crews, "GIVE_EVERY_S", 0.02),
        (writer, "OTHERS_FIRST_S", 0.3),
        (writer, "STANDBY_POLL_S", 0.02),
        (writer, "STANDBY_PATIENCE_S", 0.3),
        (writer, "BLOCK_MS", 20),
    ):
        monkeypatch.setattr(module, name, value)


class Process:
    """The writers of one process, each a task."""

    def __init__(self, hub: Hub) -> None:
        self.crew = Crew()
        self.writers = [Writer(hub, shard, self.crew) for shard in range(SHARDS)]

    @property
    def shards(self) -> set[int]:
        """The shards that it works on."""
        return self.crew.held

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Process"]:
        """Run all writers; their connections end with them, as with a killed process."""
        tasks = [asyncio.create_task(one.run()) for one in self.writers]
        try:
            yield self
        finally:
            await ended(tasks)


async def ended(tasks: Collection["asyncio.Task[None]"]) -> None:
    """Cancel tasks until all have heard it: before Python 3.12 the Redis client's wait_for can swallow that."""
    while tasks:
        for task in tasks:
            task.cancel()
        _, tasks = await asyncio.wait(tasks, timeout=0.2)


def packet(second: int) -> dict[str, Any]:
    """Make a stream entry of one sample of sensor 1, `second` after T_US."""
    t_us = np.array([T_US + second * 1_000_000])
    series = np.array([(1, 1, 0)], entries.SERIES)
    entry = Entry(
        T_US, series, t_us, np.array([0.5]), np.array([np.nan]), np.zeros(1, np.uint8), np.empty(0, entries.REJECTS), []
    )
    return {"e": entries.encode(entry), "l": "life"}


async def stored(db: Tx) -> list[int]:
    """Read the stored times, in seconds after T_US."""
    rows = await db.fetch("select (first_t + unnest(t_offset) - $1) / 1000000 from telemetry_recent", T_US)
    return sorted(row[0] for row in rows)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Poll until it holds."""
    async with asyncio.timeout(10):
        while not await condition():  # noqa: ASYNC110 - the database's state
            await asyncio.sleep(0.01)


async def locks(db: Tx) -> dict[int, int]:
    """Count the shards that each process holds the lock of, by the key of its crew."""
    return {row["key"]: row["shards"] for row in await shard_queries.crews(db, 0)}


class TestSharing:
    async def test_processes_share_the_shards_and_take_over_from_one_that_ends(self, hub: Hub, db: Tx) -> None:
        async with AsyncExitStack() as running:
            one = await running.enter_async_context(Process(hub).running())

            async def alone() -> bool:
                return len(one.shards) == SHARDS

            await until(alone)
            async with AsyncExitStack() as other_running:
                other = await other_running.enter_async_context(Process(hub).running())

                async def shared() -> bool:
                    return len(one.shards) == len(other.shards) == SHARDS // 2

                await until(shared)
                assert one.shards | other.shards == set(range(SHARDS))
                assert await locks(db) == {one.crew.key: 2, other.crew.key: 2}
            await until(alone)
            assert await locks(db) == {one.crew.key: SHARDS}

    async def test_a_shard_that_nobody_takes_is_taken_back(self, hub: Hub, db: Tx) -> None:
        async with Process(hub).running() as one:
            for shard in range(SHARDS):
                await shard_queries.join_crew(db, 7, shard)  # it is there and takes nothing, as one that is paused

            async def given_and_back() -> bool:
                return one.crew._give_from_s > asyncio.get_running_loop().time() + 5 and len(one.shards) == SHARDS

            await until(given_and_back)

    async def test_nothing_is_left_to_a_process_that_has_only_begun(self, hub: Hub, db: Tx) -> None:
        async with Process(hub).running() as one:

            async def alone() -> bool:
                return len(one.shards) == SHARDS

            await until(alone)
            await shard_queries.join_crew(db, 7, 0)  # its writer of shard 0 alone is connected
            await asyncio.sleep(0.2)  # many looks
            assert not one.crew._given


class TestOutrun:
    async def test_a_stale_position_stores_nothing(self, hub: Hub, db: Tx) -> None:
        stale = Writer(hub, 0)
        await shard_queries.create_shards(db, SHARDS)
        await stale._load(db)
        entry_id = await hub.stream.xadd(key_of(0), packet(1))
        await db.execute("update stream_shard set run_id = 'x', last_id = '9-9' where shard = 0")
        raw, _ = await stale._read(hub.stream)
        assert [str(one[0]) for one in raw] == [entry_id.decode()]
        with pytest.raises(Outrun):
            await stale._store(db, raw)
        assert await stored(db) == []
        assert await db.fetchval("select count(*) from sensor_ledger") == 0

    async def test_whoever_was_taken_over_from_stands_by_again(self, hub: Hub, db: Tx) -> None:
        """The first stands still before its transaction, without knowing; the second takes over without the lock."""
        first, second = Writer(hub, 0), Writer(hub, 0)
        going, wakes, store = asyncio.Event(), asyncio.Event(), first._store

        async def stands_still(*arguments: Any) -> None:
            going.set()
            await wakes.wait()
            await store(*arguments)

        first._store = stands_still
        tasks = [asyncio.create_task(first.run())]
        try:
            await hub.stream.xadd(key_of(0), packet(1))
            async with asyncio.timeout(10):
                await going.wait()
            tasks.append(asyncio.create_task(second.run()))

            async def holds(*times: int) -> bool:
                return await stored(db) == list(times)

            await until(lambda: holds(1))
            assert (first._locked, second._locked) == (True, False)
            wakes.set()

            async def turned() -> bool:
                return (first._locked, second._locked) == (False, True)

            await until(turned)
            assert (first._crew.held, second._crew.held) == (set(), {0})
            await hub.stream.xadd(key_of(0), packet(2))
            await until(lambda: holds(1, 2))
            assert await locks(db) == {first._crew.key: 0, second._crew.key: 1}
        finally:
            await ended(tasks)
