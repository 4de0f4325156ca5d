"""The parts of one process that take foreign formats: reading, directory, holding, release of what was accepted."""

from dataclasses import dataclass
from typing import Final

from aiohttp import web

from hub.channels.apart import Apart
from hub.channels.directory import Directory
from hub.channels.holding import Holding
from hub.channels.release import Release
from hub.kit.context import Hub
from hub.kit.workers import Workers
from hub.telemetry.fabric import Fabric


@dataclass(frozen=True)
class Channels:
    """What the api role needs to take foreign formats."""

    apart: Apart
    directory: Directory
    holding: Holding
    release: Release


CHANNELS: Final = web.AppKey("channels", Channels)


def make_channels(hub: Hub, fabric: Fabric) -> Channels:
    """Make the parts; nothing is connected yet."""
    directory = Directory(hub.db, poll_s=hub.settings.registry_poll_s)
    return Channels(Apart(), directory, Holding(hub), Release(hub, fabric))


def add_workers(channels: Channels, workers: Workers) -> None:
    """Register what keeps the parts going."""
    workers.add("channels", channels.directory.run)
    workers.add("channels.release", channels.release.run)
