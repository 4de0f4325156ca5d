"""Which packets tell that a sensor is alive: those of which anything was accepted."""

import time

import numpy as np
import pytest

from hub.kit.db import Tx
from hub.telemetry import store
from hub.telemetry.batch import Read
from hub.telemetry.entries import REJECTS, SERIES, Entry
from hub.telemetry.stream import StreamId
from tests.hub.callers import Caller
from tests.hub.conftest import Device, Make
from tests.hub.telemetry.conftest import Wait, send


@pytest.mark.parametrize("bad", [{"v": "warm"}, {"t": 32503680000, "v": 1.0}])
async def test_a_refused_packet_is_none_and_the_next_good_one_is(
    owner: Caller, sensor: Make, device: Device, stored: Wait, bad: dict[str, object]
) -> None:
    made = await sensor(heartbeat_interval_s=1000.0)
    assert (await send(device(made), {"samples": [bad]})).status == 422
    assert (await stored(made))["rejected"] == 1
    read = (await owner.get(f"/sensors/{made['id']}")).ok
    assert (read["state"], read["last_heartbeat"]) == ("unknown", None)
    assert (await send(device(made), {"samples": [bad, {"t": time.time(), "v": 1.0}]})).status == 202
    assert (await stored(made))["stored"] == 1
    read = (await owner.get(f"/sensors/{made['id']}")).ok
    assert read["state"] == "online"
    assert (await send(device(made), {"samples": [bad]})).status == 422
    assert (await stored(made))["rejected"] == 3
    assert (await owner.get(f"/sensors/{made['id']}")).ok["last_heartbeat"] == read["last_heartbeat"]


async def test_a_repeat_is_one(owner: Caller, sensor: Make, device: Device, stored: Wait) -> None:
    made = await sensor(heartbeat_interval_s=1000.0)
    body = {"samples": [{"t": time.time(), "v": 1.0}]}
    heard: list[str] = []
    for _ in range(2):
        assert (await send(device(made), body)).status == 202
        await stored(made)
        heard.append((await owner.get(f"/sensors/{made['id']}")).ok["last_heartbeat"])
    assert heard[1] > heard[0]


async def test_what_cannot_be_stored_is_none(owner: Caller, sensor: Make, db: Tx) -> None:
    made = await sensor()
    number = await db.fetchval("select no from sensor")
    entry = Entry(
        received_at_us=time.time_ns() // 1000,
        series=np.array([(number, 2, 0)], SERIES),
        t_us=np.array([1, 2]),
        raw=np.array([1.0, 2.0]),
        physical=np.zeros(2),
        status=np.zeros(2, np.uint8),
        rejects=np.empty(0, REJECTS),
        codes=[],
    )
    await store.book_as_rejected(db, Read(StreamId(1, 0), "life", entry, known=False))
    ledger = (await owner.get(f"/sensors/{made['id']}/ledger")).ok
    assert (ledger["received"], ledger["rejected"]) == (2, 2)
    assert (await owner.get(f"/sensors/{made['id']}")).ok["state"] == "unknown"
