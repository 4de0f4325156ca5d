"""A capture holds exactly the samples of its sensors with started_at ≤ t < stopped_at, raw bit for bit."""

import asyncio
import csv
import io
import math
import random
import struct
import time
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from hub.kit.db import Tx
from tests.cases import cases
from tests.hub.callers import Caller
from tests.hub.conftest import Device, Make
from tests.hub.telemetry.conftest import Wait, send

Key = tuple[str, int, bytes]


class Bench:
    """Sensors bound to a running run, and the test's own log of what was acknowledged."""

    def __init__(self, user: Caller, sensors: list[dict[str, Any]], devices: list[Caller], run: dict[str, Any]) -> None:
        self.user = user
        self.sensors = sensors
        self.devices = devices
        self.run = run
        self.acknowledged: set[Key] = set()
        self.captures: list[str] = []

    async def publish(self, which: int, samples: list[tuple[int, float]]) -> None:
        """Send samples (µs, value) and log them once they are acknowledged."""
        rows = [{"t": t / 1e6, "v": v} for t, v in samples]
        answer = await send(self.devices[which], {"samples": rows})
        assert answer.status == 202, answer.body
        assert answer.body["rejected"] == []
        self.acknowledged |= {key(self.sensors[which]["id"], round(row["t"] * 1e6), row["v"]) for row in rows}

    async def start(self) -> str:
        """Press Start."""
        capture = (await self.user.post(f"/runs/{self.run['id']}/captures", {})).ok
        self.captures.append(capture["id"])
        return capture["id"]

    async def stop(self, capture_id: str) -> None:
        """Press Stop."""
        assert (await self.user.post(f"/captures/{capture_id}/stop")).ok

    async def check(self, capture_id: str, db: Tx) -> None:
        """Compare CSV, table and ledger of a capture with the log."""
        capture = (await self.user.get(f"/captures/{capture_id}")).ok
        begin, end = micros(capture["started_at"]), micros(capture["stopped_at"])
        mine = set(capture["sensor_ids"])
        expected = {k for k in self.acknowledged if k[0] in mine and begin <= k[1] < end}
        exported = await self.exported(capture_id)
        assert len(exported) == len(set(exported)), "a sample is in the CSV twice"
        assert set(exported) == expected
        rows = await db.fetch(
            """
            select sensor_id, timestamp, raw_value from telemetry_record where capture_session_id = $1::uuid
            """,
            capture_id,
        )
        stored = [key(str(r["sensor_id"]), micros(r["timestamp"]), r["raw_value"]) for r in rows]
        assert sorted(stored) == sorted(expected)
        ledger = (await self.user.get(f"/captures/{capture_id}/ledger")).ok
        assert (ledger["stored"], ledger["pending"], ledger["lost"]) == (len(expected), 0, 0)

    async def exported(self, capture_id: str) -> list[Key]:
        """Read a capture's CSV back."""
        text = (await self.user.get(f"/captures/{capture_id}/export?format=csv")).ok.decode()
        return [
            key(row["sensor_id"], micros(row["timestamp"]), float(row["raw_value"]))
            for row in csv.DictReader(io.StringIO(text))
        ]


def key(sensor_id: str, t_us: int, raw: float) -> Key:
    """What makes two samples the same: sensor, t and the bits of raw."""
    return sensor_id, t_us, struct.pack("<d", raw)


def micros(at: str | datetime) -> int:
    """Microseconds since 1970 of a time, exactly."""
    moment = datetime.fromisoformat(at) if isinstance(at, str) else at
    return int(moment.timestamp()) * 1_000_000 + moment.microsecond


@pytest.fixture
async def bench(owner: Caller, project: str, sensor: Make, device: Device) -> Bench:
    """Three sensors in a running run."""
    sensors = [await sensor() for _ in range(3)]
    experiment = (await owner.post(f"/projects/{project}/experiments", {"name": "exactness"})).ok
    run = (await owner.post(f"/experiments/{experiment['id']}/runs", {"name": "one"})).ok
    assert (await owner.put(f"/runs/{run['id']}/sensors", {"sensors": [{"sensor_id": s["id"]} for s in sensors]})).ok
    assert (await owner.post(f"/runs/{run['id']}/start")).ok
    return Bench(owner, sensors, [device(s) for s in sensors], run)


async def now_us(db: Tx) -> int:
    """The database's clock."""
    return await db.fetchval("select (extract(epoch from clock_timestamp()) * 1000000)::bigint")


async def all_stored(bench: Bench, stored: Wait) -> None:
    """Wait until the stream holds nothing of the sensors that were heard."""
    for each in bench.sensors:
        if any(k[0] == each["id"] for k in bench.acknowledged):
            await stored(each)


