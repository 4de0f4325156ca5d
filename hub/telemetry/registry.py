"""The devices as ingest needs them: a snapshot of tokens, sensors and profiles, kept while the database is away."""

import asyncio
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final
from uuid import UUID

import structlog

from contract.conversion.convert import ProfileVersion
from contract.conversion.profile import Custom, Linear, Profile, ProfileInvalid, parse_profile
from hub.conversion.sealing import open_payload
from hub.kit.clock import Clock
from hub.kit.db import Database, Tx
from hub.kit.limits import Rate
from hub.kit.problems import DatabaseAway
from hub.kit.vault import SealBroken, Vault
from hub.kit.workers import regularly
from hub.telemetry import registry_queries, shard_queries
from hub.telemetry.problems import TokenExpired, TokensUnavailable, TokenUnknown

log = structlog.get_logger(__name__)

# Stands for a version that cannot be read: while it applies every sample is a conversion error, its raw value kept.
UNREADABLE: Final = Linear(math.nan, math.nan)
# Senders wait for the look: a database that does not answer so long is away.
LOOK_S: Final = 3.0


@dataclass(frozen=True)
class SensorEntry:
    """What ingest must know of a sensor."""

    id: UUID
    no: int
    project_id: UUID
    agent_id: UUID | None
    profiles: tuple[ProfileVersion, ...]
    requests: Rate
    samples: Rate
    # The device has no clock: what it says of the time does not count.
    timeless: bool = False
    # How many elements its samples have, None where they are numbers.
    vector_size: int | None = None

    @cached_property
    def key(self) -> str:
        """Return the name of what its samples are limited by."""
        return f"samples {self.id}"

    @cached_property
    def requests_key(self) -> str:
        """Return the name of what its requests are limited by; with other limits it begins anew."""
        return f"telemetry {self.id} {self.requests.per_s:g} {self.requests.burst:g}"

    @cached_property
    def expressions(self) -> frozenset[int]:
        """Return the versions that are expressions."""
        return frozenset(one.version for one in self.profiles if isinstance(one.profile, Custom))


@dataclass(frozen=True)
class Device:
    """Who holds a token: a sensor, or an edge agent with the sensors that it may send for.

    A token that was rotated or ends by itself is good until `good_until_us`, by the hub's clock.
    """

    kind: str
    id: UUID
    sensors: Mapping[UUID, SensorEntry]
    # What an edge agent may send in all; a sensor has limits of its own.
    samples: Rate | None = None
    good_until_us: float = float("inf")

    @cached_property
    def key(self) -> str:
        """Return the name of what an edge agent's samples are limited by."""
        return f"samples {self.id}"

    def find(self, sensor_id: UUID | None) -> SensorEntry | None:
        """Find the sensor that a series is of; one that names none is of the sensor whose token this is."""
        if sensor_id is not None:
            return self.sensors.get(sensor_id)
        return next(iter(self.sensors.values())) if self.kind == "sensor" and self.sensors else None


@dataclass(frozen=True)
class Snapshot:
    """All devices at one version of the registry."""

    version: int
    shards: int
    devices: Mapping[bytes, Device]
    by_no: Mapping[int, SensorEntry]
    by_id: Mapping[UUID, SensorEntry]
    # Captures that began before the retention: (sensor no, from, to) in µs, to None while running.
    old_captures: tuple[tuple[int, int, int | None], ...] = field(default=())


