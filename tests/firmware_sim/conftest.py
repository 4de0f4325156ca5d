"""A bare broker for device tests (anyone may publish), and a proxy that cuts connections."""

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator

import aiomqtt
import pytest
from amqtt.broker import Broker

from contract import topics


@pytest.fixture
async def broker_port(free_port: int) -> AsyncIterator[int]:
    for name in ("amqtt", "transitions"):
        logging.getLogger(name).setLevel(logging.ERROR)
    broker = Broker(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{free_port}"}},
            "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
        }
    )
    await broker.start()
    yield free_port
    await broker.shutdown()


class Listener:
    """What arrived at the broker, in order: (sensor id, decoded body)."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, dict]] = []
        self._grown = asyncio.Condition()

    async def listen(self, port: int, ready: asyncio.Event) -> None:
        async with aiomqtt.Client("127.0.0.1", port) as client:
            await client.subscribe(topics.TELEMETRY_FILTER, qos=1)
            ready.set()
            async for message in client.messages:
                async with self._grown:
                    self.heard.append((message.topic.value.rpartition("/")[2], json.loads(message.payload)))
                    self._grown.notify_all()

    async def until(self, enough) -> None:
        async with asyncio.timeout(20), self._grown:
            await self._grown.wait_for(enough)


@pytest.fixture
async def listener(broker_port: int) -> AsyncIterator[Listener]:
    listening, ready = Listener(), asyncio.Event()
    task = asyncio.create_task(listening.listen(broker_port, ready))
    await ready.wait()
    yield listening
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


class Cutter:
    """A proxy that hangs up after `cut_after` bytes, and until then loses every answer but the first."""

    def __init__(self, target: int) -> None:
        self._target = target
        self.cuts = 0
        self.cut_after: int | None = None

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._target)
        limit = self.cut_after

        async def answers() -> None:
            sent = 0
            while data := await up_reader.read(4096):
                if limit is not None and sent:
                    continue  # CONNACK goes through, PUBACKs are lost
                sent += len(data)
                writer.write(data)

        back = asyncio.create_task(answers())
        passed = 0
        try:
            while data := await reader.read(4096):
                up_writer.write(data)
                await up_writer.drain()
                passed += len(data)
                if limit is not None and passed > limit:
                    self.cuts += 1
                    break
        finally:
            back.cancel()
            writer.close()
            up_writer.close()


@pytest.fixture
async def cutter(broker_port: int) -> AsyncIterator[tuple[Cutter, int]]:
    cut = Cutter(broker_port)
    server = await asyncio.start_server(cut.handle, "127.0.0.1", 0)
    yield cut, server.sockets[0].getsockname()[1]
    server.close()
