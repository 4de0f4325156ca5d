"""The worker that gives the held samples of accepted channels to the ordinary intake, each exactly once."""

import asyncio
import contextlib
from typing import Any, Final

import numpy as np
import structlog

from contract.packets import Packet, Series
from hub.channels import holding_queries as queries
from hub.kit.context import Hub
from hub.kit.problems import DatabaseAway
from hub.telemetry.fabric import Fabric
from hub.telemetry.problems import StreamUnavailable, TokensUnavailable
from hub.telemetry.registry import Device

log = structlog.get_logger(__name__)

POLL_S: Final = 1.0
ROWS_AT_ONCE: Final = 200


class Release:
    """Appends what is held of channels that are sensors now, then lets go of it."""

    def __init__(self, hub: Hub, fabric: Fabric) -> None:
        """Use the intake of this process."""
        self._hub = hub
        self._fabric = fabric
        self._wanted = asyncio.Event()

    def soon(self) -> None:
        """Look at once: something was accepted."""
        self._wanted.set()

    async def run(self) -> None:
        """Release until cancelled."""
        while True:
            self._wanted.clear()
            try:
                while await self.some():
                    pass
            except (DatabaseAway, StreamUnavailable, TokensUnavailable) as error:
                log.info("the release of held samples waits", why=type(error).__name__)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(POLL_S):
                    await self._wanted.wait()

    async def some(self) -> int:
        """Release a few rows and return how many.

        A row is appended under its own number. Should this process end before it lets go of the row, the next attempt
        finds that number used and appends nothing.
        """
        async with self._hub.db.transaction() as tx:
            rows = await queries.lock_decided(tx, ROWS_AT_ONCE)
            if not rows:
                return 0
            if any(row["sensor_id"] not in self._fabric.registry.snapshot.by_id for row in rows):
                await self._fabric.registry.refresh()
            sensors = self._fabric.registry.snapshot.by_id
            ready = [row for row in rows if row["sensor_id"] in sensors]
            await asyncio.gather(*(self._append(row) for row in ready))
            await queries.drop_released(tx, [row["id"] for row in ready])
            return len(ready)

    async def _append(self, row: Any) -> None:
        snapshot = self._fabric.registry.snapshot
        sensor = snapshot.by_id[row["sensor_id"]]
        raw = np.frombuffer(row["raw"], "<f8")
        series = Series(sensor.id, np.frombuffer(row["t_us"], "<i8"), raw, np.arange(len(raw)))
        packet = Packet(None, False, [series], [], len(raw))
        device = Device("agent", row["source_id"], {sensor.id: sensor})
        await self._fabric.intake.take(packet, device, snapshot, self._hub.clock.now_us(), once=f"held:{row['id']}")
