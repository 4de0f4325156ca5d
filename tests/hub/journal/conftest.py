"""Reading journals as they are written down."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from hub.settings import Role
from tests.hub.callers import Caller

Noted = Callable[[dict[str, Any], int], Awaitable[list[dict[str, Any]]]]


@pytest.fixture
def roles() -> frozenset[Role]:
    """The intake answers only where a writer has looked at the stream."""
    return frozenset({"api", "writer"})


@pytest.fixture
def noted(owner: Caller) -> Noted:
    """Wait until a sensor's journal counts so much in all, and return its entries, the newest first."""

    async def wait(sensor: dict[str, Any], count: int) -> list[dict[str, Any]]:
        async with asyncio.timeout(10):
            while True:
                items = (await owner.get(f"/sensors/{sensor['id']}/journal")).ok["items"]
                if sum(item["count"] for item in items) >= count:
                    return items
                await asyncio.sleep(0.05)

    return wait
