"""The way through broker and edge agent: what comes late, in disorder, and what a killed broker may lose."""

import asyncio
import struct
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import UUID

import numpy as np
import orjson
import pytest
from numpy.typing import NDArray

from broker.connections import WINDOW
from dev.ports import free_port
from firmware_sim.device import Identity
from firmware_sim.export_check import read_export, to_us
from tests.acceptance.gate import Gate
from tests.acceptance.journal import Journal, Sample, say, seeded
from tests.acceptance.load import Stream, over_broker
from tests.acceptance.system import LINEAR, Bench, System, eventually
from tests.services import run

pytestmark = pytest.mark.slow

SENSORS = 20
I64, F64 = NDArray[np.int64], NDArray[np.float64]


class Shared:
    """A running system whose edge agent reaches the hub through a gate of the test's own."""

    def __init__(self, folder: Path) -> None:
        self.system = System(folder)
        self.gate_port = free_port()
        self.bench: Bench

    async def start(self) -> None:
        await self.system.start()
        await self.system.start_broker()
        self.bench = await self.system.bench("edge", SENSORS, LINEAR)
        gate = f"http://127.0.0.1:{self.gate_port}"
        await self.system.start_edge(self.bench.agent, ETP_HUB_URL=gate, ETP_EDGE_BACKOFF_MAX_S="0.5")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    started = Shared(tmp_path_factory.mktemp("edge"))
    try:
        run(started.start())
        yield started
    finally:
        run(started.system.stop())


@pytest.fixture
def system(shared: Shared) -> System:
    return shared.system


@pytest.fixture
async def gate(shared: Shared) -> AsyncIterator[Gate]:
    """The open gate between edge agent and hub."""
    gate = Gate(shared.gate_port, shared.system.http_port)
    await gate.open()
    yield gate
    await gate.shut()


@pytest.fixture
async def sensors(system: System, shared: Shared, request: pytest.FixtureRequest) -> list[Identity]:
    """Sensors of this test's own."""
    return await system.register(shared.bench.project_id, request.node.name, 4, LINEAR)


async def arrived(system: System, sensors: list[Identity], received: int) -> dict[str, dict[str, int]]:
    """Wait until this many samples of some sensors are booked and none is pending; returns the ledgers."""
    found: dict[str, dict[str, int]] = {}

    async def booked() -> bool:
        found.update(await system.ledgers([sensor.sensor_id for sensor in sensors]))
        pending = any(ledger["pending"] for ledger in found.values())
        return not pending and sum(ledger["received"] for ledger in found.values()) >= received

    await eventually(booked, 60)
    return found


async def stored_of(system: System, sensors: list[Identity]) -> list[Sample]:
    """Read what the table holds of some sensors."""
    mine = {str(sensor.sensor_id) for sensor in sensors}
    return [sample for sample in await system.stored() if sample[0] in mine]


class TestLate:
    async def test_what_was_taken_during_a_capture_belongs_to_it_whenever_it_comes(
        self, system: System, shared: Shared, gate: Gate, sensors: list[Identity], tmp_path: Path
    ) -> None:
        seed, _ = seeded()
        journal = Journal()
        streams = [Stream(sensor, journal, seed + i) for i, sensor in enumerate(sensors)]
        async with system.owner() as hub:
            experiment = await hub.experiment(shared.bench.project_id, "late")
            run_id = (await hub.new_run(experiment.id, name="cut off")).id
            await hub.begin_run(run_id, [sensor.sensor_id for sensor in sensors])
            async with over_broker(streams, system.mqtt_port, every_s=0.1):
                await arrived(system, sensors, 100)
                capture = await hub.start_capture(run_id)
                await asyncio.sleep(1.0)
                say("edge agent cut off")
                await gate.shut()
                await asyncio.sleep(2.0)
                capture = await hub.stop_capture(capture.id)
                await asyncio.sleep(1.0)
            start, stop = (to_us(at) for at in (capture.started_at, capture.stopped_at) if at is not None)
            inside = {sample for sample in journal.acknowledged() if start <= sample[1] < stop}
            before = set(await stored_of(system, sensors)) & inside
            await system.drained()
            say(f"gate opened, {len(before)} of {len(inside)} are there")
            await gate.open()
            await arrived(system, sensors, journal.acknowledged_count)
            ledger = orjson.loads(await hub.ask("GET", f"/captures/{capture.id}/ledger"))
            await hub.export_csv(capture.id, tmp_path / "capture.csv")
        assert len(inside) - len(before) > 100
        assert (ledger["stored"], ledger["late"]) == (len(inside), len(inside) - len(before))
        exported = read_export(tmp_path / "capture.csv")
        assert exported == {(UUID(sensor), t_us, struct.pack("<q", bits)): 1 for sensor, t_us, bits in inside}
        assert Counter(await stored_of(system, sensors)) == Counter(journal.acknowledged())


