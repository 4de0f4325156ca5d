import asyncio
import time
from uuid import UUID, uuid4

import aiomqtt
import numpy as np
import pytest

from contract import packets, topics
from dev.process import until
from firmware_sim.device import MAX_SAMPLES, Device, Identity
from firmware_sim.faults import FaultPlan
from firmware_sim.fleet import MAX_DEVICES, Fleet, FleetTooLarge, over_mqtt
from firmware_sim.mqtt_link import MqttLink
from firmware_sim.outbox import Outbox, Packet

NOW_US = time.time_ns() // 1000


def identity(name: str = "s") -> Identity:
    return Identity(uuid4(), name, "token")


def packet(seq: int) -> Packet:
    return Packet(seq, np.array([seq], dtype=np.int64), np.array([1.0]), b"{}")


async def send(device: Device, count: int, first: int = 0) -> None:
    for i in range(first, first + count):
        await device.send(np.array([NOW_US + i], dtype=np.int64), np.array([i / 7]))


class TestOutbox:
    async def test_unacknowledged_packets_come_again_in_order(self):
        box = Outbox(10, "wait")
        for seq in range(4):
            await box.put(packet(seq))
        first, second = await box.take(), await box.take()
        await box.acknowledge(second[0])
        box.rewind()
        again = [(await box.take())[1].seq for _ in range(3)]
        assert again == [first[1].seq, 2, 3]

    async def test_full_waits(self):
        box = Outbox(2, "wait")
        await box.put(packet(0))
        await box.put(packet(1))
        third = asyncio.create_task(box.put(packet(2)))
        await asyncio.sleep(0)
        assert not third.done()
        ticket, _ = await box.take()
        assert not third.done()
        await box.acknowledge(ticket)
        await third
        assert len(box) == 2

    async def test_full_drops_the_oldest_that_is_not_on_its_way(self):
        box = Outbox(2, "drop_oldest")
        await box.put(packet(0))
        await box.take()
        for seq in (1, 2, 3):
            await box.put(packet(seq))
        assert box.overflowed == 2
        assert (await box.take())[1].seq == 3

    async def test_empty_waits_for_the_last_acknowledgement(self):
        box = Outbox(2, "wait")
        await box.put(packet(0))
        ticket, _ = await box.take()
        waiting = asyncio.create_task(box.empty())
        await asyncio.sleep(0)
        assert not waiting.done()
        await box.acknowledge(ticket)
        await waiting


class TestPackets:
    async def test_the_body_reads_back_to_the_same_bits(self):
        rng = np.random.default_rng(3)
        v = np.concatenate([rng.standard_normal(500) * 10.0 ** rng.integers(-300, 300, 500), [0.1, -0.0, 5e-324]])
        t_us = NOW_US + np.cumsum(rng.integers(0, 2_000_000, v.size))
        device = Device(identity(), boot="a3")
        await device.send(t_us, v)
        _, sent = await device.outbox.take()
        read = packets.decode(sent.body)
        assert read.rejects == []
        series = read.series[0]
        assert (series.sensor_id, series.seq, series.boot) == (device.identity.sensor_id, 0, "a3")
        assert series.t_us.tolist() == t_us.tolist()
        assert series.raw.tobytes() == v.tobytes()

    async def test_packets_are_numbered_and_never_too_large(self):
        device = Device(identity())
        await device.send(NOW_US + np.arange(2 * MAX_SAMPLES + 1), np.zeros(2 * MAX_SAMPLES + 1))
        taken = [(await device.outbox.take())[1] for _ in range(3)]
        assert [(p.seq, p.t_us.size) for p in taken] == [(0, MAX_SAMPLES), (1, MAX_SAMPLES), (2, 1)]
        assert device.counts.made == 2 * MAX_SAMPLES + 1

    async def test_a_dropped_packet_leaves_a_gap_in_the_numbers(self):
        device = Device(identity(), faults=FaultPlan(drop=0.3), seed=1, outbox_limit=1000)
        await send(device, 100)
        numbers = [(await device.outbox.take())[1].seq for _ in range(len(device.outbox))]
        assert numbers == sorted(numbers)
        assert len(numbers) == 100 - device.faults.dropped < 90

    async def test_a_wrong_clock_shows_in_the_packets(self):
        device = Device(identity(), faults=FaultPlan(clock_offset_s=-3.0))
        await device.send(np.array([NOW_US], dtype=np.int64), np.array([1.0]))
        _, sent = await device.outbox.take()
        assert packets.decode(sent.body).series[0].t_us.tolist() == [NOW_US - 3_000_000]


