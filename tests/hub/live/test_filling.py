"""Backlog and resuming: every sample exactly once, in order, or a gap is told."""

import asyncio
import random
import time
from typing import Any

import pytest
from aiohttp import web
from redis.asyncio import Redis

from hub.kit.context import HUB
from hub.kit.db import Tx
from hub.live import filling, missed
from hub.settings import Settings
from tests.hub.callers import Caller
from tests.hub.conftest import Device, Make
from tests.hub.live.conftest import Watch, gather, hear, say
from tests.hub.telemetry.conftest import Wait, send


class Client:
    """A viewer as the documents tell to write one: it keeps the newest cursor and resumes there."""

    def __init__(self, watch: Watch, caller: Caller, sensors: list[str]) -> None:
        self._watch = watch
        self._caller = caller
        self._sensors = sensors
        self._cursor: str | None = None
        self.seen: list[float] = []
        self.gaps = 0

    def forget(self) -> None:
        """Begin anew the next time."""
        self._cursor = None

    async def look(self, until: int) -> None:
        """Connect, receive until so many samples were seen in all, be it amid what was missed, and disconnect."""
        socket = await self._watch(self._caller)
        if self._cursor is None:
            self.seen.clear()
        wanted: dict[str, Any] = {"op": "subscribe", "sensors": self._sensors}
        wanted |= {"since": self._cursor} if self._cursor else {"backlog_s": 60}
        await socket.send_json(wanted)
        while len(self.seen) < until:
            message = await hear(socket, 10)
            if message["op"] == "gap":
                self.gaps += 1
            if message.get("cursor"):
                self._cursor = message["cursor"]
            for series in message.get("series", []):
                self.seen += series["raw"]
        await socket.close()


class TestAnyDisconnections:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        """Samples travel in two shards."""
        return settings.model_copy(update={"stream_shards": 2})

    @pytest.mark.parametrize("seed", range(3))
    async def test_each_sample_comes_once(
        self, watch: Watch, owner: Caller, sensor: Make, agent: Make, device: Device, seed: int
    ) -> None:
        """Two sensors send all the time, through an edge agent, while the viewer comes and goes."""
        edge = device(await agent(default=True))
        dice = random.Random(seed)
        made = [await sensor() for _ in range(2)]
        viewer = Client(watch, owner, [one["id"] for one in made])
        sent = 0
        went_on, over = asyncio.Condition(), asyncio.Event()

        async def stream() -> None:
            nonlocal sent
            while not over.is_set():
                now = round(time.time(), 3)
                count = dice.randint(1, 5)
                series = {
                    "sensor_id": made[dice.randint(0, 1)]["id"],
                    "t": [now + i / 1e4 for i in range(count)],
                    "v": [float(sent + i) for i in range(count)],
                }
                assert (await send(edge, {"series": [series]})).status == 202
                sent += count
                async with went_on:
                    went_on.notify_all()
                await asyncio.sleep(dice.uniform(0, 0.03))

        async with asyncio.TaskGroup() as group:
            group.create_task(stream())
            for _ in range(8):
                # Some of it is stored by then, some not: now and then all is wanted anew, and once at the beginning.
                missed_to = sent + dice.randint(1, 60)
                async with went_on:
                    await went_on.wait_for(lambda to=missed_to: sent >= to)
                if dice.random() < 0.3:
                    viewer.forget()
                await viewer.look(len(viewer.seen) + dice.randint(1, 80))
            over.set()
        await viewer.look(sent)
        assert viewer.gaps == 0
        assert sorted(viewer.seen) == [float(no) for no in range(sent)]


