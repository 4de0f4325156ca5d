"""Token buckets: exact, shared by replicas, quick, and there when Valkey is not."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from dev.valkey import Valkey
from hub.kit import limits
from hub.kit.limits import Limiter, Rate

SLOW = Rate(per_s=0.001, burst=100)


@pytest.fixture
async def limiter(valkey_url: str) -> AsyncIterator[Limiter]:
    one = Limiter.at(valkey_url)
    yield one
    await one.close()


@pytest.fixture
async def replica(valkey_url: str) -> AsyncIterator[Limiter]:
    """A limiter of another process on the same Valkey."""
    other = Limiter.at(valkey_url)
    yield other
    await other.close()


@pytest.fixture
async def redis(valkey_url: str) -> AsyncIterator[Redis]:
    client = Redis.from_url(valkey_url)
    yield client
    await client.aclose()


class TestTake:
    async def test_until_it_is_empty(self, limiter: Limiter) -> None:
        rate = Rate(per_s=0.5, burst=3)
        verdicts = [await limiter.take("a", rate) for _ in range(4)]
        assert [v.allowed for v in verdicts] == [True, True, True, False]
        assert [round(v.left) for v in verdicts] == [2, 1, 0, 0]
        assert verdicts[3].wait_s == pytest.approx(2.0, abs=0.1)
        assert verdicts[3].full_s == pytest.approx(6.0, abs=0.1)
        assert (await limiter.take("b", rate)).allowed, "another key is another bucket"

    async def test_fills_again_and_never_over(self, limiter: Limiter) -> None:
        rate = Rate(per_s=20, burst=2)
        assert not [v for v in [await limiter.take("a", rate) for _ in range(2)] if not v.allowed]
        assert not (await limiter.take("a", rate)).allowed
        began = time.monotonic()
        while not (await limiter.take("a", rate)).allowed:  # noqa: ASYNC110 - time itself is waited for
            await asyncio.sleep(0.005)
        assert 0.02 < time.monotonic() - began < 1
        await asyncio.sleep(0.2)
        assert (await limiter.take("a", rate, 0.0)).left == 2

    async def test_more_than_there_is_takes_nothing(self, limiter: Limiter) -> None:
        refused = await limiter.take("a", SLOW, 101)
        assert (refused.allowed, refused.left) == (False, 100)

    async def test_giving_back(self, limiter: Limiter) -> None:
        await limiter.take("a", SLOW, 100)
        assert (await limiter.take("a", SLOW, -3)).left == pytest.approx(3, abs=0.01)
        assert (await limiter.take("a", SLOW, -1000)).left == 100

    async def test_buckets_vanish_once_they_are_full(self, limiter: Limiter, redis: Redis) -> None:
        await limiter.take("a", Rate(per_s=10, burst=50), 20)
        assert 2000 < await redis.pttl("limit:a") <= 3001

    async def test_replicas_share(self, limiter: Limiter, replica: Limiter) -> None:
        took = await asyncio.gather(*(one.take("a", SLOW) for _ in range(60) for one in (limiter, replica)))
        assert sum(v.allowed for v in took) == 100


class TestTakeOne:
    async def test_exactly_the_burst(self, limiter: Limiter) -> None:
        verdicts = [await limiter.take_one("a", SLOW) for _ in range(103)]
        assert [v.allowed for v in verdicts] == [True] * 100 + [False] * 3
        assert [round(v.left) for v in verdicts] == [*range(99, -1, -1), 0, 0, 0]

    async def test_all_at_once(self, limiter: Limiter) -> None:
        verdicts = await asyncio.gather(*(limiter.take_one("a", SLOW) for _ in range(150)))
        assert sum(v.allowed for v in verdicts) == 100

    async def test_replicas_share(self, limiter: Limiter, replica: Limiter) -> None:
        verdicts = [await one.take_one("a", SLOW) for _ in range(70) for one in (limiter, replica)]
        allowed = sum(v.allowed for v in verdicts)
        # A replica may sit on a lease that the other would have used.
        assert 95 <= allowed <= 100

    async def test_most_cost_no_round_trip(self, limiter: Limiter, redis: Redis) -> None:
        async def calls() -> int:
            return sum(
                entry["calls"] for name, entry in (await redis.info("commandstats")).items() if "evalsha" in name
            )

        await limiter.take_one("a", SLOW)
        before = await calls()
        for _ in range(99):
            await limiter.take_one("a", SLOW)
        assert await calls() - before == 19
        for _ in range(50):
            assert not (await limiter.take_one("a", SLOW)).allowed
        assert await calls() - before == 20, "an empty bucket is asked once"

    async def test_a_small_bucket_is_leased_one_by_one(self, limiter: Limiter, replica: Limiter) -> None:
        rate = Rate(per_s=0.001, burst=4)
        verdicts = [await one.take_one("a", rate) for _ in range(4) for one in (limiter, replica)]
        assert [v.allowed for v in verdicts] == [True] * 4 + [False] * 4

    async def test_an_empty_bucket_is_asked_again_in_time(self, limiter: Limiter) -> None:
        rate = Rate(per_s=20, burst=1)
        assert (await limiter.take_one("a", rate)).allowed
        refused = await limiter.take_one("a", rate)
        assert not refused.allowed
        assert 0 < refused.wait_s <= 0.05
        await asyncio.sleep(refused.wait_s + 0.01)
        assert (await limiter.take_one("a", rate)).allowed

    async def test_a_lease_expires(self, limiter: Limiter, replica: Limiter, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(limits, "LEASE_S", 0.05)
        await limiter.take_one("a", SLOW)
        while (await replica.take_one("a", SLOW)).allowed:
            pass
        await asyncio.sleep(0.06)
        assert not (await limiter.take_one("a", SLOW)).allowed, "what was leased long ago is not used up now"

    async def test_one_who_asks_and_is_cancelled_holds_up_nobody(self, limiter: Limiter) -> None:
        first = asyncio.create_task(limiter.take_one("a", SLOW))
        others = [asyncio.create_task(limiter.take_one("a", SLOW)) for _ in range(3)]
        await asyncio.sleep(0)
        first.cancel()
        async with asyncio.timeout(5):
            assert all(v.allowed for v in await asyncio.gather(*others))


class TestMemory:
    async def test_is_bounded(self, limiter: Limiter, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(limits, "MOST_LOCAL", 10)
        rate = Rate(per_s=0.001, burst=1)
        await asyncio.gather(*(limiter.take_one(f"key {i % 50}", rate) for i in range(100)))
        sizes = {name: len(held) for name, held in vars(limiter).items() if isinstance(held, dict)}
        assert max(sizes.values()) == 10
        assert sizes["_asking"] == 0


Away = Callable[[], AbstractAsyncContextManager[Limiter]]


class TestValkeyAway:
    @pytest.fixture
    def away(self, free_port: int) -> Away:
        @asynccontextmanager
        async def make() -> AsyncIterator[Limiter]:
            one = Limiter.at(f"redis://127.0.0.1:{free_port}")
            yield one
            await one.close()

        return make

    async def test_buckets_of_this_process(self, away: Away) -> None:
        async with away() as limiter:
            with capture_logs() as events:
                assert [(await limiter.take_one("a", Rate(1e-3, 3))).allowed for _ in range(5)] == [True] * 3 + [
                    False
                ] * 2
                assert [(await limiter.take("b", Rate(1e-3, 3))).allowed for _ in range(5)] == [True] * 3 + [False] * 2
                assert (await limiter.take("b", Rate(1e-3, 3), -2)).left == pytest.approx(2, abs=0.01)
        assert [event["event"] for event in events] == ["limits are kept by this process alone"]

    async def test_memory_is_bounded(self, away: Away, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(limits, "MOST_LOCAL", 10)
        async with away() as limiter:
            for i in range(50):
                await limiter.take(f"key {i}", SLOW)
            held: Any = limiter._local
            assert list(held) == [f"key {i}" for i in range(40, 50)]

    async def test_comes_back(self, own_valkey: Valkey, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(limits, "AWAY_S", 0.05)
        limiter = Limiter.at(own_valkey.url)
        assert (await limiter.take("a", SLOW, 60)).allowed
        await own_valkey.stop()
        with capture_logs() as events:
            left = (await limiter.take("a", SLOW, 60)).left
            assert left == 40, "this process had no bucket of its own yet"
            await own_valkey.start()
            async with asyncio.timeout(5):
                while len(events) < 2:
                    left = (await limiter.take("a", SLOW, 0)).left
                    await asyncio.sleep(0.02)
        assert left == pytest.approx(40, abs=0.1)
        assert [event["event"] for event in events] == [
            "limits are kept by this process alone",
            "limits are shared again",
        ]
        await limiter.close()

    async def test_one_that_hangs_holds_up_nobody(self, free_port: int) -> None:
        connected: list[asyncio.StreamWriter] = []
        silent = await asyncio.start_server(lambda _, writer: connected.append(writer), "127.0.0.1", free_port)
        limiter = Limiter.at(f"redis://127.0.0.1:{free_port}")
        began = time.monotonic()
        assert (await limiter.take_one("a", SLOW)).allowed
        assert time.monotonic() - began < 3
        began = time.monotonic()
        assert all([(await limiter.take(f"key {i}", SLOW)).allowed for i in range(50)])
        assert time.monotonic() - began < 0.2, "what hung is not asked again at once"
        await limiter.close()
        silent.close()
        for writer in connected:
            writer.close()
            await writer.wait_closed()
