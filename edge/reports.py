"""Tells the hub what never reaches it as samples, each count once, however often it has to be said."""

import asyncio
import sqlite3
from typing import Final

import structlog

from edge.backoff import Backoff
from edge.hub_client import HubClient, Unavailable
from edge.spool import Spool

log: Final = structlog.get_logger(__name__)


async def run(spool: Spool, hub: HubClient, backoff: Backoff, interval_s: float) -> None:
    """Report for ever, at most once per interval; a count stays in the spool until the hub has confirmed it."""
    while True:
        wait_s = interval_s
        try:
            problem = await _tell_dropped(spool, hub) or await _tell_unreadable(spool, hub)
        except sqlite3.OperationalError as error:
            log.warning("spool not usable", error=str(error))
        else:
            if problem is None:
                backoff.reset()
            else:
                log.warning("counts not yet reported", reason=problem.reason)
                wait_s = backoff.next_s(problem.retry_after_s)
        await asyncio.sleep(wait_s)


async def _tell_dropped(spool: Spool, hub: HubClient) -> Unavailable | None:
    report = await spool.next_report() if spool.unreported else None
    if report is None:
        return None
    problem = await hub.send_dropped(report)
    if problem is None:
        await spool.settle_report(report)
        log.warning("dropped samples reported to the hub", samples=report.samples, sensors=len(report.dropped))
    return problem


async def _tell_unreadable(spool: Spool, hub: HubClient) -> Unavailable | None:
    report = await spool.next_unreadable() if spool.unreadable else None
    if report is None:
        return None
    problem = await hub.send_unreadable(report)
    if problem is None:
        await spool.settle_unreadable(report)
        log.warning("unreadable messages reported to the hub", messages=report.messages, kinds=len(report.unreadable))
    return problem
