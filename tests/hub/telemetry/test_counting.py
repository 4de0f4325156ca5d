"""The ledger of a capture, sensor by sensor: what is stored, repeated, refused, and what still waits in the stream."""

import asyncio
import time
from typing import Any

import pytest

from dev.valkey import Valkey
from hub.settings import Role
from tests.closing import check_adds_up
from tests.hub.callers import Caller
from tests.hub.conftest import Device, Make
from tests.hub.telemetry.conftest import Wait, send


class Recorded:
    """A capture of three sensors that runs: the first two send different numbers of samples, the third is silent."""

    def __init__(self, owner: Caller, capture: dict[str, Any], sensors: list[dict[str, Any]], device: Device) -> None:
        self.owner = owner
        self.capture = capture
        self.sensors = sensors
        self.device = device
        self.now = time.time()

    async def fill(self) -> None:
        """Send good samples, repeats, one that is refused, and one from before the capture."""
        first, second, _ = (self.device(sensor) for sensor in self.sensors)
        good = [{"t": self.now + i, "v": float(i)} for i in range(3)]
        assert (await send(first, {"samples": [*good, {"t": self.now - 3600, "v": 9.0}]})).body["accepted"] == 4
        assert (await send(first, {"samples": good[:2]})).status == 202
        mixed = [*({"t": self.now + i, "v": float(i)} for i in range(5)), {"t": self.now + 9, "v": "high"}]
        answer = (await send(second, {"samples": mixed})).body
        assert (answer["accepted"], len(answer["rejected"])) == (5, 1)

    async def counts(self, *names: str) -> list[tuple[int, ...]]:
        """Ask for the ledger: in all, then for each sensor in their order."""
        ledger = (await self.owner.get(f"/captures/{self.capture['id']}/ledger")).ok
        parts = {part["sensor_id"]: part for part in ledger["sensors"]}
        found = [ledger, *(parts[sensor["id"]] for sensor in self.sensors)]
        for each in found:
            check_adds_up(each)
        return [tuple(each[name] for name in names) for each in found]


@pytest.fixture
async def recorded(owner: Caller, run: Make, sensor: Make, device: Device) -> Recorded:
    sensors = [await sensor() for _ in range(3)]
    made = await run(*sensors)
    capture = (await owner.post(f"/runs/{made['id']}/captures", {"pre_roll_s": 60})).ok
    return Recorded(owner, capture, sensors, device)


async def test_what_is_stored(recorded: Recorded, stored: Wait) -> None:
    await recorded.fill()
    for sensor in recorded.sensors[:2]:
        await stored(sensor)
    counts = await recorded.counts("received", "stored", "duplicates", "rejected", "pending")
    assert counts == [(11, 8, 2, 1, 0), (5, 3, 2, 0, 0), (6, 5, 0, 1, 0), (0, 0, 0, 0, 0)]


async def test_what_is_sealed_and_came_after(recorded: Recorded, stored: Wait) -> None:
    await recorded.fill()
    for sensor in recorded.sensors[:2]:
        await stored(sensor)
    path = f"/captures/{recorded.capture['id']}"
    assert (await recorded.owner.post(f"{path}/stop")).ok
    assert (await recorded.owner.post(f"{path}/seal")).status == 202
    async with asyncio.timeout(20):
        while (await recorded.owner.get(path)).ok["status"] != "sealed":  # noqa: ASYNC110 - the worker tells nobody
            await asyncio.sleep(0.02)
    before = await recorded.counts("stored", "late")
    await send(recorded.device(recorded.sensors[1]), {"samples": [{"t": recorded.now - 1, "v": 7.0}]})
    await stored(recorded.sensors[1])
    after = await recorded.counts("stored", "late")
    assert after[2] == (before[2][0] + 1, before[2][1] + 1)
    assert after[1] == before[1]
    assert after[0] == (before[0][0] + 1, before[0][1] + 1)


class TestWithoutWriter:
    @pytest.fixture
    def roles(self) -> frozenset[Role]:
        return frozenset({"api", "worker"})

    async def test_what_waits_in_the_stream(self, recorded: Recorded) -> None:
        await recorded.fill()
        counts = await recorded.counts("received", "stored", "duplicates", "rejected", "pending")
        assert counts == [(11, 0, 0, 0, 11), (5, 0, 0, 0, 5), (6, 0, 0, 0, 6), (0, 0, 0, 0, 0)]


class TestWithoutTheStream:
    @pytest.fixture
    def valkey_url(self, own_valkey: Valkey) -> str:
        """A stream that the test may stop."""
        return own_valkey.url

    async def test_it_says_what_cannot_be_known(self, recorded: Recorded, own_valkey: Valkey) -> None:
        """Nobody who asks for counts sent a batch."""
        await own_valkey.stop()
        for path in (f"/sensors/{recorded.sensors[0]['id']}", f"/captures/{recorded.capture['id']}"):
            answer = await recorded.owner.get(f"{path}/ledger")
            assert (answer.status, answer.code, answer.headers["Retry-After"]) == (503, "stream-unread", "2")
            assert answer.body["title"] == "What waits in the stream cannot be read now"
            assert (
                answer.body["detail"] == "The ledger cannot be counted without it. Repeat the request in a few seconds."
            )
