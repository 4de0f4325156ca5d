"""Captures of vectors: their manifest tells of every element, whichever of them is the headline."""

import time

import pytest

from hub.kit.context import Hub
from hub.kit.db import Tx
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
    assert found["physical"][0]["samples"] == 12
    assert (await owner.get(f"/captures/{recorded.id}/ledger")).ok["stored"] == 4
    await db.execute("update telemetry_vector set raw[1] = 0.75 where t = $1", round((now + 1) * 1e6))
    found = (await owner.post(f"/captures/{recorded.id}/verify")).ok
    assert not found["series"][0]["hash_holds"], "an element below the peak"
