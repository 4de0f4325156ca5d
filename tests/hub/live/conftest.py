"""Viewers of the live channel, whose every message must be one that is documented."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import orjson
import pytest
from aiohttp import ClientWebSocketResponse
from aiohttp.test_utils import TestClient

from hub.live.messages import SAID
from tests.hub.callers import Caller
from tests.hub.telemetry.conftest import roles, stored

__all__ = ["roles", "stored"]

Watch = Callable[..., Awaitable[ClientWebSocketResponse]]


@pytest.fixture
async def watch(client: TestClient[Any, Any]) -> AsyncIterator[Watch]:
    """Open a live socket as a caller, authenticated by the first message."""
    opened: list[ClientWebSocketResponse] = []

    async def open_one(caller: Caller) -> ClientWebSocketResponse:
        socket = await client.ws_connect("/api/v1/live")
        opened.append(socket)
        await socket.send_json({"op": "auth", "access_token": caller.token})
        assert (await hear(socket))["op"] == "ready"
        return socket

    yield open_one
    for socket in opened:
        await socket.close()


async def hear(socket: ClientWebSocketResponse, timeout_s: float = 5) -> dict[str, Any]:
    """Receive the next message, which must be of a documented shape."""
    text = await socket.receive_str(timeout=timeout_s)
    SAID.validate_json(text)
    return orjson.loads(text)


async def say(socket: ClientWebSocketResponse, **message: Any) -> dict[str, Any]:
    """Send a control message and return the next text."""
    await socket.send_json(message)
    return await hear(socket)


async def gather(socket: ClientWebSocketResponse, count: int) -> list[dict[str, Any]]:
    """Collect JSON series until they hold this many samples."""
    found: list[dict[str, Any]] = []
    async with asyncio.timeout(10):
        while sum(len(series["t"]) for series in found) < count:
            message = await hear(socket)
            assert message["op"] == "samples", message
            found += message["series"]
    return found


async def hear_event(socket: ClientWebSocketResponse, kind: str, timeout_s: float = 5) -> dict[str, Any]:
    """Receive until an event of a kind comes, and return it."""
    async with asyncio.timeout(timeout_s):
        while True:
            message = await hear(socket)
            if message["op"] == "event" and message["kind"] == kind:
                return message
