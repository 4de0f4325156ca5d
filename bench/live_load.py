"""Sends messages at a steady pace and times each until its samples stand in a frame of an open WebSocket."""

import asyncio
import contextlib
import sys
import time
from collections import deque
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

SAMPLES_PER_MESSAGE = 25
_SPACING_US = 40_000
_CONNECTIONS = 32
_GREETINGS_AT_ONCE = 8
_ARRIVAL_TIMEOUT_S = 20.0


class Plan(msgspec.Struct):
    """What to send: each sensor a message of 25 samples a second, evenly spread, for some rounds after a warm-up."""

    way: Literal["http", "mqtt"]
    http_port: int
    mqtt_port: int
    email: str
    password: str
    agent_token: str
    sensors: list[UUID]
    sensor_tokens: list[str]
    warm_up_s: float
    round_s: float
    rounds: int
    host: str = "127.0.0.1"


class Round(msgspec.Struct):
    """How long the messages of one round took, in ms."""

    messages: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    worst_ms: float


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
    """Watches all sensors over a WebSocket and notes when the last sample of each message comes into sight."""

    def __init__(self) -> None:
        self.awaited: dict[tuple[bytes, int], float] = {}
        self.delays_s: list[float] = []

    async def watch(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Read frames until the socket closes."""
        async for message in socket:
            if message.type is not aiohttp.WSMsgType.BINARY:
                raise RuntimeError(f"the hub said: {message.data}")
            now = time.perf_counter()
            for series in frames.decode(message.data).series:
                sensor = series.sensor_id.bytes
                for t_us in np.rint(series.t * 1e6).astype(np.int64).tolist():
                    sent = self.awaited.pop((sensor, t_us), None)
                    if sent is not None:
                        self.delays_s.append(now - sent)


class Sender:
    """Sends messages at their due times, whatever became of those before."""

    def __init__(self, plan: Plan, way: Way, sight: Sight) -> None:
        self._plan = plan
        self._way = way
        self._sight = sight
        self._last_t_us = 0
        self._faults: deque[BaseException] = deque()
        self._open: set[asyncio.Task[None]] = set()

    async def reach(self) -> None:
        """Send single messages until one comes into sight: an edge agent may still be on its way to the broker."""
        async with asyncio.timeout(_ARRIVAL_TIMEOUT_S):
            while not self._sight.delays_s:
                self.start(0)
                await asyncio.sleep(0.2)
        await asyncio.gather(*self._open)
        self._sight.awaited.clear()

    async def run(self, seconds: float) -> None:
        """Send for so long, then wait until everything has come into sight; raises what any message met."""
        sensors = len(self._plan.sensors)
        began = time.perf_counter()
        for number in range(round(seconds * sensors)):
            await asyncio.sleep(began + number / sensors - time.perf_counter())
            self.start(number % sensors)
        deadline = time.perf_counter() + _ARRIVAL_TIMEOUT_S
        while self._open or self._sight.awaited:
            if self._faults:
                raise self._faults[0]
            if time.perf_counter() > deadline:
                raise TimeoutError(f"{len(self._sight.awaited)} messages never came into sight")
            await asyncio.sleep(0.01)

    def start(self, sensor: int) -> None:
        """Send a message now, without waiting for it."""
        # Each message has a last time of its own, by which it is recognised.
        self._last_t_us = max(self._last_t_us + 1, time.time_ns() // 1000)
        t_us = self._last_t_us - np.arange(SAMPLES_PER_MESSAGE - 1, -1, -1) * _SPACING_US
        self._sight.awaited[self._plan.sensors[sensor].bytes, self._last_t_us] = time.perf_counter()
        values = [float(number) for number in range(SAMPLES_PER_MESSAGE)]
        task = asyncio.create_task(self._way.send(sensor, (t_us / 1e6).tolist(), values))
        self._open.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._open.discard(task)
        if not task.cancelled() and (fault := task.exception()) is not None:
            self._faults.append(fault)


async def _socket(plan: Plan, session: aiohttp.ClientSession) -> aiohttp.ClientWebSocketResponse:
    api = f"http://{plan.host}:{plan.http_port}/api/v1"
    async with session.post(f"{api}/auth/login", json={"email": plan.email, "password": plan.password}) as answer:
        token = (await answer.json())["access_token"]
    socket = await session.ws_connect(f"{api}/live", max_msg_size=0)
    await socket.send_json({"op": "auth", "access_token": token})
    await socket.receive_json()
    wanted = [str(sensor) for sensor in plan.sensors]
    await socket.send_json({"op": "subscribe", "sensors": wanted, "encoding": "binary"})
    said = await socket.receive_json()
    if said.get("op") != "subscribed" or len(said["sensors"]) != len(wanted):
        raise RuntimeError(f"the hub said: {said}")
    return socket


async def run(plan: Plan) -> Report:
    """Open everything, wait for the word, run the rounds and report."""
    async with contextlib.AsyncExitStack() as stack:
        way = OverHttp(plan) if plan.way == "http" else OverMqtt(plan, stack)
        await way.open()
        session = await stack.enter_async_context(aiohttp.ClientSession())
        sight = Sight()
        watching = asyncio.create_task(sight.watch(await _socket(plan, session)))
        sender = Sender(plan, way, sight)
        print(READY, flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        await sender.reach()
        await sender.run(plan.warm_up_s)
        rounds: list[Round] = []
        for _ in range(plan.rounds):
            sight.delays_s.clear()
            await sender.run(plan.round_s)
            p50, p95, p99, worst = (float(p) * 1000 for p in np.percentile(sight.delays_s, [50, 95, 99, 100]))
            rounds.append(Round(len(sight.delays_s), p50, p95, p99, worst))
        watching.cancel()
    return Report(rounds)


if __name__ == "__main__":
    report = uvloop.run(run(msgspec.json.decode(sys.stdin.readline(), type=Plan)))
    print(msgspec.json.encode(report).decode(), flush=True)