class TestBacklog:
    async def test_it_holds_what_is_stored_and_what_is_not_yet(
        self, watch: Watch, owner: Caller, sensor: Make, device: Device, stored: Wait
    ) -> None:
        one, other = await sensor(), await sensor()
        now = round(time.time(), 3)
        samples = [{"t": now - 400, "v": 0.0}, {"t": now - 20, "v": 1.0}, {"t": now - 10, "v": 2.0}]
        await send(device(one), {"samples": samples})
        await send(device(other), {"samples": [{"t": now, "v": 9.0}]})
        await stored(one)
        await send(device(one), {"samples": [{"t": now - 500, "v": 0.5}, {"t": now, "v": 3.0}]})
        socket = await watch(owner)
        answer = await say(socket, op="subscribe", sensors=[one["id"]], backlog_s=100)
        assert (answer["op"], answer["cursor"]) == ("subscribed", None)
        series = await gather(socket, 3)
        assert [v for each in series for v in each["raw"]] == [1.0, 2.0, 3.0]
        assert series[0]["delay_ms"] is None
        await send(device(one), {"samples": [{"t": now + 1, "v": 4.0}]})
        assert [v for each in await gather(socket, 1) for v in each["raw"]] == [4.0]

    async def test_after_a_restart_of_the_stream_nothing_comes_twice(
        self, watch: Watch, owner: Caller, sensor: Make, device: Device, stored: Wait, db: Tx
    ) -> None:
        one = await sensor()
        now = round(time.time(), 3)
        await send(device(one), {"samples": [{"t": now, "v": 1.0}, {"t": now + 1, "v": 2.0}]})
        await stored(one)
        # As it is until the writer has begun to read the server's new life.
        await db.execute("update stream_shard set run_id = 'the life before'")
        socket = await watch(owner)
        await say(socket, op="subscribe", sensors=[one["id"]], backlog_s=100)
        frame = await hear(socket)
        assert frame["series"][0]["raw"] == [1.0, 2.0]
        last = await hear(socket)
        assert (last["series"], last["cursor"] is None) == ([], False)

    async def test_a_viewer_gets_no_raw(
        self, watch: Watch, viewer: Caller, sensor: Make, device: Device, stored: Wait
    ) -> None:
        one = await sensor()
        await send(device(one), {"samples": [{"t": time.time(), "v": 1.0}]})
        await stored(one)
        socket = await watch(viewer)
        await say(socket, op="subscribe", sensors=[one["id"]], backlog_s=100)
        (series,) = await gather(socket, 1)
        assert series["physical"] == [3.0]
        assert "raw" not in series

    async def test_too_much_is_refused_and_nothing_is_watched(
        self,
        watch: Watch,
        owner: Caller,
        sensor: Make,
        device: Device,
        stored: Wait,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        one = await sensor()
        now = round(time.time(), 3)
        await send(device(one), {"samples": [{"t": now + i / 1000, "v": 1.0} for i in range(9)]})
        await stored(one)
        monkeypatch.setattr("hub.telemetry.backlog.MOST_SAMPLES", 8)
        socket = await watch(owner)
        answer = await say(socket, op="subscribe", sensors=[one["id"]], backlog_s=100)
        assert answer["type"].rpartition("/")[2] == "range-too-large"
        await send(device(one), {"samples": [{"t": now + 1, "v": 2.0}]})
        await stored(one)
        assert (await say(socket, op="ping"))["op"] == "pong"

    async def test_large_ones_come_in_several_frames(
        self,
        watch: Watch,
        owner: Caller,
        sensor: Make,
        device: Device,
        stored: Wait,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(filling, "FRAME_SAMPLES", 4)
        one = await sensor()
        now = round(time.time(), 3)
        await send(device(one), {"samples": [{"t": now + i / 1000, "v": float(i)} for i in range(11)]})
        await stored(one)
        socket = await watch(owner)
        await say(socket, op="subscribe", sensors=[one["id"]], backlog_s=100)
        series = await gather(socket, 11)
        assert [len(each["t"]) for each in series] == [4, 4, 3]
        assert [v for each in series for v in each["raw"]] == [float(i) for i in range(11)]

    async def test_what_is_watched_already_does_not_come_twice(
        self, watch: Watch, owner: Caller, sensor: Make, device: Device
    ) -> None:
        one, other = await sensor(), await sensor()
        socket = await watch(owner)
        await say(socket, op="subscribe", sensors=[one["id"]])
        for each in (one, other):
            await send(device(each), {"samples": [{"t": time.time(), "v": 1.0}]})
        await gather(socket, 1)
        await say(socket, op="subscribe", sensors=[one["id"], other["id"]], backlog_s=100)
        assert [series["sensor_id"] for series in await gather(socket, 1)] == [other["id"]]


class TestResuming:
    async def test_it_gives_what_was_missed_page_by_page(
        self,
        watch: Watch,
        owner: Caller,
        sensor: Make,
        device: Device,
        stored: Wait,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(missed, "PAGE", 2)
        one = await sensor()
        first = await watch(owner)
        cursor = (await say(first, op="subscribe", sensors=[one["id"]]))["cursor"]
        await first.close()
        now = round(time.time(), 3)
        for i in range(5):
            await send(device(one), {"samples": [{"t": now + i, "v": float(i)}]})
            await stored(one)
        second = await watch(owner)
        assert (await say(second, op="subscribe", sensors=[one["id"]], since=cursor))["cursor"] is None
        assert [v for each in await gather(second, 5) for v in each["raw"]] == [0.0, 1.0, 2.0, 3.0, 4.0]

    async def test_an_interrupted_one_goes_on_where_it_was(
        self, watch: Watch, owner: Caller, sensor: Make, device: Device, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(missed, "PAGE", 1)
        one = await sensor()
        first = await watch(owner)
        cursor = (await say(first, op="subscribe", sensors=[one["id"]]))["cursor"]
        await first.close()
        now = round(time.time(), 3)
        for i in range(3):
            await send(device(one), {"samples": [{"t": now + i, "v": float(i)}]})
        second = await watch(owner)
        await say(second, op="subscribe", sensors=[one["id"]], since=cursor)
        frame = await hear(second)
        assert frame["series"][0]["raw"] == [0.0]
        await second.close()
        third = await watch(owner)
        await say(third, op="subscribe", sensors=[one["id"]], since=frame["cursor"])
        assert [v for each in await gather(third, 2) for v in each["raw"]] == [1.0, 2.0]

    async def test_a_pong_says_where_to_resume_while_all_is_quiet(
        self, watch: Watch, owner: Caller, sensor: Make, device: Device
    ) -> None:
        one, other = await sensor(), await sensor()
        socket = await watch(owner)
        before = (await say(socket, op="subscribe", sensors=[one["id"]]))["cursor"]
        await send(device(other), {"samples": [{"t": time.time(), "v": 1.0}]})
        async with asyncio.timeout(5):
            while (await say(socket, op="ping"))["cursor"] == before:
                pass

    @pytest.mark.parametrize("backlog_s", [0, 100])
    async def test_what_is_gone_from_the_stream_is_told(
        self,
        watch: Watch,
        owner: Caller,
        sensor: Make,
        device: Device,
        stored: Wait,
        app: web.Application,
        backlog_s: int,
    ) -> None:
        one = await sensor()
        first = await watch(owner)
        cursor = (await say(first, op="subscribe", sensors=[one["id"]]))["cursor"]
        await first.close()
        now = round(time.time(), 3)
        for i in range(2):
            await send(device(one), {"samples": [{"t": now + i, "v": 1.0 + i}]})
            await stored(one)
        stream: Redis = app[HUB].stream
        await stream.xtrim("telemetry:0", maxlen=1, approximate=False)  # as the writer does when memory is short
        await send(device(one), {"samples": [{"t": now + 2, "v": 3.0}]})
        second = await watch(owner)
        await say(second, op="subscribe", sensors=[one["id"]], since=cursor, backlog_s=backlog_s)
        gap = await hear(second)
        assert (gap["op"], gap["since"]) == ("gap", cursor)
        if backlog_s:
            assert abs(gap["whole_from"] - (time.time() - backlog_s)) < 10
            assert [v for each in await gather(second, 3) for v in each["raw"]] == [1.0, 2.0, 3.0]
        else:
            assert gap["whole_from"] is None
            assert [v for each in await gather(second, 2) for v in each["raw"]] == [2.0, 3.0]

    @pytest.mark.parametrize("since", ["", "1-0,1-0", "one", "99999999999999-0"])
    async def test_cursors_that_are_none_of_ours(
        self, watch: Watch, owner: Caller, sensor: Make, device: Device, since: str
    ) -> None:
        one = await sensor()
        await send(device(one), {"samples": [{"t": time.time(), "v": 1.0}]})
        socket = await watch(owner)
        answer = await say(socket, op="subscribe", sensors=[one["id"]], since=since)
        if since.startswith("999"):  # of a stream that is no more
            assert (await hear(socket))["op"] == "gap"
        else:
            assert answer["type"].rpartition("/")[2] == "invalid-payload"
