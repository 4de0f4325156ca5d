"""Lets go of the days of the recent window that are older than the retention and that no capture still needs."""

from datetime import UTC, datetime
from typing import Final

import asyncpg
import structlog

from hub.kit.context import Hub
from hub.kit.workers import regularly
from hub.telemetry import days, merge_queries

log = structlog.get_logger(__name__)

PAUSE_S: Final = 600.0
DAY_US: Final = 86_400_000_000
# Captures that begin at this moment may reach back over the whole retention.
MARGIN_US: Final = 3_600_000_000
VECTORS_AT_ONCE: Final = 1000


async def run(hub: Hub) -> None:
    """Let go until cancelled."""
    await regularly(lambda: drop_old(hub), PAUSE_S, "retention waits")


async def drop_old(hub: Hub) -> list[int]:
    """Drop the days and vectors whose time is over; returns the days (since 1970) that went."""
    end = hub.clock.now_us() - hub.settings.retention_days * DAY_US - MARGIN_US
    async with hub.db.transaction() as tx:
        kept = await days.listed(tx)
    gone: list[int] = []
    for day in (day for day in kept if (day + 1) * DAY_US <= end):
        try:
            async with hub.db.transaction() as tx:
                await merge_queries.wait_shortly(tx)
                if await merge_queries.drop_day(tx, day):
                    gone.append(day)
        except asyncpg.LockNotAvailableError:
            log.info("a day is still read; it is dropped later", day=day)
    for day in gone:
        log.info("day dropped", day=datetime.fromtimestamp(day * 86_400, UTC).date().isoformat())
    await _delete_vectors(hub, end)
    return gone


async def _delete_vectors(hub: Hub, end: int) -> None:
    deleted = VECTORS_AT_ONCE
    while deleted == VECTORS_AT_ONCE:
        async with hub.db.transaction() as tx:
            deleted = await merge_queries.delete_vectors(tx, end, VECTORS_AT_ONCE)