class TestMqtt:
    async def test_a_fleet_delivers_every_packet_once_and_in_order(self, broker_port, listener):
        devices = [Device(identity(f"s{i}")) for i in range(5)]
        fleet = over_mqtt(devices, "127.0.0.1", broker_port)
        async with fleet.running():
            await asyncio.gather(*(send(d, 40) for d in devices))
            assert await fleet.drained(20)
            assert fleet.problems == {}
        await listener.until(lambda: len(listener.heard) >= 200)
        for device in devices:
            mine = [body for sensor, body in listener.heard if sensor == str(device.identity.sensor_id)]
            assert [body["seq"] for body in mine] == list(range(40))
            assert {body["boot"] for body in mine} == {device.boot}
            assert (device.counts.sent, device.counts.acknowledged) == (40, 40)

    async def test_lost_acknowledgements_and_connections_lose_nothing(self, cutter, listener):
        cut, port = cutter
        cut.cut_after = 1500
        device = Device(identity(), outbox_limit=100, when_full="wait")
        link = MqttLink(device, "127.0.0.1", port)
        async with Fleet([link]).running():
            await send(device, 60)
            await listener.until(lambda: cut.cuts >= 3)
            assert device.counts.acknowledged == 0
            cut.cut_after = None
            async with asyncio.timeout(20):
                await device.outbox.empty()
        await listener.until(lambda: {body["seq"] for _, body in listener.heard} == set(range(60)))
        assert device.counts.acknowledged == 60
        assert link.connections > cut.cuts
        values = {body["seq"]: body["series"][0]["v"] for _, body in listener.heard}
        assert values == {i: [i / 7] for i in range(60)}

    async def test_nobody_there_is_said_and_tried_again(self, free_port):
        fleet = over_mqtt([Device(identity())], "127.0.0.1", free_port)
        async with fleet.running():
            assert await until(lambda: any("cannot be reached" in problem for problem in fleet.problems), 10)
            await send(fleet.devices[0], 1)
            assert not await fleet.drained(0.1)

    async def test_an_idle_device_gives_signs_of_life(self, broker_port):
        device = Device(identity(), heartbeat_s=0.02)
        async with aiomqtt.Client("127.0.0.1", broker_port) as client:
            await client.subscribe(topics.HEARTBEAT_FILTER, qos=1)
            async with over_mqtt([device], "127.0.0.1", broker_port).running(), asyncio.timeout(10):
                heard = [str((await anext(client.messages)).topic) for _ in range(3)]
        assert heard == [topics.heartbeat(device.identity.sensor_id)] * 3

    async def test_acknowledged_packets_are_told_once(self, broker_port):
        told: list[tuple[UUID, int]] = []
        device = Device(
            identity(),
            faults=FaultPlan(duplicate=1.0),
            on_acknowledged=lambda who, p: told.append((who.sensor_id, p.seq)),
        )
        fleet = over_mqtt([device], "127.0.0.1", broker_port)
        async with fleet.running():
            await send(device, 10)
            assert await fleet.drained(20)
        assert told == [(device.identity.sensor_id, i) for i in range(10)]
        assert device.counts.acknowledged == 10


def test_a_fleet_is_bounded():
    with pytest.raises(FleetTooLarge, match="several processes"):
        Fleet([None] * (MAX_DEVICES + 1))  # type: ignore[list-item]
