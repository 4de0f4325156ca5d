"""The worker that does the steps of every backfill."""

import asyncio
from typing import Final

import structlog

from hub.backfills import job
from hub.kit.context import Hub
from hub.kit.problems import DatabaseAway, TryAgain

log = structlog.get_logger(__name__)

PAUSE_S: Final = 0.5


async def run(hub: Hub) -> None:
    """Do backfills until cancelled."""
    while True:
        try:
            while await job.step(hub) is not None or await job.undo(hub):
                pass
        except DatabaseAway:
            log.info("backfills wait, the database is away")
        except TryAgain:
            log.info("a step of a backfill is tried again")
        await asyncio.sleep(PAUSE_S)
