"""A hub with every part running, a gateway, and what editors see of its channels."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from hub.settings import Role
from tests.hub.callers import Answer, Caller
from tests.hub.conftest import Device, Make

Proposals = Callable[..., Awaitable[dict[str, dict[str, Any]]]]
Wait = Callable[..., Awaitable[dict[str, Any]]]
SENSOR = {"name": "inlet", "type": "temperature", "input_unit": "°C", "display_unit": "°C"}


@pytest.fixture
def roles() -> frozenset[Role]:
    """Every part of the hub runs."""
    return frozenset({"api", "writer", "live", "worker"})


@pytest.fixture
async def gateway(agent: Make, device: Device) -> Caller:
    """A gateway with an edge agent's token."""
    return device(await agent(name="telegraf"))


@pytest.fixture
def proposals(editor: Caller, project: str) -> Proposals:
    """Read a project's channels in a state, by name."""

    async def read(state: str = "proposed") -> dict[str, dict[str, Any]]:
        page = (await editor.get(f"/projects/{project}/proposals?state={state}")).ok
        return {item["name"]: item for item in page["items"]}

    return read


@pytest.fixture
def settled(owner: Caller) -> Wait:
    """Wait until a sensor has samples and nothing is pending; its ledger must add up at every moment."""

    async def wait(sensor_id: str, received: int = 1) -> dict[str, Any]:
        async with asyncio.timeout(20):
            while True:
                ledger = (await owner.get(f"/sensors/{sensor_id}/ledger")).ok
                assert ledger["received"] == sum(ledger[k] for k in ("stored", "duplicates", "rejected", "pending"))
                if ledger["pending"] == 0 and ledger["received"] >= received:
                    return ledger
                await asyncio.sleep(0.02)

    return wait


async def write(caller: Caller, *lines: str, path: str = "/api/v2/write", **headers: str) -> Answer:
    """Post lines of line protocol."""
    return await caller.call("POST", path, "\n".join(lines).encode(), **headers)


def now_ns() -> int:
    """The time, in whole milliseconds."""
    return time.time_ns() // 1_000_000 * 1_000_000


async def samples_of(caller: Caller, sensor_id: str) -> dict[str, Any]:
    """Read everything of a sensor."""
    return (await caller.get(f"/sensors/{sensor_id}/samples")).ok
