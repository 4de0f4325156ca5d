"""A hub that takes, stores and shows samples."""

import asyncio
import gzip
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import pytest

from hub.settings import Role
from tests.closing import check_adds_up
from tests.hub.callers import Answer, Caller

Wait = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]


@pytest.fixture(params=["valkey", "redis"])
def stream_server(request: pytest.FixtureRequest) -> str:
    """Both kinds of servers."""
    return request.param


@pytest.fixture
def roles() -> frozenset[Role]:
    """Every part of the hub runs."""
    return frozenset({"api", "writer", "live", "worker"})


@pytest.fixture
def stored(owner: Caller) -> Wait:
    """Wait until nothing of a sensor is pending and return its ledger, whose counts must add up at every moment."""

    async def wait(sensor: dict[str, Any]) -> dict[str, Any]:
        async with asyncio.timeout(20):
            while True:
                ledger = (await owner.get(f"/sensors/{sensor['id']}/ledger")).ok
                check_adds_up(ledger)
                if ledger["pending"] == 0 and ledger["received"]:
                    return ledger
                await asyncio.sleep(0.02)

    return wait


async def send(device: Caller, body: object, **headers: str) -> Answer:
    """Post a telemetry body."""
    return await device.call("POST", "/telemetry", body, **headers)


def zipped(body: object) -> bytes:
    """Write a body as gzip."""
    return gzip.compress(orjson.dumps(body))
