"""Many devices in one process, each with its own connection."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Never, Protocol

from firmware_sim.device import Device
from firmware_sim.mqtt_link import MqttLink

MAX_DEVICES = 1000
_CONNECTING_AT_ONCE = 20


class FleetTooLarge(ValueError):
    """More devices than one process should hold connections for."""


class Link(Protocol):
    """How a device's packets travel."""

    device: Device
    problem: str | None
    connected: asyncio.Event

    async def run(self) -> Never:
        """Deliver until cancelled."""
        ...


class Fleet:
    """Run the links of up to 1000 devices together."""

    def __init__(self, links: Sequence[Link]) -> None:
        if len(links) > MAX_DEVICES:
            raise FleetTooLarge(f"{len(links)} devices; start several processes of up to {MAX_DEVICES}")
        self.links = tuple(links)

    @property
    def devices(self) -> tuple[Device, ...]:
        """The devices in the order given."""
        return tuple(link.device for link in self.links)

    @property
    def problems(self) -> dict[str, int]:
        """What keeps links from delivering now, and how many of them."""
        told: dict[str, int] = {}
        for link in self.links:
            if link.problem is not None:
                told[link.problem] = told.get(link.problem, 0) + 1
        return told

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Deliver while the body runs; what is unacknowledged at its end is given up (see `drained`)."""
        failed: Exception | None = None
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(link.run()) for link in self.links]
            try:
                yield
            except Exception as error:  # noqa: BLE001 - raised again below, outside the group that would wrap it
                failed = error
            finally:
                for task in tasks:
                    task.cancel()
        if failed is not None:
            raise failed

    async def connected(self, timeout_s: float) -> bool:
        """Wait until every link has been connected once; False when `timeout_s` passed first."""
        try:
            async with asyncio.timeout(timeout_s):
                for link in self.links:
                    await link.connected.wait()
        except TimeoutError:
            return False
        return True

    async def drained(self, timeout_s: float) -> bool:
        """Send what faults hold back and wait until all is acknowledged; False when `timeout_s` passed first."""
        try:
            async with asyncio.timeout(timeout_s):
                for device in self.devices:
                    await device.flush()
                for device in self.devices:
                    await device.outbox.empty()
        except TimeoutError:
            return False
        return True


def over_mqtt(devices: Sequence[Device], host: str, port: int) -> Fleet:
    """Give each device its own MQTT connection."""
    connecting = asyncio.Semaphore(_CONNECTING_AT_ONCE)
    return Fleet([MqttLink(device, host, port, connecting) for device in devices])
