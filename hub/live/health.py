"""Derives how the sensors of watched projects are, and tells their viewers what changes."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Final, NamedTuple
from uuid import UUID

import asyncpg
import structlog
from redis.exceptions import RedisError

from hub.events.models import Event, EventKind, Told
from hub.kit.context import Hub
from hub.kit.problems import DatabaseAway
from hub.live import queries
from hub.live.messages import Counts, SensorCounts, SensorHealth, States
from hub.live.relay import Relay
from hub.sensors.models import SensorState
from hub.telemetry.counting import packets_of
from hub.telemetry.waiting import WaitingWatch

log = structlog.get_logger(__name__)

LOOK_S: Final = 1.0
STREAM_S: Final = 2.0
COUNTED: Final = (
    *("received", "stored", "duplicates", "rejected", "late", "differing", "lost", "dropped"),
    *("packets_sent", "packets_seen", "unnumbered_at"),
)

Known = dict[UUID, dict[UUID, asyncpg.Record]]


class Waiting(NamedTuple):
    """What waits in the stream: samples by sensor, None while it is away, and the sensors with unnumbered packets."""

    samples: Mapping[int, int] | None
    unnumbered: Set[int]

    def of(self, no: int) -> int | None:
        """Return how many samples of a sensor wait."""
        return None if self.samples is None else self.samples.get(no, 0)


NOTHING: Final = Waiting({}, frozenset())
Look = tuple[Mapping[UUID, asyncpg.Record], Waiting]


class Health:
    """Remembers, project by project, what was told last; each process looks for the viewers it has."""

    def __init__(self, hub: Hub, relay: Relay) -> None:
        """Tell changes through `relay`."""
        self._hub = hub
        self._relay = relay
        self._known: Known = {}
        self._stream = WaitingWatch(hub)
        self._waited = NOTHING

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
        if any(viewer.ledger for project_id in projects for viewer in self._relay.viewers(project_id)):
            rows, waiting = await self.count(projects)
        else:
            rows, waiting = await self._read(projects), NOTHING
        waited, self._waited = self._waited, waiting
        for project_id, sensors in _by_project(rows, projects).items():
            before = self._known.get(project_id)
            # Whoever began to watch just now reads the states first.
            if before is not None:
                self._tell_states(project_id, before, sensors)
                self._tell_counts(project_id, (before, waited), (sensors, waiting))
                self._known[project_id] = sensors

    async def _read(self, projects: Sequence[UUID]) -> list[asyncpg.Record]:
        async with self._hub.db.connection() as connection:
            return await queries.health(connection, projects)

    async def count(self, projects: Sequence[UUID]) -> tuple[list[asyncpg.Record], Waiting]:
        """Read with the counts what waits to be added to them; without the stream that is not known."""
        await self._stream.note_positions()
        try:
            async with asyncio.timeout(STREAM_S):
                await self._stream.look()
            there = True
        except (RedisError, OSError, TimeoutError):
            there = False
        async with self._hub.db.snapshot() as tx:
            await self._stream.settle(tx)
            rows = await queries.health(tx, projects)
        return rows, Waiting(self._stream.samples() if there else None, self._stream.unnumbered())

    def _tell_states(
        self, project_id: UUID, before: Mapping[UUID, asyncpg.Record], now: Mapping[UUID, asyncpg.Record]
    ) -> None:
        at = self._hub.clock.now_us() / 1e6
        for sensor_id, row in now.items():
            was = before[sensor_id]["state"] if sensor_id in before else None
            if was != row["state"]:
                details = {"state": row["state"], "was": was, "last_heartbeat": row["last_heartbeat"]}
                self._relay.tell(Told(project_id, at, Event(EventKind.SENSOR_STATE, sensor_id, details)))

    def _tell_counts(self, project_id: UUID, before: Look, now: Look) -> None:
        viewers = [viewer for viewer in self._relay.viewers(project_id) if viewer.ledger]
        if not viewers:
            return
        (known, waited), (rows, waiting) = before, now
        changed = [
            ledger_of(row, waiting)
            for sensor_id, row in rows.items()
            if sensor_id not in known or _counts(known[sensor_id], waited) != _counts(row, waiting)
        ]
        if changed:
            message = Counts(sensors=changed).model_dump_json()
            for viewer in viewers:
                viewer.tell(message)


def _counts(row: asyncpg.Record, waiting: Waiting) -> tuple[int | None, ...]:
    return (*(row[name] for name in COUNTED), waiting.of(row["no"]))


def ledger_of(row: asyncpg.Record, waiting: Waiting) -> SensorCounts:
    """Return a sensor's ledger, of what the database has booked and of what waits in the stream."""
    pending = waiting.of(row["no"])
    received = row["received"] + (pending or 0)
    whole = not row["lost"] and not row["dropped"] and row["no"] not in waiting.unnumbered
    sent, gaps = packets_of(row, received, whole=whole)
    return SensorCounts(
        sensor_id=row["id"],
        received=received,
        stored=row["stored"],
        duplicates=row["duplicates"],
        rejected=row["rejected"],
        pending=pending,
        late=row["late"],
        differing=row["differing"],
        lost=row["lost"],
        dropped=row["dropped"],
        sent=sent,
        gaps=gaps,
    )


def _by_project(rows: Iterable[asyncpg.Record], projects: Iterable[UUID]) -> Known:
    found: Known = {project_id: {} for project_id in projects}
    for row in rows:
        found[row["project_id"]][row["id"]] = row
    return found
