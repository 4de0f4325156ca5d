"""Buckets drawn from without waiting: exact for one process, shared by all, there when Valkey is not."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from dev.valkey import Valkey
from hub.kit import allowances
from hub.kit.allowances import Allowances
from hub.kit.limits import Rate

SLOW = Rate(per_s=0.001, burst=100)


@asynccontextmanager
async def running(url: str) -> AsyncIterator[Allowances]:
    one = Allowances(url)
    task = asyncio.create_task(one.run())
    yield one
    while not task.done():  # before Python 3.12 the Redis client may swallow a cancellation
        task.cancel()
        await asyncio.wait({task}, timeout=0.5)


@pytest.fixture
async def mine(valkey_url: str) -> AsyncIterator[Allowances]:
    async with running(valkey_url) as one:
        yield one


@pytest.fixture
async def replica(valkey_url: str) -> AsyncIterator[Allowances]:
    """Those of another process."""
    async with running(valkey_url) as one:
        yield one


async def drawn_until_refused(one: Allowances, key: str, rate: Rate) -> int:
    """Draw one by one, settling as it goes, until nothing is granted; returns how many were."""
    drawn = 0
    async with asyncio.timeout(10):
        while not one.draw(key, rate, 1):
            drawn += 1
            await asyncio.sleep(0.02)
    return drawn


class TestDraw:
    async def test_until_it_is_empty(self, mine: Allowances) -> None:
        assert [mine.draw("a", SLOW, 30) for _ in range(4)] == [0.0] * 4, "the fourth goes into the red"
        assert mine.draw("a", SLOW, 1) == pytest.approx(20_000, rel=0.01)
        assert mine.draw("b", SLOW, 1) == 0, "another key is another bucket"

    async def test_much_more_than_a_bucket_makes_the_next_ones_wait(self, mine: Allowances) -> None:
        rate = Rate(per_s=1000, burst=10)
        assert mine.draw("a", rate, 60) == 0
        wait_s = mine.draw("a", rate, 1)
        assert 0.03 < wait_s < 0.06
        await asyncio.sleep(wait_s)
        assert mine.draw("a", rate, 1) == 0

    async def test_the_rate_holds_in_the_long_run(self, mine: Allowances) -> None:
        rate = Rate(per_s=2000, burst=100)
        began, drawn = time.monotonic(), 0
        while time.monotonic() - began < 0.5:
            drawn += 0 if mine.draw("a", rate, 7) else 7
            await asyncio.sleep(0)
        elapsed_s = time.monotonic() - began
        assert 0.9 * 2000 * elapsed_s < drawn <= 2000 * elapsed_s + 100 + 7

    async def test_giving_back(self, mine: Allowances) -> None:
        assert mine.draw("a", SLOW, 150) == 0
        assert mine.draw("a", SLOW, -60) == 0
        assert mine.draw("a", SLOW, 1) == 0

    async def test_a_changed_rate_counts_at_once(self, mine: Allowances) -> None:
        assert mine.draw("a", SLOW, 150) == 0
        assert mine.draw("a", Rate(1000, 1000), 1) == pytest.approx(0.05, abs=0.01)


class TestShared:
    async def test_replicas_see_what_the_other_drew(self, mine: Allowances, replica: Allowances) -> None:
        assert mine.draw("a", SLOW, 105) == 0
        assert 1 <= await drawn_until_refused(replica, "a", SLOW) < 30, "it learns of it when it settles"

    async def test_together_they_get_the_rate(self, mine: Allowances, replica: Allowances) -> None:
        rate = Rate(per_s=4000, burst=200)
        began, drawn = time.monotonic(), 0
        while time.monotonic() - began < 1.0:
            for one in (mine, replica):
                drawn += 0 if one.draw("a", rate, 10) else 10
            await asyncio.sleep(0.001)
        assert drawn < 1.4 * 4000 * (time.monotonic() - began) + 2 * 200

    async def test_little_costs_no_round_trip(self, mine: Allowances, valkey_url: str) -> None:
        for _ in range(4):
            mine.draw("a", SLOW, 1)
        mine.draw("b", SLOW, 5)
        client = Redis.from_url(valkey_url)
        async with asyncio.timeout(5):
            while not await client.exists("limit:b"):  # noqa: ASYNC110 - the condition is outside this loop
                await asyncio.sleep(0.01)
        assert not await client.exists("limit:a")
        assert 0 < await client.pttl("limit:b") <= 5_002_000
        await client.aclose()


class TestMemory:
    async def test_is_bounded(self, mine: Allowances, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(allowances, "MOST_LOCAL", 10)
        for i in range(50):
            mine.draw(f"key {i}", SLOW, 50)
        assert len(mine._buckets) == 10
        async with asyncio.timeout(5):
            while mine._owing:  # noqa: ASYNC110 - the condition is outside this loop
                await asyncio.sleep(0.01)


class TestValkeyAway:
    async def test_goes_by_its_own_view_and_settles_later(
        self, own_valkey: Valkey, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(allowances, "AWAY_S", 0.05)
        await own_valkey.stop()
        async with running(own_valkey.url) as mine, running(own_valkey.url) as other:
            with capture_logs() as events:
                assert mine.draw("a", SLOW, 120) == 0
                assert mine.draw("a", SLOW, 1) > 0
                async with asyncio.timeout(5):
                    while not events:  # noqa: ASYNC110 - the condition is outside this loop
                        await asyncio.sleep(0.01)
            await own_valkey.start()
            assert await drawn_until_refused(other, "a", SLOW) < 60
        assert events[0]["event"] == "allowances are kept by this process alone"
