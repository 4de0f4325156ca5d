"""Tells the hub what a full spool dropped, each count once, however often it has to be said."""

import asyncio
import sqlite3
from typing import Final

import structlog

from edge.backoff import Backoff
from edge.hub_client import HubClient
from edge.spool import Spool

log: Final = structlog.get_logger(__name__)


async def run(spool: Spool, hub: HubClient, backoff: Backoff, interval_s: float) -> None:
    """Report for ever, at most once per interval; a count stays in the spool until the hub has confirmed it."""
    while True:
        wait_s = interval_s
        if spool.unreported:
            try:
                wait_s = await _report(spool, hub, backoff, interval_s)
            except sqlite3.OperationalError as error:
                log.warning("spool not usable", error=str(error))
        await asyncio.sleep(wait_s)


async def _report(spool: Spool, hub: HubClient, backoff: Backoff, interval_s: float) -> float:
    report = await spool.next_report()
    if report is None:
        return interval_s
    problem = await hub.send_dropped(report)
    if problem is not None:
        log.warning("dropped samples not yet reported", samples=report.samples, reason=problem.reason)
        return backoff.next_s(problem.retry_after_s)
    await spool.settle_report(report)
    backoff.reset()
    log.warning("dropped samples reported to the hub", samples=report.samples, sensors=len(report.dropped))
    return interval_s
