"""Signs of life of the sensors, passed on to the hub, only the newest of each sensor."""

import asyncio
from collections.abc import Callable
from typing import Final
from uuid import UUID

from edge.hub_client import HubClient

MAX_AGE_S: Final = 30.0
AT_ONCE: Final = 8


class Heartbeats:
    """Takes beats without waiting and sends each sensor's newest; what is older than MAX_AGE_S says nothing any more.

    Not spooled: a beat tells of now, and after an outage the next one tells more.
    """

    def __init__(self, hub: HubClient, clock_s: Callable[[], float], interval_s: float = 1.0) -> None:
        self._hub = hub
        self._clock_s = clock_s
        self._interval_s = interval_s
        self._waiting: dict[UUID, float] = {}
        self._arrived = asyncio.Event()

    def beat(self, sensor_id: UUID) -> None:
        """Note a sign of life."""
        self._waiting[sensor_id] = self._clock_s()
        self._arrived.set()

    async def run(self) -> None:
        """Send for ever, each sensor at most once per interval."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            beats, self._waiting = self._waiting, {}
            slots = asyncio.Semaphore(AT_ONCE)
            await asyncio.gather(*(self._send(sensor_id, at_s, slots) for sensor_id, at_s in beats.items()))
            await asyncio.sleep(self._interval_s)

    async def _send(self, sensor_id: UUID, at_s: float, slots: asyncio.Semaphore) -> None:
        async with slots:
            if self._clock_s() - at_s > MAX_AGE_S:
                return
            if await self._hub.send_heartbeat(sensor_id) is not None:
                self._waiting.setdefault(sensor_id, at_s)
                self._arrived.set()
