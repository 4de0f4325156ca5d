"""What packet numbers tell: which packets are missing, and whether all that was sent came."""

import random
import time
from typing import Any

import pytest

from hub.kit.db import Tx
from hub.settings import Role
from tests.hub.callers import Caller
from tests.hub.conftest import Device, Make
from tests.hub.telemetry.conftest import Wait, send


@pytest.fixture
def now() -> float:
    return round(time.time(), 3)


@pytest.mark.parametrize("seed", [1, 2])
async def test_they_are_counted_as_they_are_kept(
    sensor: Make, device: Device, stored: Wait, db: Tx, now: float, seed: int
) -> None:
    """In any order, again, with gaps that fill, and in packets without a sample."""
    rng = random.Random(seed)
    one = await sensor()
    for boot in ("a", "b", "a", "c"):
        for seq in rng.sample(range(20), 6):
            samples = [{"t": now + seq, "v": seq}] * rng.randint(0, 2)
            assert (await send(device(one), {"seq": seq, "boot": boot, "samples": samples})).status == 202
    await send(device(one), {"seq": 30, "boot": "c", "samples": [{"t": now, "v": 0}]})
    ledger = await stored(one)
    kept = await db.fetchrow(
        "select sum(upper(seen) - lower(seen))::bigint as sent,"
        " sum((select sum(upper(part) - lower(part)) from unnest(seen) part))::bigint as seen from sensor_packets"
    )
    booked = await db.fetchrow("select packets_sent as sent, packets_seen as seen from sensor_ledger")
    assert kept is not None
    assert booked == kept
    assert ledger["gaps"] == kept["sent"] - kept["seen"] > 0


class TestWithout:
    """Packets without a number."""

    async def test_one_ends_the_claim_that_all_came(
        self, sensor: Make, device: Device, stored: Wait, now: float
    ) -> None:
        one = await sensor()
        await send(device(one), {"seq": 1, "samples": [{"t": now, "v": 1}]})
        assert (await stored(one))["sent"] == 1
        await send(device(one), {"samples": [{"t": now + 1, "v": "unreadable"}]})
        ledger = await stored(one)
        assert (ledger["received"], ledger["sent"], ledger["gaps"]) == (2, None, 0)

    async def test_beside_a_numbered_one_in_a_body(
        self, sensor: Make, agent: Make, device: Device, stored: Wait, now: float
    ) -> None:
        one, other, edge = await sensor(), await sensor(), await agent(default=True)
        series = [
            {"sensor_id": one["id"], "t": [now], "v": [1], "seq": 1},
            {"sensor_id": other["id"], "t": [now], "v": [1], "seq": 1},
            {"sensor_id": one["id"], "t": [now + 1], "v": [2]},
        ]
        await send(device(edge), {"series": series})
        assert [(await stored(each))["sent"] for each in (one, other)] == [None, 1]

    async def test_before_a_capture_it_does_not_matter(
        self, owner: Caller, run: Make, sensor: Make, device: Device, stored: Wait
    ) -> None:
        one = await sensor()
        made = await run(one)

        async def packet(**number: int) -> None:
            body: dict[str, Any] = number | {"samples": [{"t": time.time(), "v": 1.0}]}
            assert (await send(device(one), body)).status == 202
            await stored(one)

        await packet()
        capture = (await owner.post(f"/runs/{made['id']}/captures")).ok
        await packet(seq=1)
        assert (await owner.post(f"/captures/{capture['id']}/stop")).ok
        await packet(seq=2)
        for known in ((1, 0), (None, None)):
            ledger = (await owner.get(f"/captures/{capture['id']}/ledger")).ok
            assert (ledger["received"], ledger["sent"], ledger["gaps"]) == (1, *known)
            await packet()


class TestWithoutWriter:
    @pytest.fixture
    def roles(self) -> frozenset[Role]:
        return frozenset({"api"})

    async def test_one_that_still_waits_ends_the_claim_too(
        self, owner: Caller, sensor: Make, device: Device, db: Tx, now: float
    ) -> None:
        one = await sensor()
        await db.execute(
            "insert into sensor_ledger (sensor_no, received, stored, packets_sent, packets_seen)"
            " select no, 1, 1, 1, 1 from sensor"
        )
        for number, known in (({"seq": 2}, 2), ({}, None)):
            await send(device(one), number | {"samples": [{"t": now, "v": 1}]})
            ledger = (await owner.get(f"/sensors/{one['id']}/ledger")).ok
            assert (ledger["sent"], ledger["gaps"]) == (known, 0)


async def test_samples_that_an_edge_agent_dropped_end_the_claim_too(
    owner: Caller, agent: Make, sensor: Make, device: Device, stored: Wait, now: float
) -> None:
    edge, one = await agent(default=True), await sensor()
    await send(device(one), {"seq": 7, "samples": [{"t": now, "v": 1}]})
    assert (await stored(one))["sent"] == 1
    part = {"sensor_id": one["id"], "samples": 3, "first_us": 1_000, "last_us": 2_000}
    told = {"report_id": "6a0f0f0e-0f3e-4d5e-8a8e-0d5d0e0f0a0b", "dropped": [part]}
    assert (await device(edge).post("/edge/dropped", told)).status == 204
    ledger = (await owner.get(f"/sensors/{one['id']}/ledger")).ok
    assert (ledger["sent"], ledger["gaps"], ledger["dropped"]) == (None, 0, 3)
