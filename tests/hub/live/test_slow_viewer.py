"""A viewer that does not read: it gets merged frames and is told, and stands in nobody's way."""

import time
from typing import Any

import numpy as np
from aiohttp import web

from hub.kit.db import Tx
from hub.live.watch import PARTS
from hub.telemetry import entries
from hub.telemetry.entries import Entry
from hub.telemetry.fabric import FABRIC
from hub.telemetry.stream import Held
from tests.hub.callers import Caller
from tests.hub.conftest import Make
from tests.hub.live.conftest import Watch, hear, say

COUNT = 10_000
PACKETS = 50


async def flood(app: web.Application, no: int, first: int) -> None:
    """Append as many samples of one sensor as a packet may hold, numbered by their values."""
    values = np.arange(first, first + COUNT, dtype=np.float64)
    t_us = time.time_ns() // 1000 + np.arange(COUNT, dtype=np.int64)
    series = np.array([(no, COUNT, 1)], entries.SERIES)
    status, none = np.zeros(COUNT, np.uint8), np.empty(0, entries.REJECTS)
    entry = Entry(time.time_ns() // 1000, series, t_us, values, values, status, none, [])
    held = Held.of(np.array([no], np.int32), np.array([COUNT]), t_us)
    await app[FABRIC].appenders[0].append(entries.encode(entry), held)


async def collect(socket: Any, until: float) -> tuple[int, int]:
    """Read until a value comes; returns how many samples were shown and how many merged."""
    shown = merged = 0
    while True:
        message = await hear(socket, 10)
        merged += message["merged"]
        for series in message["series"]:
            shown += len(series["t"])
            if series["raw"][-1] == until:
                return shown, merged


async def test_it_is_told_and_others_are_not_slowed(
    watch: Watch, owner: Caller, sensor: Make, db: Tx, app: web.Application
) -> None:
    one = await sensor()
    no = await db.fetchval("select no from sensor")
    slow, fast = await watch(owner), await watch(owner)
    for socket in (slow, fast):
        assert (await say(socket, op="subscribe", sensors=[one["id"]]))["op"] == "subscribed"
    for packet in range(PACKETS):
        await flood(app, no, packet * COUNT)
        shown, merged = await collect(fast, (packet + 1) * COUNT - 1)
        assert (shown, merged) == (COUNT, 0), "who reads gets everything at once"
    viewers = app[PARTS].fanout.watching(no)
    assert max(viewer.waiting for viewer in viewers) <= 100_000
    shown, merged = await collect(slow, PACKETS * COUNT - 1)
    assert merged > 0
    assert shown + merged == PACKETS * COUNT
