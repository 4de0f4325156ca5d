"""A hub whose clock can be moved, and where a token is tried on every way in."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import pytest
from aiohttp import web

from hub.app import create_app
from hub.kit.clock import SystemClock
from hub.kit.db import Tx
from hub.settings import Role, Settings
from tests.hub.callers import Caller
from tests.hub.second_factor import recovery_code_of
from tests.hub.telemetry.conftest import send

WEEK_S = 604_800
Code = Callable[[Caller], Awaitable[str]]


class MovedClock(SystemClock):
    """The machine's clock, moved ahead."""

    ahead_s = 0

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self.ahead_s)

    def now_us(self) -> int:
        return super().now_us() + self.ahead_s * 1_000_000


@pytest.fixture
def clock() -> MovedClock:
    """The hub's clock."""
    return MovedClock()


@pytest.fixture
def roles() -> frozenset[Role]:
    """Samples are taken and stored."""
    return frozenset({"api", "writer"})


@pytest.fixture
def app(settings: Settings, roles: frozenset[Role], clock: MovedClock) -> web.Application:
    """The hub's application, with a clock that tests move."""
    return create_app(settings, roles, clock)


@pytest.fixture
def code(app: web.Application, db: Tx) -> Code:
    """Make one-time codes of users."""
    return lambda caller: recovery_code_of(app, db, caller)


async def ingest(device: Caller) -> int:
    """Send with the device's token, an edge agent an empty batch, and return the status."""
    series = [{"sensor_id": device.id, "t": [time.time()], "v": [1.0]}] if device.name.startswith("sensor") else []
    return (await send(device, {"series": series})).status


async def admitted(device: Caller, within_s: float = 5.0) -> dict[str, int]:
    """Return what each place answers to the device's token; ingest is given some time to agree with the rest."""
    password = {"username": device.id, "password": device.token}
    broker = (await device.post("/broker/login", password)).status
    is_sensor = device.name.startswith("sensor")
    route = await (device.post(f"/sensors/{device.id}/heartbeat") if is_sensor else device.get("/edge/config"))
    wanted = 401 if route.status == 401 else 202
    deadline = time.monotonic() + within_s
    while (status := await ingest(device)) != wanted and time.monotonic() < deadline:  # noqa: ASYNC110 - over HTTP
        await asyncio.sleep(0.02)
    return {"broker": broker, "route": 200 if route.status < 300 else route.status, "ingest": status}


GOOD = {"broker": 200, "route": 200, "ingest": 202}
REFUSED = {"broker": 401, "route": 401, "ingest": 401}
