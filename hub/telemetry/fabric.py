"""The telemetry parts of one process: registry, appenders and intake, and the watch over lost entries."""

from dataclasses import dataclass
from typing import Final

from aiohttp import web

from hub.journal.service import Journal
from hub.kit.allowances import Allowances
from hub.kit.context import Hub
from hub.kit.workers import Workers
from hub.telemetry import losses
from hub.telemetry.ingest import Intake
from hub.telemetry.registry import Registry
from hub.telemetry.stream import Appender

DAY_US: Final = 86_400_000_000


@dataclass(frozen=True)
class Fabric:
    """What the api role needs to take samples."""

    registry: Registry
    appenders: tuple[Appender, ...]
    intake: Intake
    allowances: Allowances


FABRIC = web.AppKey("fabric", Fabric)


def make_fabric(hub: Hub, journal: Journal) -> Fabric:
    """Make the parts; nothing is connected yet."""
    settings = hub.settings
    registry = Registry(
        hub.db, hub.vault, hub.clock, poll_s=settings.registry_poll_s, retention_days=settings.retention_days
    )
    appenders = tuple(Appender(settings.redis_url, shard) for shard in range(settings.stream_shards))
    intake = Intake(appenders, settings.retention_days * DAY_US, journal)
    return Fabric(registry, appenders, intake, Allowances(settings.redis_url))


def add_workers(fabric: Fabric, hub: Hub, workers: Workers) -> None:
    """Register what keeps the parts going."""
    workers.add("registry", fabric.registry.run)
    workers.add("allowances", fabric.allowances.run)
    for appender in fabric.appenders:
        workers.add(f"appender {appender.shard}", appender.run)
        workers.add(
            f"stream bound {appender.shard}", lambda one=appender: one.watch_fullness(hub.settings.stream_max_bytes)
        )
        workers.add(f"losses {appender.shard}", lambda one=appender: losses.watch(hub, one))
