"""The worker that lets go of what is over: sessions, links, kept answers, tokens, invites; facts about them stay."""

from typing import Final

from hub.auth import tidy_queries
from hub.kit.db import Database
from hub.kit.workers import regularly

PAUSE_S: Final = 3600.0
# Addresses are known for so long (see throttle), so sessions are kept as long.
KEEP_DAYS: Final = 90
KEEP_LINKS_DAYS: Final = 1
KEEP_ANSWERS_HOURS: Final = 24


async def run(db: Database) -> None:
    """Tidy up every hour until cancelled."""
    await regularly(lambda: tidy(db), PAUSE_S, "tidying waits")


async def tidy(db: Database) -> None:
    """Delete what nobody can use any more and nobody needs to look at."""
    async with db.transaction() as tx:
        await tidy_queries.delete_sessions(tx, KEEP_DAYS)
        await tidy_queries.delete_personal_tokens(tx, KEEP_DAYS)
        await tidy_queries.delete_invites(tx, KEEP_DAYS)
        await tidy_queries.delete_resets(tx, KEEP_LINKS_DAYS)
        await tidy_queries.delete_idempotency_keys(tx, KEEP_ANSWERS_HOURS)
