"""The worker that lets go of old entries."""

from typing import Final

from hub.journal import queries
from hub.kit.db import Database
from hub.kit.workers import regularly

PAUSE_S: Final = 3600.0
AT_ONCE: Final = 10_000


async def run(db: Database, days: int) -> None:
    """Delete what is older than `days` every hour, until cancelled."""
    await regularly(lambda: tidy(db, days), PAUSE_S, "tidying the journal waits")


async def tidy(db: Database, days: int, at_once: int = AT_ONCE) -> int:
    """Delete entries that are older than `days`, so many in a transaction; returns how many."""
    total = 0
    while True:
        async with db.transaction() as tx:
            deleted = await queries.delete_old(tx, days=days, most=at_once)
        total += deleted
        if deleted < at_once:
            return total
