"""The worker that lets go of old entries."""

import asyncio
from typing import Final

import structlog

from hub.journal import queries
from hub.kit.db import Database
from hub.kit.problems import DatabaseAway

log = structlog.get_logger(__name__)

PAUSE_S: Final = 3600.0
AT_ONCE: Final = 10_000


async def run(db: Database, days: int) -> None:
    """Delete what is older than `days` every hour, until cancelled."""
    while True:
        try:
            await tidy(db, days)
        except DatabaseAway:
            log.info("tidying the journal waits, the database is away")
        await asyncio.sleep(PAUSE_S)


async def tidy(db: Database, days: int, at_once: int = AT_ONCE) -> int:
    """Delete entries that are older than `days`, so many in a transaction; returns how many."""
    total = 0
    while True:
        async with db.transaction() as tx:
            deleted = await queries.delete_old(tx, days=days, most=at_once)
        total += deleted
        if deleted < at_once:
            return total
