"""Sends messages at a steady pace and times each until its samples stand in a frame of the open WebSockets."""

import asyncio
import contextlib
import sys
import time
from collections import deque
from collections.abc import Sequence
from typing import Literal, Protocol
from uuid import UUID

import aiohttp
import aiomqtt
import msgspec
import numpy as np
import orjson
import uvloop

from bench.client import READY
from bench.http import Connection, post
from contract import frames, topics

_SPACING_US = 40_000
_CONNECTIONS = 32
_GREETINGS_AT_ONCE = 8
_ARRIVAL_TIMEOUT_S = 20.0
PERCENTILES = (50, 95, 99, 100)


class Pace(msgspec.Struct):
    """How often each sensor sends a message, and how many samples it holds."""

    messages_per_s: float
    samples: int


SLOW = Pace(messages_per_s=1.0, samples=25)
QUICK = Pace(messages_per_s=10.0, samples=10)


class Plan(msgspec.Struct):
    """What to send: each sensor at the slow pace, evenly spread, for some rounds after a warm-up.

    The first `quick` of the sensors send at the quick pace. Then these are shared out among the viewers, else all
    sensors are watched by each of them.
    """

    way: Literal["http", "mqtt"]
    http_port: int
    mqtt_port: int
    access_token: str
    agent_token: str
    sensors: list[UUID]
    sensor_tokens: list[str]
    warm_up_s: float
    round_s: float
    rounds: int
    viewers: int = 1
    quick: int = 0
    host: str = "127.0.0.1"


class Round(msgspec.Struct):
    """How long the messages of one round took to each of their viewers, in ms by percentile (100: the longest)."""

    seen: int
    took_ms: dict[int, float]


class Report(msgspec.Struct):
    """What came of it."""

    rounds: list[Round]


class Way(Protocol):
    """How a message leaves."""

    async def send(self, sensor: int, t: list[float], v: list[float]) -> None:
        """Send one message of the sensor with this place in the plan; returns when it is acknowledged."""
        ...


class OverHttp:
    """Each message is a request of the edge agent's token, on whichever connection is free."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._free: asyncio.Queue[Connection] = asyncio.Queue()

    async def open(self) -> None:
        """Connect."""
        for _ in range(_CONNECTIONS):
            self._free.put_nowait(await Connection.to(self._plan.host, self._plan.http_port))

    async def send(self, sensor: int, t: list[float], v: list[float]) -> None:
        """Post one message."""
        plan = self._plan
        body = orjson.dumps({"series": [{"sensor_id": str(plan.sensors[sensor]), "t": t, "v": v}]})
        connection = await self._free.get()
        answer = await connection.send(post("/telemetry", plan.host, plan.http_port, plan.agent_token, body))
        self._free.put_nowait(connection)
        if answer.status != 202:
            raise RuntimeError(f"the hub answered {answer.status}: {answer.body[:500].decode(errors='replace')}")


class OverMqtt:
    """Each sensor is a device with a connection of its own and publishes with QoS 1."""

    def __init__(self, plan: Plan, stack: contextlib.AsyncExitStack) -> None:
        self._plan = plan
        self._stack = stack
        self._devices: list[aiomqtt.Client] = []

    async def open(self) -> None:
        """Connect every device, a few at a time."""
        greeting = asyncio.Semaphore(_GREETINGS_AT_ONCE)

        async def connect(device: aiomqtt.Client) -> None:
            async with greeting:
                await self._stack.enter_async_context(device)

        for sensor, token in zip(self._plan.sensors, self._plan.sensor_tokens, strict=True):
            device = aiomqtt.Client(
                self._plan.host,
                self._plan.mqtt_port,
                username=str(sensor),
                password=token,
                identifier=f"{sensor}-bench",
                timeout=30,
            )
            self._devices.append(device)
        await asyncio.gather(*(connect(device) for device in self._devices))

    async def send(self, sensor: int, t: list[float], v: list[float]) -> None:
        """Publish one message."""
        body = orjson.dumps({"samples": [{"t": at, "v": value} for at, value in zip(t, v, strict=True)]})
        await self._devices[sensor].publish(topics.telemetry(self._plan.sensors[sensor]), body, qos=1)


class Sight:
    """Notes when the last sample of each message comes into the sight of each of its viewers."""

    def __init__(self, viewers: int) -> None:
        self._viewers = viewers
        self._awaited: dict[tuple[bytes, int], tuple[float, int]] = {}
        self.delays_s: list[float] = []

    @property
    def awaited(self) -> int:
        """How many messages were not seen by all their viewers yet."""
        return len(self._awaited)

    def expect(self, sensor: UUID, t_us: int) -> None:
        """Note that a message leaves now."""
        self._awaited[sensor.bytes, t_us] = (time.perf_counter(), self._viewers)

    def forget(self) -> None:
        """Await nothing, and begin a new round."""
        self._awaited.clear()
        self.delays_s.clear()

    async def watch(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Read a viewer's frames until the socket closes."""
        async for message in socket:
            if message.type is not aiohttp.WSMsgType.BINARY:
                raise RuntimeError(f"the hub said: {message.data}")
            now = time.perf_counter()
            for series in frames.decode(message.data).series:
                sensor = series.sensor_id.bytes
                for t_us in np.rint(series.t * 1e6).astype(np.int64).tolist():
                    if (waiting := self._awaited.get((sensor, t_us))) is None:
                        continue
                    sent, left = waiting
                    self.delays_s.append(now - sent)
                    if left == 1:
                        del self._awaited[sensor, t_us]
                    else:
                        self._awaited[sensor, t_us] = (sent, left - 1)


