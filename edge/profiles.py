"""The sensors' conversion profiles: fetched from the hub, kept on disk for starts without it."""

import asyncio
import contextlib
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final
from uuid import UUID

import msgspec
import structlog

from contract.conversion.convert import ProfileVersion
from contract.conversion.profile import ProfileInvalid, parse_profile
from edge.hub_client import FetchedConfig, HubClient, Unavailable

log: Final = structlog.get_logger(__name__)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
AwareTime = Annotated[datetime, msgspec.Meta(tz=True)]


class ProfileConfig(msgspec.Struct):
    """A published version of a sensor's profile as the hub describes it."""

    version: int
    payload: dict[str, object]
    valid_from: AwareTime | None = None
    valid_to: AwareTime | None = None


class SensorConfig(msgspec.Struct):
    """A sensor that this agent serves."""

    id: UUID
    name: str = ""
    time_source: str = "device"
    profiles: list[ProfileConfig] = []


class AgentConfig(msgspec.Struct):
    """The agent as the hub knows it."""

    id: UUID
    name: str = ""
    project_id: UUID | None = None
    default: bool = False


class Config(msgspec.Struct):
    """The whole document."""

    agent: AgentConfig
    sensors: list[SensorConfig]


class _Cached(msgspec.Struct):
    etag: str | None
    config: msgspec.Raw


class Profiles:
    """The profile versions of every known sensor, kept up to date by `run`."""

    def __init__(self, hub: HubClient, cache: Path, interval_s: float) -> None:
        self._hub = hub
        self._cache = cache
        self._interval_s = interval_s
        self._etag: str | None = None
        self._versions: Mapping[UUID, Sequence[ProfileVersion]] = {}
        self._clockless: frozenset[UUID] = frozenset()

    def __len__(self) -> int:
        """Count the known sensors."""
        return len(self._versions)

    def versions(self, sensor_id: UUID) -> Sequence[ProfileVersion]:
        """Return a sensor's profile versions, none for an unknown sensor."""
        return self._versions.get(sensor_id, ())

    def is_clockless(self, sensor_id: UUID) -> bool:
        """Tell whether a sensor has no clock, so that what it says of the time does not count."""
        return sensor_id in self._clockless

    def load_cache(self) -> None:
        """Take over what the last run knew; a missing or unreadable cache is an empty one."""
        try:
            cached = msgspec.json.decode(self._cache.read_bytes(), type=_Cached)
            self._use(msgspec.json.decode(cached.config, type=Config))
            self._etag = cached.etag
        except FileNotFoundError:
            return
        except (OSError, msgspec.DecodeError) as error:
            log.warning("cached configuration not readable", file=str(self._cache), error=str(error))

    async def run(self) -> None:
        """Ask the hub for changes for ever."""
        problem: str | None = None
        while True:
            found = await self.refresh()
            if found != problem:
                log.info("configuration", problem=found, sensors=len(self))
                problem = found
            await asyncio.sleep(self._interval_s)

    async def refresh(self) -> str | None:
        """Ask once; return what was wrong, None when the configuration is up to date."""
        match await self._hub.fetch_config(self._etag):
            case None:
                return None
            case Unavailable(reason=reason):
                return reason
            case FetchedConfig() as fetched:
                return self._take(fetched)

    def _use(self, config: Config) -> None:
        self._versions = {sensor.id: _sensor_versions(sensor) for sensor in config.sensors}
        self._clockless = frozenset(sensor.id for sensor in config.sensors if sensor.time_source == "arrival")

    def _take(self, fetched: FetchedConfig) -> str | None:
        try:
            self._use(msgspec.json.decode(fetched.body, type=Config))
        except msgspec.DecodeError as error:
            return f"unreadable configuration: {error}"
        self._etag = fetched.etag
        try:
            _write_atomically(self._cache, msgspec.json.encode(_Cached(fetched.etag, msgspec.Raw(fetched.body))))
        except OSError as error:
            return f"configuration not cached: {error}"
        return None


def _sensor_versions(sensor: SensorConfig) -> Sequence[ProfileVersion]:
    try:
        return [
            ProfileVersion(p.version, _us(p.valid_from), _us(p.valid_to), parse_profile(p.payload))
            for p in sensor.profiles
        ]
    except ProfileInvalid as error:
        # With one version unknown another would be used in its time: better none here, the hub converts anyway.
        log.warning("sensor not converted here", sensor=str(sensor.id), error=str(error))
        return ()


def _us(time: datetime | None) -> int | None:
    return None if time is None else (time - _EPOCH) // timedelta(microseconds=1)


def _write_atomically(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".new")
    with contextlib.suppress(FileNotFoundError):
        beside.unlink()
    # Readable by the agent alone: profiles are the lab's knowledge.
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
