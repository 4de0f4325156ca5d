"""The number of shards stands in the database, and changes only once everything is stored."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from hub.app import create_app
from hub.kit.context import HUB, Hub
from hub.kit.db import Tx
from hub.settings import Role, Settings
from hub.telemetry import sharding
from hub.telemetry.sharding import NotDrained, ShardsDiffer
from hub.telemetry.stream import key_of
from tests.hub.callers import Caller
from tests.hub.conftest import Device, Make
from tests.hub.telemetry.conftest import Wait, send


@pytest.fixture
def hub(app: web.Application) -> Hub:
    return app[HUB]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharding, "QUIET_S", 0.8)  # longer than an api takes to hear of it
    monkeypatch.setattr(sharding, "POLL_S", 0.02)


@pytest.fixture
async def numbers(db: Tx) -> AsyncIterator[None]:
    yield
    rows = await db.fetch("select shard from stream_shard where not closed order by shard")
    assert [row["shard"] for row in rows] == list(range(len(rows))), "none is left closed"


pytestmark = pytest.mark.usefixtures("numbers")


class TestStart:
    async def test_with_another_number_is_refused(self, anonymous: Caller, settings: Settings) -> None:
        assert (await anonymous.get("/healthz")).status == 200
        other = create_app(settings.model_copy(update={"stream_shards": 3}), frozenset({"api"}))
        with pytest.raises(ShardsDiffer, match="1 shards, ETP_STREAM_SHARDS says 3: set it to 1"):
            await web.AppRunner(other).setup()


class TestReshard:
    async def test_everything_is_stored_before(
        self, owner: Caller, sensor: Make, device: Device, stored: Wait, hub: Hub, db: Tx
    ) -> None:
        things = [await sensor() for _ in range(3)]
        begin = time.time()
        for i in range(20):
            for thing in things:
                assert (await send(device(thing), {"samples": [{"t": begin + i, "v": 1.0}]})).status == 202
        assert await sharding.reshard(hub.db, hub.stream, 4) == 1
        assert await db.fetchval("select count(*) from stream_shard") == 4
        for thing in things:
            assert (await stored(thing))["stored"] == 20
        answer = await send(device(things[0]), {"samples": [{"t": begin + 60, "v": 1.0}]})
        assert answer.status == 503, "this hub knows one shard only"
        assert int(answer.headers["Retry-After"]) > 0
        facts = await db.fetch("select details from fact where kind = 'stream.resharded'")
        assert [fact["details"] for fact in facts] == [{"shards": 4}]

    async def test_fewer_leave_no_stream_behind(self, anonymous: Caller, hub: Hub, db: Tx) -> None:
        assert (await anonymous.get("/healthz")).status == 200
        assert await sharding.reshard(hub.db, hub.stream, 2) == 1
        await hub.stream.xadd(key_of(1), {"e": b""})
        newest = (await hub.stream.xrevrange(key_of(1), count=1))[0][0].decode()
        life = (await hub.stream.info("server"))["run_id"]
        await db.execute("update stream_shard set run_id = $1, last_id = $2 where shard = 1", life, newest)
        assert await sharding.reshard(hub.db, hub.stream, 1) == 2
        assert not await hub.stream.exists(key_of(1))


class TestUndrained:
    """Nobody stores."""

    @pytest.fixture
    def roles(self) -> frozenset[Role]:
        return frozenset({"api"})

    async def test_changes_nothing_and_samples_are_refused_meanwhile(
        self, owner: Caller, sensor: Make, device: Device, hub: Hub, db: Tx
    ) -> None:
        thing = device(await sensor())
        assert (await send(thing, {"samples": [{"t": time.time(), "v": 1.0}]})).status == 202
        resharding = asyncio.create_task(sharding.reshard(hub.db, hub.stream, 4, drain_s=3.0))
        statuses: list[int] = []
        while not resharding.done():
            statuses.append((await send(thing, {"samples": [{"t": time.time(), "v": 1.0}]})).status)
            await asyncio.sleep(0.05)
        with pytest.raises(NotDrained, match="still wait in shard 0"):
            await resharding
        assert set(statuses) == {202, 503}
        assert statuses[-1] == 503
        assert await db.fetchval("select count(*) from stream_shard") == 1

        async with asyncio.timeout(5):
            while (await send(thing, {"samples": [{"t": time.time(), "v": 1.0}]})).status != 202:  # noqa: ASYNC110 - the hub hears of it by polling
                await asyncio.sleep(0.05)
