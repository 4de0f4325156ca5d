"""A Mosquitto whose accounts the hub keeps, and devices that log in to it."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
from aiohttp import web

from contract import topics
from hub.brokers import notices
from hub.brokers.keeper import Keeper
from hub.kit.context import HUB
from tests.mosquitto import Mosquitto

Enter = Callable[..., Awaitable[aiomqtt.Client]]


async def eventually(condition: Callable[[], Awaitable[bool] | bool], what: str, within_s: float = 10.0) -> None:
    """Wait until the condition holds; a deadline, not a duration, decides."""
    deadline = time.monotonic() + within_s
    while True:
        held = condition()
        if not isinstance(held, bool):
            held = await held
        if held:
            return
        assert time.monotonic() < deadline, f"not in {within_s} s: {what}"
        await asyncio.sleep(0.01)


@pytest.fixture
async def mosquitto(tmp_path: Path) -> AsyncIterator[Mosquitto]:
    """A running Mosquitto without accounts."""
    broker = Mosquitto(tmp_path / "mosquitto")
    await broker.start()
    yield broker
    await broker.stop()


@pytest.fixture
async def keeper(app: web.Application, owner: Any, mosquitto: Mosquitto) -> AsyncIterator[Keeper]:
    """What keeps its accounts, at work."""
    hub = app[HUB]
    keeper = Keeper(
        hub.db, hub.vault, hub.clock,
        folder=mosquitto.folder / "accounts", pid_file=mosquitto.pid_file, instances=1, poll_s=0.05,
    )  # fmt: skip
    tasks = [
        asyncio.create_task(keeper.run()),
        asyncio.create_task(notices.listen(keeper.password, f"mqtt://127.0.0.1:{mosquitto.port}", keeper.heard)),
    ]
    await eventually(lambda: " as hub (" in mosquitto.log, "the keeper's own session")
    yield keeper
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@contextlib.asynccontextmanager
async def agent_of(
    mosquitto: Mosquitto, device: dict[str, Any], token: str | None = None
) -> AsyncIterator[aiomqtt.Client]:
    """Be an edge agent: a session that stays, the subscription, and after it the status, again and again."""
    client = session(mosquitto, device, token, clean_session=False)

    async def tell() -> None:
        while True:
            await asyncio.sleep(0.1)
            await client.publish(topics.status(device["id"]), b"{}", retain=True)

    async with client:
        await client.subscribe(topics.TELEMETRY_FILTER, qos=1)
        await client.publish(topics.status(device["id"]), b"{}", retain=True)
        telling = asyncio.create_task(tell())
        try:
            yield client
        finally:
            telling.cancel()


def session(
    mosquitto: Mosquitto, device: dict[str, Any], token: str | None = None, *, clean_session: bool = True
) -> aiomqtt.Client:
    """Make a device's session, not yet begun."""
    return aiomqtt.Client(
        "127.0.0.1",
        mosquitto.port,
        username=device["id"],
        password=token or device["token"],
        identifier=device["id"],
        clean_session=clean_session,
    )


async def admitted(mosquitto: Mosquitto, user: str, password: str) -> bool:
    """Tell whether Mosquitto lets somebody in."""
    try:
        async with aiomqtt.Client("127.0.0.1", mosquitto.port, username=user, password=password, identifier=user):
            return True
    except aiomqtt.MqttError:
        return False
