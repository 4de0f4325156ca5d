"""Whatever befalls agent, hub and the way between them: every acknowledged sample arrives once, and in order."""

import asyncio
import random
from collections import Counter, defaultdict
from uuid import uuid4

import aiomqtt
import pytest
from aiohttp import web

from tests.acceptance.journal import seeded
from tests.edge.parts import SENSOR_TOKEN, Device, eventually

T = 1732348800
SENSORS = 4
REFUSALS = [(503, "0"), (429, "0.05"), (429, None), (500, None), (401, None), (404, None)]


class Fate:
    """What the hub and the network do to each request, half of them to their harm."""

    def __init__(self, hub, rng):
        self._rng = rng
        self.kind = True
        hub.answer = self.answer
        hub.after = self.after

    def answer(self, batch):
        """Refuse a batch, or give a receipt for another."""
        if self.kind or self._rng.random() < 0.5:
            return None
        if self._rng.random() < 0.2:
            return web.json_response({"batch_id": "another"}, status=202)
        status, retry_after = self._rng.choice(REFUSALS)
        return web.Response(status=status, headers={} if retry_after is None else {"Retry-After": retry_after})

    def after(self, request):
        """Lose the answer about a batch that was taken."""
        if not self.kind and self._rng.random() < 0.3:
            request.transport.abort()


@pytest.fixture
async def devices(broker):
    """Several sensors."""
    clients = []
    for _ in range(SENSORS):
        sensor_id = uuid4()
        await broker.admit("sensor", sensor_id)
        identity = str(sensor_id)
        client = aiomqtt.Client("127.0.0.1", broker.port, username=identity, password=SENSOR_TOKEN, identifier=identity)
        client.pending_calls_threshold = 10_000
        clients.append(Device(await client.__aenter__(), sensor_id))
    yield clients
    for device in clients:
        await device._client.__aexit__(None, None, None)


def arrivals(hub):
    """Return each sensor's samples as the hub first saw them, and how often each stands in different batches."""
    order, count = defaultdict(dict), Counter()
    for series in hub.taken.values():
        for part in series:
            for t, v in zip(part["t"], part["v"], strict=True):
                order[part["sensor_id"]].setdefault((t, v), None)
                count[part["sensor_id"], t, v] += 1
    return {sensor: list(samples) for sensor, samples in order.items()}, count


async def stream(device, rng, stopping):
    at = 0
    while not stopping.is_set():
        await device.send([(T + at + i / 8, at + i) for i in range(rng.randint(1, 3))], seq=at)
        at += 3
        await asyncio.sleep(rng.uniform(0, 0.02))


async def everything_arrives(hub, devices):
    def there():
        order, _ = arrivals(hub)
        return all(set(device.acknowledged) <= set(order.get(str(device.sensor_id), ())) for device in devices)

    await eventually(there, "every acknowledged sample", 30)
    contents = defaultdict(set)
    for batch_id, content in hub.batches:
        contents[batch_id].add(content)
    assert all(len(seen) == 1 for seen in contents.values())
    order, _ = arrivals(hub)
    for device in devices:
        assert order[str(device.sensor_id)] == sorted(device.acknowledged)


async def test_refusals_and_lost_answers_repeat_batches_but_no_sample(hub, agent, devices):
    seed, _ = seeded()
    rng, stopping = random.Random(seed), asyncio.Event()
    fate = Fate(hub, rng)
    async with agent.running(edge_batch_samples=20):
        fate.kind = False
        async with asyncio.TaskGroup() as tasks:
            for device in devices:
                tasks.create_task(stream(device, rng, stopping))
            await asyncio.sleep(2.0)
            stopping.set()
        fate.kind = True
        await everything_arrives(hub, devices)
        await eventually(lambda: agent.shows("waiting", 0), "an empty spool")
    assert len(hub.batches) > len(hub.taken) + 5
    assert set(arrivals(hub)[1].values()) == {1}


@pytest.mark.slow
async def test_kills_at_any_moment_cost_nothing(hub, agent, devices):
    seed, _ = seeded()
    rng, stopping = random.Random(seed), asyncio.Event()
    fate = Fate(hub, rng)
    process = await agent.start()
    fate.kind = False
    async with asyncio.TaskGroup() as tasks:
        for device in devices:
            tasks.create_task(stream(device, rng, stopping))
        for _ in range(3):
            await asyncio.sleep(rng.uniform(0.1, 0.8))
            process.kill()
            await process.wait()
            process = await agent.start()
        stopping.set()
    fate.kind = True
    await everything_arrives(hub, devices)