class Registry:
    """Keeps the newest snapshot; a change in the database is seen within the polling interval."""

    def __init__(self, db: Database, vault: Vault, clock: Clock, *, poll_s: float, retention_days: int) -> None:
        """Start without a snapshot."""
        self._db = db
        self._vault = vault
        self._clock = clock
        self._poll_s = poll_s
        self._retention_us = retention_days * 86_400_000_000
        self._snapshot: Snapshot | None = None
        self._looked_at = -1.0
        self._away = False
        self._refreshing = asyncio.Lock()

    @property
    def snapshot(self) -> Snapshot:
        """Return the newest snapshot; raises TokensUnavailable before the first."""
        if self._snapshot is None:
            raise TokensUnavailable
        return self._snapshot

    async def run(self) -> None:
        """Look for changes until cancelled."""
        await regularly(self.refresh, self._poll_s, "registry kept")

    async def refresh(self) -> None:
        """Load a new snapshot when the registry changed. Raises DatabaseAway.

        Who waits together shares one look, and what became of it.
        """
        asked = asyncio.get_running_loop().time()
        async with self._refreshing:
            if self._looked_at < asked:
                await self._look()
            if self._away:
                raise DatabaseAway

    async def _look(self) -> None:
        loop = asyncio.get_running_loop()
        looked_at = loop.time()
        try:
            await self._vault.ready()
            async with self._db.connection(within_s=LOOK_S) as connection:
                version = await registry_queries.registry_version(connection)
            if self._snapshot is None or self._snapshot.version != version:
                # Many sensors take their time to load.
                async with self._db.transaction() as tx:
                    version = await registry_queries.registry_version(tx)
                    self._snapshot = await self._load(tx, version)
            self._away = False
        except DatabaseAway:
            # Whoever asked until now would have found the same.
            looked_at = loop.time()
            self._away = True
        self._looked_at = looked_at

    async def device(self, token: str) -> Device:
        """Find who holds the token.

        Raises TokenUnknown, TokenExpired, or TokensUnavailable where only the database could tell.
        """
        digest = self._vault.keys.digest(token)
        found = None if self._snapshot is None else self._snapshot.devices.get(digest)
        if found is None or self._has_ended(found):
            try:
                await self.refresh()  # a token made or prolonged a moment ago is good at once
            except DatabaseAway as error:
                if found is not None:
                    raise TokenExpired from error
                raise TokensUnavailable from error
            found = self.snapshot.devices.get(digest)
        if found is None:
            raise TokenUnknown
        if self._has_ended(found):
            raise TokenExpired
        return found

    def _has_ended(self, device: Device) -> bool:
        return self._clock.now_us() >= device.good_until_us

    def once(self, token: str) -> Device | None:
        """Return whose token this is or was, before it ended; None where nobody's is known."""
        return None if self._snapshot is None else self._snapshot.devices.get(self._vault.keys.digest(token))

    async def covering(self, token: str, device: Device, sensors: Iterable[UUID | None]) -> Device:
        """Return the device as it covers the named sensors, looking anew when it seems not to cover one of them.

        A refusal for an unknown sensor is final, so it may not rest on a snapshot that is half a second old. Raises
        TokensUnavailable while the database that would know is away.
        """
        if all(sensor is None or sensor in device.sensors for sensor in sensors):
            return device
        try:
            await self.refresh()
        except DatabaseAway as error:
            raise TokensUnavailable from error
        return await self.device(token)

    async def _load(self, tx: Tx, version: int) -> Snapshot:
        profiles: dict[UUID, list[ProfileVersion]] = {}
        for row in await registry_queries.published_profiles(tx):
            profiles.setdefault(row["sensor_id"], []).append(
                ProfileVersion(row["version"], row["from_us"], row["to_us"], await self._readable(row))
            )
        rows = await registry_queries.live_sensors(tx)
        sensors = {
            row["id"]: SensorEntry(
                row["id"],
                row["no"],
                row["project_id"],
                row["agent_id"],
                tuple(profiles.get(row["id"], ())),
                Rate(row["requests_per_s"], row["requests_burst"]),
                _samples(row),
                row["time_source"] == "arrival",
                row["vector_size"],
            )
            for row in rows
        }
        devices: dict[bytes, Device] = {}
        for row in rows:
            devices |= _by_token(row, Device("sensor", row["id"], {row["id"]: sensors[row["id"]]}))
        for agent in await registry_queries.edge_agents(tx):
            devices |= _by_token(agent, Device("agent", agent["id"], _sensors_of(agent, sensors), _samples(agent)))
        old = await registry_queries.captures_before(tx, self._clock.now_us() - self._retention_us)
        return Snapshot(
            version,
            await shard_queries.shard_count(tx),
            devices,
            {sensor.no: sensor for sensor in sensors.values()},
            sensors,
            tuple((row["sensor_no"], row["from_us"], row["to_us"]) for row in old),
        )

    async def _readable(self, row: Any) -> Profile:
        """Read a version's payload; one that is broken costs its own sensor's values and nobody else's."""
        try:
            return parse_profile(await open_payload(self._vault, row["id"], row["payload_sealed"]))
        except (ProfileInvalid, SealBroken, ValueError, TypeError) as error:
            log.error(  # noqa: TRY400 - the trace would show the payload
                "profile unreadable", profile=str(row["id"]), sensor=str(row["sensor_id"]), kind=type(error).__name__
            )
            return UNREADABLE


def _samples(row: Any) -> Rate:
    """A second's worth may come at once; a packet that is larger makes the next ones wait."""
    return Rate(row["samples_per_s"], max(1.0, row["samples_per_s"]))


def _by_token(row: Any, device: Device) -> dict[bytes, Device]:
    expires_us = row["token_expires_us"]
    tokens = {row["token_digest"]: device if expires_us is None else replace(device, good_until_us=expires_us)}
    if row["old_token_digest"] is not None:
        tokens[row["old_token_digest"]] = replace(device, good_until_us=row["old_token_until_us"])
    return tokens


def _sensors_of(agent: Any, sensors: Mapping[UUID, SensorEntry]) -> dict[UUID, SensorEntry]:
    return {
        sensor.id: sensor
        for sensor in sensors.values()
        if sensor.project_id == agent["project_id"]
        and (sensor.agent_id == agent["id"] or (agent["is_default"] and sensor.agent_id is None))
    }