async def test_borders_are_half_open_to_the_microsecond(bench: Bench, stored: Wait, db: Tx) -> None:
    capture_id = await bench.start()
    await bench.stop(capture_id)
    capture = (await bench.user.get(f"/captures/{capture_id}")).ok
    begin, end = micros(capture["started_at"]), micros(capture["stopped_at"])
    values = [0.1, -0.0, 5e-324, math.pi, 1.7976931348623157e308]
    times = [begin - 1, begin, begin + 1, end - 1, end]
    await bench.publish(0, list(zip(times, values, strict=True)))
    await all_stored(bench, stored)
    await bench.check(capture_id, db)
    assert len(await bench.exported(capture_id)) == 3
    assert (await bench.user.get(f"/captures/{capture_id}/ledger")).ok["late"] == 3


async def test_many_samples_while_start_and_stop_are_pressed(bench: Bench, stored: Wait, db: Tx) -> None:
    """Three devices publish as fast as they can while captures begin, overlap and end."""
    done = asyncio.Event()
    rng = random.Random(7)

    async def publish(which: int) -> None:
        while not done.is_set():
            base = time.time_ns() // 1000
            skew = rng.choice([0, 0, -250_000, 400_000])
            await bench.publish(
                which, [(base + skew + i * 997, rng.uniform(-9, 9)) for i in range(rng.randrange(1, 60))]
            )

    async with asyncio.TaskGroup() as group:
        for which in range(3):
            group.create_task(publish(which))
        for _ in range(6):
            first = await bench.start()
            await asyncio.sleep(rng.uniform(0.05, 0.3))
            second = await bench.start()
            await bench.stop(first)
            await asyncio.sleep(rng.uniform(0, 0.1))
            await bench.stop(second)
        done.set()
    await all_stored(bench, stored)
    for capture_id in bench.captures:
        await bench.check(capture_id, db)


Step = tuple[str, int, int, int]
steps = st.lists(
    st.one_of(
        st.tuples(st.just("start"), st.just(0), st.just(0), st.just(0)),
        st.tuples(st.just("stop"), st.integers(0, 3), st.just(0), st.just(0)),
        st.tuples(st.just("write"), st.integers(0, 2), st.integers(-800_000, 800_000), st.integers(1, 40)),
        st.tuples(st.just("again"), st.integers(0, 2), st.just(0), st.just(0)),
        st.tuples(st.just("wait"), st.integers(0, 60), st.just(0), st.just(0)),
    ),
    min_size=4,
    max_size=18,
)


@cases(10, in_search=100, suppress=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(script=steps)
async def test_any_interleaving(bench: Bench, stored: Wait, db: Tx, script: list[Step]) -> None:
    """Start, Stop, writes with skewed clocks, repeats and delays in any order: each capture is exact.

    Examples share the run; every example checks its own captures against the log of all.
    """
    mine: list[str] = []
    running: list[str] = []
    last: dict[int, list[tuple[int, float]]] = {}
    for action, which, skew_us, count in [*script, ("end", 0, 0, 0)]:
        match action:
            case "start":
                running.append(await bench.start())
                mine.append(running[-1])
            case "stop" if running:
                await bench.stop(running.pop(which % len(running)))
            case "write":
                base = await now_us(db) + skew_us
                last[which] = [(base + i * 333, float(i) + skew_us) for i in range(count)]
                await bench.publish(which, last[which])
            case "again" if which in last:
                await bench.publish(which, last[which])
            case "wait":
                await asyncio.sleep(which / 1000)
            case "end":
                for capture_id in running:
                    await bench.stop(capture_id)
            case _:
                pass
    await all_stored(bench, stored)
    for capture_id in mine:
        await bench.check(capture_id, db)


async def test_disorder_as_in_real_files(bench: Bench, stored: Wait, db: Tx) -> None:
    """A step back of 55 minutes and repeated times with other values: each (sensor, t, raw) once, repeats counted."""
    base = await now_us(db) - 7_200_000_000
    forward = [(base + i * 300_000_000, 70.0 + i) for i in range(20)]
    back = [(base + 9 * 300_000_000 + i * 300_000_000 - 3_300_000_001, 90.0 + i) for i in range(12)]
    repeated = [forward[3], (forward[3][0], 71.5), forward[5]]
    for part in (forward, back, repeated, back):
        await bench.publish(0, part)
        await asyncio.sleep(0.3)
    ledger = await stored(bench.sensors[0])
    sent = len(forward) + 2 * len(back) + len(repeated)
    unique = len(bench.acknowledged)
    assert (ledger["received"], ledger["stored"], ledger["duplicates"]) == (sent, unique, sent - unique)
    at_one_time = [k for k in bench.acknowledged if k[1] == forward[3][0]]
    assert len(at_one_time) == 2
    rows = await db.fetch("select timestamp, raw_value from telemetry_record")
    found = [key(bench.sensors[0]["id"], micros(r["timestamp"]), r["raw_value"]) for r in rows]
    assert sorted(found) == sorted(bench.acknowledged)
