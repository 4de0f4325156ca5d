"""Which sensor each known channel is: kept in memory, so that known channels go on while the database is away."""

import asyncio
import contextlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple
from uuid import UUID

from hub.channels import queries
from hub.channels.models import ChannelName, ChannelState
from hub.kit.db import Database
from hub.kit.problems import DatabaseAway
from hub.kit.workers import regularly

SOURCES_AT_ONCE: Final = 50
_NONE: Final[Mapping[ChannelName, "Known"]] = MappingProxyType({})


class Known(NamedTuple):
    """What was decided about a channel."""

    state: ChannelState
    sensor_id: UUID | None


class Directory:
    """Keeps the channels of all sources; a decision is seen at once by its process, by others within the interval."""

    def __init__(self, db: Database, *, poll_s: float) -> None:
        """Start empty."""
        self._db = db
        self._poll_s = poll_s
        self._versions: dict[UUID, int] = {}
        self._channels: dict[UUID, Mapping[ChannelName, Known]] = {}
        self._refreshing = asyncio.Lock()
        self._outdated = False

    async def run(self) -> None:
        """Look for changes until cancelled."""
        await regularly(self.refresh, self._poll_s, "channels kept")

    def outdate(self) -> None:
        """Look anew before the next answer: this process itself changed something."""
        self._outdated = True

    async def of(self, device_id: UUID) -> Mapping[ChannelName, Known]:
        """Return what is known of a device's channels."""
        if self._outdated:
            with contextlib.suppress(DatabaseAway):
                await self.refresh()
        return self._channels.get(device_id, _NONE)

    async def refresh(self) -> None:
        """Read the channels of those sources that changed; raises DatabaseAway."""
        async with self._refreshing, self._db.connection() as connection:
            self._outdated = False
            found = {row["id"]: row["version"] for row in await queries.versions(connection)}
            for gone in self._versions.keys() - found.keys():
                del self._versions[gone]
                self._channels.pop(gone, None)
            changed = [source for source, version in found.items() if self._versions.get(source) != version]
            for start in range(0, len(changed), SOURCES_AT_ONCE):
                part = changed[start : start + SOURCES_AT_ONCE]
                channels: dict[UUID, dict[ChannelName, Known]] = {source: {} for source in part}
                for row in await queries.of_sources(connection, part):
                    name = ChannelName(row["format"], row["name"], row["unit"])
                    channels[row["source_id"]][name] = Known(ChannelState(row["state"]), row["sensor_id"])
                self._channels |= channels
                # The channels are at least as new as the version, which was read before them.
                self._versions |= {source: found[source] for source in part}
