"""The edge agent put together: intake, spool, forwarder, profiles and heartbeats under one roof."""

import asyncio
import contextlib
import time
from importlib.metadata import version
from typing import Final

import structlog

from edge import reports, status, status_reports
from edge.backoff import Backoff
from edge.clock import now_us
from edge.forwarder import Forwarder, Limits
from edge.heartbeats import Heartbeats
from edge.hub_client import HubClient
from edge.intake import BrokerAddress, Identity, Intake
from edge.profiles import Profiles
from edge.settings import EdgeSettings
from edge.spool import Spool
from edge.status import State, Status

log: Final = structlog.get_logger(__name__)

FIRST_ANSWER_S: Final = 3.0
REPORT_INTERVAL_S: Final = 1.0
VERSION: Final = version("experiment-tracking-platform")


async def serve(settings: EdgeSettings, *, leaving: bool = False) -> None:
    """Run one agent until cancelled, or when leaving until its session on the broker is ended and its spool empty.

    Raises `SpoolInUse` when another agent uses its folder, and in a group `NotLeft`.
    """
    spool = await Spool.open(settings.spool_file, settings.edge_spool_bytes)
    try:
        async with HubClient(settings.hub, settings.read_token, settings.edge_request_timeout_s) as hub:
            log.info("edge agent starts", agent=str(settings.edge_agent_id), waiting=spool.samples)
            await _run(settings, spool, hub, leaving=leaving)
    finally:
        await spool.aclose()
        log.info("edge agent stopped", waiting=spool.samples)


async def _run(settings: EdgeSettings, spool: Spool, hub: HubClient, *, leaving: bool) -> None:
    profiles = Profiles(hub, settings.folder / "config.json", settings.edge_config_interval_s)
    profiles.load_cache()
    # Before the first message, so that a fresh agent converts from the beginning; a silent hub delays little.
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(FIRST_ANSWER_S):
            await profiles.refresh()
    heartbeats = Heartbeats(hub, time.monotonic)
    limits = Limits(settings.edge_batch_samples, settings.edge_batch_bytes, settings.edge_linger_ms / 1000)
    forwarder = Forwarder(spool, hub, limits, Backoff(settings.edge_backoff_max_s), now_us)

    def now() -> Status:
        return Status(
            state=_state(intake, forwarder),
            at=now_us() / 1e6,
            agent=settings.edge_agent_id,
            instance=settings.edge_instance,
            version=VERSION,
            waiting=spool.samples,
            waiting_bytes=spool.bytes,
            spool_bytes=spool.max_bytes,
            oldest_age_s=0.0 if spool.oldest_us is None else (now_us() - spool.oldest_us) / 1e6,
            received=intake.samples,
            forwarded=forwarder.forwarded,
            rejected=forwarder.rejected,
            dropped=intake.dropped,
            unreported=spool.unreported,
            refused=spool.refused,
            sensors=len(profiles),
            hub_problem=forwarder.hub_problem,
            broker_problem=intake.broker_problem,
            blocked=intake.blocked,
        )

    intake = Intake(
        identity=Identity(settings.edge_agent_id, settings.edge_instance),
        address=BrokerAddress(*settings.broker),
        read_token=settings.read_token,
        spool=spool,
        profiles=profiles,
        heartbeats=heartbeats,
        backoff=Backoff(settings.edge_backoff_max_s),
        now_us=now_us,
        status=now,
        status_interval_s=settings.edge_status_interval_s,
        drop_oldest=settings.edge_spool_full == "drop-oldest",
    )
    async with asyncio.TaskGroup() as tasks:
        others = [
            tasks.create_task(forwarder.run()),
            tasks.create_task(profiles.run()),
            tasks.create_task(heartbeats.run()),
            tasks.create_task(reports.run(spool, hub, Backoff(60.0), REPORT_INTERVAL_S)),
            tasks.create_task(status.keep(settings.folder, now, settings.edge_status_interval_s)),
            tasks.create_task(status_reports.run(hub, now, settings.edge_status_interval_s)),
        ]
        if not leaving:
            await intake.run()
        await intake.leave()
        await spool.emptied()
        for task in others:
            task.cancel()


def _state(intake: Intake, forwarder: Forwarder) -> State:
    if intake.blocked:
        return "full"
    if intake.broker_problem:
        return "disconnected"
    return "buffering" if forwarder.hub_problem else "online"