class Sender:
    """Sends messages of some of the plan's sensors at their due times, whatever became of those before."""

    def __init__(self, plan: Plan, way: Way, sensors: Sequence[int], pace: Pace, sight: Sight | None) -> None:
        self._plan = plan
        self._way = way
        self._sensors = sensors
        self._pace = pace
        self._sight = sight
        self._last_t_us = 0
        self._faults: deque[BaseException] = deque()
        self._open: set[asyncio.Task[None]] = set()

    async def reach(self, sight: Sight) -> None:
        """Send single messages until one comes into sight: an edge agent may still be on its way to the broker."""
        async with asyncio.timeout(_ARRIVAL_TIMEOUT_S):
            while not sight.delays_s:
                self.start(self._sensors[0])
                await asyncio.sleep(0.2)
        await asyncio.gather(*self._open)
        sight.forget()

    async def run(self, seconds: float) -> None:
        """Send for so long, then wait until everything has come into sight; raises what any message met."""
        a_second = len(self._sensors) * self._pace.messages_per_s
        began = time.perf_counter()
        for number in range(round(seconds * a_second)):
            await asyncio.sleep(began + number / a_second - time.perf_counter())
            self.start(self._sensors[number % len(self._sensors)])
        deadline = time.perf_counter() + _ARRIVAL_TIMEOUT_S
        while self._open or (self._sight is not None and self._sight.awaited):
            if self._faults:
                raise self._faults[0]
            if time.perf_counter() > deadline:
                raise TimeoutError("there are messages that never came into sight")
            await asyncio.sleep(0.01)

    def start(self, sensor: int) -> None:
        """Send a message now, without waiting for it."""
        # Each message has a last time of its own, by which it is recognised.
        self._last_t_us = max(self._last_t_us + 1, time.time_ns() // 1000)
        count = self._pace.samples
        t_us = self._last_t_us - np.arange(count - 1, -1, -1) * _SPACING_US
        if self._sight is not None:
            self._sight.expect(self._plan.sensors[sensor], self._last_t_us)
        values = [float(number) for number in range(count)]
        task = asyncio.create_task(self._way.send(sensor, (t_us / 1e6).tolist(), values))
        self._open.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._open.discard(task)
        if not task.cancelled() and (fault := task.exception()) is not None:
            self._faults.append(fault)


async def _socket(
    plan: Plan, session: aiohttp.ClientSession, sensors: Sequence[UUID]
) -> aiohttp.ClientWebSocketResponse:
    socket = await session.ws_connect(f"http://{plan.host}:{plan.http_port}/api/v1/live", max_msg_size=0)
    await socket.send_json({"op": "auth", "access_token": plan.access_token})
    await socket.receive_json()
    wanted = [str(sensor) for sensor in sensors]
    await socket.send_json({"op": "subscribe", "sensors": wanted, "encoding": "binary"})
    said = await socket.receive_json()
    if said.get("op") != "subscribed" or len(said["sensors"]) != len(wanted):
        raise RuntimeError(f"the hub said: {said}")
    return socket


def _senders(plan: Plan, way: Way, sight: Sight) -> list[Sender]:
    """Return who sends; the first of them is watched."""
    everybody = range(len(plan.sensors))
    if not plan.quick:
        return [Sender(plan, way, everybody, SLOW, sight)]
    quick, others = everybody[: plan.quick], everybody[plan.quick :]
    return [Sender(plan, way, quick, QUICK, sight), Sender(plan, way, others, SLOW, None)]


async def run(plan: Plan) -> Report:
    """Open everything, wait for the word, run the rounds and report."""
    async with contextlib.AsyncExitStack() as stack:
        way = OverHttp(plan) if plan.way == "http" else OverMqtt(plan, stack)
        await way.open()
        session = await stack.enter_async_context(
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=plan.viewers))
        )
        watched = [plan.sensors[place : place + 1] for place in range(plan.quick)] or [plan.sensors]
        sight = Sight(plan.viewers // len(watched))
        watching = [
            asyncio.create_task(sight.watch(await _socket(plan, session, watched[number % len(watched)])))
            for number in range(plan.viewers)
        ]
        senders = _senders(plan, way, sight)
        print(READY, flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        await senders[0].reach(sight)
        await asyncio.gather(*(sender.run(plan.warm_up_s) for sender in senders))
        rounds: list[Round] = []
        for _ in range(plan.rounds):
            sight.forget()
            await asyncio.gather(*(sender.run(plan.round_s) for sender in senders))
            took_s = dict(zip(PERCENTILES, np.percentile(sight.delays_s, PERCENTILES).tolist(), strict=True))
            rounds.append(Round(len(sight.delays_s), {percent: took * 1000 for percent, took in took_s.items()}))
        for one in watching:
            one.cancel()
    return Report(rounds)


if __name__ == "__main__":
    report = uvloop.run(run(msgspec.json.decode(sys.stdin.readline(), type=Plan)))
    print(msgspec.json.encode(report).decode(), flush=True)
