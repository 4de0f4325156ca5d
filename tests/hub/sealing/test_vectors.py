"""Captures of vectors: their manifest tells of every element, whichever of them is the headline."""

import time

import pytest

from hub.kit.context import Hub
from hub.kit.db import Tx
from hub.telemetry import merging
from tests.hub.callers import Caller
from tests.hub.conftest import Device, Make
from tests.hub.sealing.conftest import Recorded, seal_all

AXIS = {"quantity": "frequency", "unit": "Hz", "start": 10.0, "step": 0.5, "count": 3}


@pytest.fixture
async def recorded(owner: Caller, sensor: Make, device: Device, run: Make, db: Tx) -> Recorded:
    """A sensor of vectors in a running run."""
    made = await sensor(type="vibration_spectrum", axis=AXIS)
    return Recorded(owner, device(made), db, made, await run(made))


async def send(recorded: Recorded, *vectors: tuple[float, list[float]]) -> None:
    """Send vectors and wait until they are stored."""
    rows = [{"t": t, "v": v} for t, v in vectors]
    assert (await recorded.device.call("POST", "/telemetry", {"samples": rows})).status == 202
    await recorded.stored()


async def test_sealed_and_verified(recorded: Recorded, owner: Caller, hub: Hub, db: Tx) -> None:
    now = round(time.time() - 60, 3)
    await send(recorded, (now, [1.0, 9.0, 2.0]), (now, [3.0, 9.0, 2.0]), (now + 1, [0.5, 0.25, 0.125]))
    await recorded.capture()
    await owner.post(f"/captures/{recorded.id}/seal")
    await seal_all(hub)
    # The same time and the same headline once more, but another vector.
    await send(recorded, (now, [4.0, 9.0, 2.0]))
    assert (await owner.get(f"/captures/{recorded.id}/ledger")).ok["stored"] == 4
    await owner.post(f"/captures/{recorded.id}/seal")
    await seal_all(hub)
    manifest = (await owner.get(f"/captures/{recorded.id}/manifest")).ok
    assert [seal["samples"] for seal in manifest["seals"]] == [3, 4]
    found = (await owner.post(f"/captures/{recorded.id}/verify")).ok
    assert found["holds"], found
    assert [(one["part"], one["samples"], one["exact"]) for one in found["physical"]] == [
        ("headlines", 4, 4),
        ("elements", 12, 12),
    ]
    assert (await owner.get(f"/captures/{recorded.id}/ledger")).ok["stored"] == 4
    await db.execute("update telemetry_vector set raw[1] = 0.75 where t = $1", round((now + 1) * 1e6))
    found = (await owner.post(f"/captures/{recorded.id}/verify")).ok
    assert not found["series"][0]["hash_holds"], "an element below the peak"


class TestTheSamePeakAtTheSameTime:
    """Two vectors that only their smaller elements tell apart, one before a seal and one after it."""

    FIRST, SECOND = [1.0, 9.0, 2.0], [4.0, 9.0, 2.0]

    async def sealed(self, recorded: Recorded, owner: Caller, hub: Hub) -> float:
        """Seal a capture that holds the first of them; returns their time."""
        at = round(time.time() - 60, 3)
        await send(recorded, (at, self.FIRST))
        await recorded.capture()
        await seal(recorded, owner, hub)
        return at

    async def test_the_later_one_is_taken_in_once_the_window_is_gone(
        self, recorded: Recorded, owner: Caller, hub: Hub, db: Tx
    ) -> None:
        at = await self.sealed(recorded, owner, hub)
        await db.execute("delete from telemetry_recent")
        await send(recorded, (at, self.FIRST), (at, self.SECOND))
        assert (await owner.get(f"/sensors/{recorded.sensor['id']}/ledger")).ok["duplicates"] == 1
        for waiting in (1, 0):
            assert (await owner.get(f"/captures/{recorded.id}")).ok["late_waiting"] == waiting
            await recorded.check_count(2)
            assert len(await vectors(recorded, owner)) == 2
            if waiting:
                await seal(recorded, owner, hub)
        manifest = (await owner.get(f"/captures/{recorded.id}/manifest")).ok
        assert [(one["added"], one["samples"]) for one in manifest["seals"]] == [(1, 1), (1, 2)]
        found = (await owner.post(f"/captures/{recorded.id}/verify")).ok
        assert found["holds"], found

    async def test_each_seal_knows_which_it_holds(self, recorded: Recorded, owner: Caller, hub: Hub, db: Tx) -> None:
        """Whichever was received first: clocks of replicas differ, and one may wait longer for the writer."""
        at = await self.sealed(recorded, owner, hub)
        await send(recorded, (at, self.SECOND))
        await db.execute("update telemetry_vector set received_at = received_at - 3600000000 where raw[1] = 4")
        await seal(recorded, owner, hub)
        found = (await owner.post(f"/captures/{recorded.id}/verify")).ok
        assert [one["hash_holds"] for one in found["series"]] == [True, True]

    async def test_merging_keeps_them_apart(self, recorded: Recorded, owner: Caller, hub: Hub, db: Tx) -> None:
        slot = time.time() // 600 * 600 - 3600
        for vector in (self.FIRST, self.SECOND):
            await send(recorded, (slot + 1, vector))
        before = await db.fetch("select unnest(identity) as one from telemetry_recent order by one")
        await merging.merge(hub)
        assert await db.fetchval("select count(*) from telemetry_recent") == 1
        assert await db.fetch("select unnest(identity) as one from telemetry_recent order by one") == before
        await send(recorded, (slot + 1, self.SECOND), (slot + 1, self.FIRST))
        ledger = (await owner.get(f"/sensors/{recorded.sensor['id']}/ledger")).ok
        assert (ledger["stored"], ledger["duplicates"]) == (2, 2)

    async def test_meta_stays_with_its_own(self, recorded: Recorded, owner: Caller, hub: Hub, db: Tx) -> None:
        at = round(time.time() - 60, 3)
        for k, vector in enumerate((self.FIRST, self.SECOND)):
            rows = [{"t": at, "v": vector, "meta": {"k": k}}]
            assert (await recorded.device.call("POST", "/telemetry", {"samples": rows})).status == 202
            await recorded.stored()
            if not k:
                await recorded.capture()
                await seal(recorded, owner, hub)
        await seal(recorded, owner, hub)
        rows = await db.fetch("select seal, meta -> '0' ->> 'k' as k from telemetry_captured order by seal")
        assert [tuple(row) for row in rows] == [(1, "0"), (2, "1")]


async def seal(recorded: Recorded, owner: Caller, hub: Hub) -> None:
    """Seal what the capture holds, or what came late to it."""
    assert (await owner.post(f"/captures/{recorded.id}/seal")).status == 202
    await seal_all(hub)


async def vectors(recorded: Recorded, user: Caller) -> list[list[float]]:
    """Read the raw elements of every vector of the capture."""
    read = await user.get(f"/captures/{recorded.id}/vectors?sensor_id={recorded.sensor['id']}&limit=100")
    return read.ok["raw"]
