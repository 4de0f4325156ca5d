"""Derives how the sensors of watched projects are, and tells their viewers what changes."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from uuid import UUID

import asyncpg
import structlog

from hub.events.models import Event, EventKind, Told
from hub.kit.context import Hub
from hub.kit.problems import DatabaseAway
from hub.live import queries
from hub.live.messages import Counts, SensorCounts, SensorHealth, States
from hub.live.relay import Relay
from hub.sensors.models import SensorState

log = structlog.get_logger(__name__)

LOOK_S: Final = 1.0

Known = dict[UUID, dict[UUID, asyncpg.Record]]


class Health:
    """Remembers, project by project, what was told last; each process looks for the viewers it has."""

    def __init__(self, hub: Hub, relay: Relay) -> None:
        """Tell changes through `relay`."""
        self._hub = hub
        self._relay = relay
        self._known: Known = {}

    async def states(self, projects: Iterable[UUID]) -> States:
        """Read the present states of all sensors of some projects; what differs from now on will be told."""
        rows = await self._read(list(projects))
        for project_id, sensors in _by_project(rows, projects).items():
            self._known.setdefault(project_id, sensors)
        return States(
            sensors=[
                SensorHealth(sensor_id=row["id"], state=SensorState(row["state"]), last_heartbeat=row["last_heartbeat"])
                for row in rows
            ]
        )

    async def run(self) -> None:
        """Look every second, while somebody watches, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                await self.look()
            except DatabaseAway:
                log.info("states of sensors are kept, the database is away")

    async def look(self) -> None:
        """Tell what has changed since the last look."""
        projects = list(self._relay.projects)
        for project_id in self._known.keys() - set(projects):
            del self._known[project_id]
        if not projects:
            return
        for project_id, sensors in _by_project(await self._read(projects), projects).items():
            before = self._known.get(project_id)
            # Whoever began to watch just now reads the states first.
            if before is not None:
                self._tell_states(project_id, before, sensors)
                self._tell_counts(project_id, before, sensors)
                self._known[project_id] = sensors

    async def _read(self, projects: Sequence[UUID]) -> list[asyncpg.Record]:
        async with self._hub.db.connection() as connection:
            return await queries.health(connection, projects)

    def _tell_states(
        self, project_id: UUID, before: Mapping[UUID, asyncpg.Record], now: Mapping[UUID, asyncpg.Record]
    ) -> None:
        at = self._hub.clock.now_us() / 1e6
        for sensor_id, row in now.items():
            was = before[sensor_id]["state"] if sensor_id in before else None
            if was != row["state"]:
                details = {"state": row["state"], "was": was, "last_heartbeat": row["last_heartbeat"]}
                self._relay.tell(Told(project_id, at, Event(EventKind.SENSOR_STATE, sensor_id, details)))

    def _tell_counts(
        self, project_id: UUID, before: Mapping[UUID, asyncpg.Record], now: Mapping[UUID, asyncpg.Record]
    ) -> None:
        viewers = [viewer for viewer in self._relay.viewers(project_id) if viewer.ledger]
        if not viewers:
            return
        changed = [
            SensorCounts(
                sensor_id=sensor_id, **{name: row[name] for name in SensorCounts.model_fields if name != "sensor_id"}
            )
            for sensor_id, row in now.items()
            if sensor_id not in before or _counts(before[sensor_id]) != _counts(row)
        ]
        if changed:
            message = Counts(sensors=changed).model_dump_json()
            for viewer in viewers:
                viewer.tell(message)


def _counts(row: asyncpg.Record) -> tuple[int, ...]:
    return (row["received"], row["stored"], row["duplicates"], row["rejected"], row["late"])


def _by_project(rows: Iterable[asyncpg.Record], projects: Iterable[UUID]) -> Known:
    found: Known = {project_id: {} for project_id in projects}
    for row in rows:
        found[row["project_id"]][row["id"]] = row
    return found
