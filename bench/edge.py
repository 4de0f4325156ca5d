"""The edge agent: from Mosquitto at QoS 1 through conversion and spool to a hub, and the memory that it takes."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID, uuid4

import aiohttp
import msgspec
import psutil

from bench import edge_consumer, edge_load, mosquitto
from bench.client import Client
from bench.edge_sink import Seen
from bench.figures import Figure, of_ratios, of_values
from bench.rig import Rig

RATE_UNIT: Final = "messages/s"
AGAINST: Final = "a bare aiomqtt consumer of the same session"
MEMORY_UNIT: Final = "MB RSS"
SENSORS: Final = 200
MESSAGES: Final = 20_000
ROUNDS: Final = 3
STEADY_S: Final = 12.0
STEADY_MESSAGES_S: Final = 1000.0
STEADY_SAMPLES: Final = 5  # a message, so that it is 5,000 samples/s
_TOKEN: Final = "etpe_bench under a green lamp"  # noqa: S105 - of a broker that lives for a minute
_TIMEOUT_S: Final = 120.0

Say = Callable[[str], None]


@dataclass(frozen=True)
class Place:
    """A rig with Mosquitto and a sink, an agent's session that takes messages, and sensors."""

    rig: Rig
    agent_id: UUID
    sensors: list[UUID]

    async def publish(self, messages: int, samples: int, per_s: float = 0.0) -> None:
        """Publish and return when everything is acknowledged."""
        plan = edge_load.Plan(self.rig.mqtt_port, self.sensors, messages, samples, per_s)
        await (await Client.prepare(self.rig, "bench.edge_load", plan)).go(edge_load.Report, timeout_s=_TIMEOUT_S)

    async def consume(self, messages: int) -> edge_consumer.Report:
        """Take messages with the bare consumer."""
        plan = edge_consumer.Plan(self.rig.mqtt_port, self.agent_id, _TOKEN, messages)
        client = await Client.prepare(self.rig, "bench.edge_consumer", plan)
        return await client.go(edge_consumer.Report, timeout_s=_TIMEOUT_S)

    @contextlib.asynccontextmanager
    async def agent(self) -> AsyncGenerator[psutil.Process]:
        """Run the edge agent."""
        env = {"ETP_EDGE_AGENT_ID": str(self.agent_id), "ETP_EDGE_TOKEN": _TOKEN}
        child = self.rig.start("edge", ["cli", "edge"], env)
        try:
            yield psutil.Process(child.pid)
        finally:
            await self.rig.stop("edge")

    async def seen(self, samples: int) -> Seen:
        """Wait until the sink has so many samples."""
        async with asyncio.timeout(_TIMEOUT_S), aiohttp.ClientSession() as session:
            while True:
                self.rig.check_alive()
                async with session.get(f"{self.rig.hub_url}/seen") as answer:
                    seen = msgspec.json.decode(await answer.read(), type=Seen)
                if seen.samples >= samples:
                    return seen
                await asyncio.sleep(0.05)

    async def forget(self) -> None:
        """Let the sink count from nought."""
        async with aiohttp.ClientSession() as session, session.delete(f"{self.rig.hub_url}/seen") as answer:
            await answer.read()


def cpu_s(process: psutil.Process) -> float:
    """Return the CPU seconds that a process has used so far."""
    times = process.cpu_times()
    return times.user + times.system


@contextlib.asynccontextmanager
async def _place() -> AsyncGenerator[Place]:
    agent_id, sensors = uuid4(), [uuid4() for _ in range(SENSORS)]
    async with Rig() as rig:
        await mosquitto.start(rig, agent_id, _TOKEN, sensors)
        rig.start("sink", ["bench.edge_sink", str(rig.http_port), str(agent_id), ",".join(map(str, sensors))])
        async with asyncio.timeout(_TIMEOUT_S):
            while not await mosquitto.listens(rig.http_port):
                rig.check_alive()
                await asyncio.sleep(0.05)
        place = Place(rig, agent_id, sensors)
        await place.consume(0)
        yield place


async def measure_rate(name: str, floor: float, say: Say) -> Figure:
    """Let agent and bare consumer in turn take what waits for them, and compare the rates round by round."""
    rates: list[float] = []
    ceilings: list[float] = []
    async with _place() as place:
        for number in range(1, ROUNDS + 1):
            await place.publish(MESSAGES, 1)
            bare = await place.consume(MESSAGES)
            await place.publish(MESSAGES, 1)
            async with place.agent() as process:
                first = await place.seen(1)
                used_s = cpu_s(process)
                seen = await place.seen(MESSAGES)
                cpu_us = (cpu_s(process) - used_s) / (seen.samples - first.samples) * 1e6
                memory = process.memory_info().rss / 1e6
            await place.forget()
            rate = (seen.samples - seen.of_first) / (seen.last_s - seen.first_s)
            rates.append(rate)
            ceilings.append(bare.per_s)
            say(
                f"{name} {number}/{ROUNDS}: {rate:,.0f} of {bare.per_s:,.0f} = {rate / bare.per_s:.2f}; "
                f"{cpu_us:.0f} and {bare.cpu_us:.0f} µs CPU a message, {memory:.0f} MB"
            )
    return of_ratios(name, rates, ceilings, unit=RATE_UNIT, against=AGAINST, floor=floor)


async def measure_memory(name: str, limit: float, say: Say) -> Figure:
    """Send 5,000 samples a second at a steady pace and take the most memory that the agent held."""
    async with _place() as place, place.agent() as process:
        held: list[float] = []
        messages = int(STEADY_S * STEADY_MESSAGES_S)
        publishing = asyncio.create_task(place.publish(messages, STEADY_SAMPLES, STEADY_MESSAGES_S))
        while not publishing.done():
            held.append(process.memory_info().rss / 1e6)
            await asyncio.sleep(0.05)
        await publishing
        seen = await place.seen(messages * STEADY_SAMPLES)
        rate = seen.samples / (seen.last_s - seen.first_s)
    say(f"{name}: {max(held):.0f} MB at most, {rate:,.0f} samples/s")
    return of_values(name, [max(held)], unit=MEMORY_UNIT, limit=limit)
