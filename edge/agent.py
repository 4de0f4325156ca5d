"""The edge agent put together: intake, spool, forwarder, profiles and heartbeats under one roof."""

import asyncio
import contextlib
import time
from typing import Final

import structlog

from edge.backoff import Backoff
from edge.forwarder import Forwarder, Limits
from edge.heartbeats import Heartbeats
from edge.hub_client import HubClient
from edge.intake import BrokerAddress, Intake
from edge.profiles import Profiles
from edge.settings import EdgeSettings
from edge.spool import Spool

log: Final = structlog.get_logger(__name__)

FIRST_ANSWER_S: Final = 3.0


def now_us() -> int:
    """Read the clock, µs since 1970."""
    return time.time_ns() // 1000


async def serve(settings: EdgeSettings) -> None:
    """Run one agent until cancelled; raise `SpoolInUse` when another agent uses its folder."""
    spool = await Spool.open(settings.folder / "spool.sqlite", settings.edge_spool_bytes)
    try:
        async with HubClient(settings.hub, settings.read_token, settings.edge_request_timeout_s) as hub:
            log.info("edge agent starts", agent=str(settings.edge_agent_id), waiting=spool.samples)
            await _run(settings, spool, hub)
    finally:
        await spool.aclose()
        log.info("edge agent stopped", waiting=spool.samples)


async def _run(settings: EdgeSettings, spool: Spool, hub: HubClient) -> None:
    profiles = Profiles(hub, settings.folder / "config.json", settings.edge_config_interval_s)
    profiles.load_cache()
    # Before the first message, so that a fresh agent converts from the beginning; a silent hub delays little.
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(FIRST_ANSWER_S):
            await profiles.refresh()
    heartbeats = Heartbeats(hub, time.monotonic)
    limits = Limits(settings.edge_batch_samples, settings.edge_batch_bytes, settings.edge_linger_ms / 1000)
    forwarder = Forwarder(spool, hub, limits, Backoff(settings.edge_backoff_max_s), now_us)

    def status() -> dict[str, object]:
        return {
            "state": "full" if intake.blocked else "buffering" if forwarder.hub_problem else "online",
            "at": now_us() / 1e6,
            "waiting": spool.samples,
            "waiting_bytes": spool.bytes,
            "refused": spool.refused,
            "received": intake.samples,
            "forwarded": forwarder.forwarded,
            "rejected": forwarder.rejected,
            "sensors": len(profiles),
            "hub_problem": forwarder.hub_problem,
            "blocked": intake.blocked,
        }

    intake = Intake(
        agent_id=settings.edge_agent_id,
        address=BrokerAddress(*settings.broker),
        read_token=settings.read_token,
        spool=spool,
        profiles=profiles,
        heartbeats=heartbeats,
        backoff=Backoff(settings.edge_backoff_max_s),
        now_us=now_us,
        status=status,
        status_interval_s=settings.edge_status_interval_s,
    )
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(intake.run())
        tasks.create_task(forwarder.run())
        tasks.create_task(profiles.run())
        tasks.create_task(heartbeats.run())