class TestDisorder:
    async def test_steps_back_and_repeated_times_keep_every_value_once(
        self, system: System, gate: Gate, sensors: list[Identity]
    ) -> None:
        seed, _ = seeded()
        rng = np.random.default_rng(seed)
        journal = Journal()
        streams = [Stream(sensor, journal, seed) for sensor in sensors]
        async with over_broker(streams, system.mqtt_port, streaming=False):
            files = [disorder(time.time_ns() // 1000 - 60_000_000, rng) for _ in streams]
            for stream, (first, *_) in zip(streams, files, strict=True):
                await stream.publish(*first)
            await arrived(system, sensors, 50 * len(sensors))
            for stream, (_, *others) in zip(streams, files, strict=True):
                for t_us, v in others:
                    await stream.publish(t_us, v)
        sent = Counter(sample for packet in journal.packets.values() for sample in packet.samples())
        ledgers = await arrived(system, sensors, sent.total())
        assert Counter(await stored_of(system, sensors)) == Counter(set(sent))
        for sensor, ledger in ledgers.items():
            mine = {sample: n for sample, n in sent.items() if sample[0] == sensor}
            assert len({t_us for _, t_us, _ in mine}) < len(mine) < sum(mine.values())
            assert (ledger["received"], ledger["stored"]) == (sum(mine.values()), len(mine))
            assert (ledger["duplicates"], ledger["rejected"]) == (sum(mine.values()) - len(mine), 0)
            assert ledger["gaps"] == 0


def disorder(begin_us: int, rng: np.random.Generator) -> list[tuple[I64, F64]]:
    """Make packets as real files would: the first in order, then steps back, times repeated with values old and new."""
    t_us, v = begin_us + np.arange(50) * 100_000, rng.standard_normal(50)
    back = t_us[30:], rng.standard_normal(20)  # the clock was set back: the same times with other values
    again = t_us[10:20], v[10:20]  # a repeat, under a new packet number
    newer = begin_us + 5_000_000 + np.arange(10) * 100_000
    unsorted = newer[rng.permutation(10)], rng.standard_normal(10)
    # Two values at one time and true repeats in one packet; 0.0 and -0.0 are two values.
    twice = np.repeat(t_us[5:8], 3), np.array([0.0, -0.0, 0.0, 1.5, 2.5, 1.5, 7.0, 7.0, 7.0])
    return [(t_us, v), back, again, unsorted, twice]


async def test_a_killed_broker_loses_only_what_it_alone_held_and_every_loss_is_a_gap(
    system: System, gate: Gate, shared: Shared
) -> None:
    """The broker acknowledges before the edge agent has a message; what it holds in memory dies with it.

    So a kill may lose what the broker had acknowledged and the agent had not spooled. The agent stands still for a
    while before it, for more messages than the broker sends ahead, so that there is such. Everything else arrives, and
    packet numbers show what does not.
    """
    seed, rng = seeded()
    journal = Journal()
    streams = [Stream(sensor, journal, seed + i) for i, sensor in enumerate(shared.bench.sensors)]

    async def acknowledged(packets: int) -> None:
        """Wait for so many more packets."""

        def count() -> int:
            return sum(packet.acknowledged for packet in journal.packets.values())

        wanted = count() + packets

        async def reached() -> bool:
            return count() >= wanted

        await eventually(reached, 60)

    async def last_ones_are_there() -> bool:
        # A sensor's packets keep their order: after its last one none is still on its way.
        rows = await system.fetch(
            "select id::text, upper(seen) from sensor_packets join sensor on no = sensor_no where id = any ($1)",
            [sensor.sensor_id for sensor in shared.bench.sensors],
        )
        return dict(map(tuple, rows)) == Counter(packet.sensor for packet in journal.packets.values())

    async with over_broker(streams, system.mqtt_port, every_s=0.05):
        await acknowledged(200)
        system.pause("edge")
        await acknowledged(WINDOW + rng.randint(100, 300))
        say("kill broker")
        await system.kill("broker")
        system.resume("edge")
        await asyncio.sleep(rng.uniform(0.1, 1.0))
        await system.again("broker")
        await acknowledged(1000)
    await eventually(last_ones_are_there, 60)
    stored = await stored_of(system, shared.bench.sensors)
    assert len(stored) == len(set(stored))
    assert set(stored) <= journal.sent()
    gaps = journal.gaps(set(stored))
    lost = journal.acknowledged() - set(stored)
    assert {sensor for sensor, _, _ in lost} == {sensor for sensor, missing in gaps.items() if missing}
    assert sum(gaps.values()) == sum(not set(packet.samples()) <= set(stored) for packet in journal.packets.values())
    assert lost
    ledgers = await arrived(system, shared.bench.sensors, len(stored))
    assert {sensor: ledger["gaps"] for sensor, ledger in ledgers.items()} == gaps
    assert all(ledger["received"] == ledger["stored"] + ledger["duplicates"] for ledger in ledgers.values())
