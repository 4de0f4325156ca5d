"""What every command needs before it can send: a login, registered sensors, devices with their connections."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from uuid import UUID

import aiohttp
from rich.console import Console

from firmware_sim import hub_api
from firmware_sim.device import Device, Identity
from firmware_sim.fleet import Fleet, over_mqtt
from firmware_sim.http_link import HttpLink
from firmware_sim.hub_shapes import NewSensor
from firmware_sim.report import Stopwatch, counts_table
from firmware_sim.token_file import TokenFile

Transport = Literal["mqtt", "http"]

CONNECT_S = 30.0
DRAIN_S = 60.0
DRAIN_INTERRUPTED_S = 3.0


class NothingGetsThrough(Exception):
    """No packet can be delivered."""


@dataclass(frozen=True, slots=True)
class Target:
    """The system to talk to, who to log in as, and where tokens are kept."""

    hub_url: str
    mqtt_host: str
    mqtt_port: int
    data_dir: Path
    email: str
    password: str
    transport: Transport = "mqtt"


async def register(target: Target, project: str, wanted: Sequence[NewSensor]) -> tuple[UUID, list[Identity]]:
    """Log in, find or create the project and its sensors; returns the project's id and the sensors in order."""
    async with hub_api.connected(target.hub_url, target.email, target.password) as hub:
        project_id = (await hub.project(project)).id
        return project_id, await hub.register(project_id, wanted, TokenFile(target.data_dir))


@asynccontextmanager
async def delivering(target: Target, devices: Sequence[Device], console: Console) -> AsyncGenerator[Fleet]:
    """Connect the devices and deliver what the body sends; wait for the last acknowledgements and print the counts.

    Raises NothingGetsThrough when they cannot connect within 30 s, or when something stays unacknowledged.
    """
    async with AsyncExitStack() as stack:
        if target.transport == "mqtt":
            fleet = over_mqtt(devices, target.mqtt_host, target.mqtt_port)
        else:
            session = await stack.enter_async_context(aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)))
            fleet = Fleet([HttpLink(device, target.hub_url, session) for device in devices])
        await stack.enter_async_context(fleet.running())
        if not await fleet.connected(CONNECT_S):
            raise NothingGetsThrough("; ".join(list(fleet.problems)[:3]))
        watch, patience_s = Stopwatch(), DRAIN_INTERRUPTED_S
        try:
            yield fleet
            patience_s = DRAIN_S
        finally:
            drained = await fleet.drained(patience_s)
            console.print(counts_table(fleet, watch.seconds))
        if not drained:
            waiting = sum(len(device.outbox) for device in devices)
            why = "; ".join(list(fleet.problems)[:3]) or "the receiver is slow"
            raise NothingGetsThrough(f"{waiting} packets were not acknowledged within {patience_s:.0f} s: {why}")
