"""The worker that lets go of what nobody decided about: held samples after a day, silent proposals after a month."""

from typing import Final

from hub.channels import holding_queries as queries
from hub.kit.db import Database
from hub.kit.workers import regularly

PAUSE_S: Final = 300.0
KEEP_HOURS: Final = 24
KEEP_SILENT_DAYS: Final = 30
ROWS_AT_ONCE: Final = 5_000


async def run(db: Database) -> None:
    """Tidy up every five minutes until cancelled."""
    await regularly(lambda: tidy(db), PAUSE_S, "tidying proposals waits")


async def tidy(db: Database) -> None:
    """Let go of what is over, in short transactions."""
    while True:
        async with db.transaction() as tx:
            dropped = await queries.drop_expired(tx, KEEP_HOURS, ROWS_AT_ONCE)
        if dropped < ROWS_AT_ONCE:
            break
    async with db.transaction() as tx:
        await queries.drop_silent(tx, KEEP_SILENT_DAYS)
