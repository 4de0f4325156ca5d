"""The worker that does the steps of every backfill, and tells viewers how far they are."""

import asyncio
from typing import Final

import asyncpg
import structlog

from hub.backfills import job, job_queries
from hub.events.models import Event, EventKind
from hub.events.service import Events
from hub.kit.context import Hub
from hub.kit.problems import DatabaseAway, TryAgain

log = structlog.get_logger(__name__)

PAUSE_S: Final = 0.5
SHOWN: Final = ("capture_id", "sensor_id", "revision", "status", "samples", "done")


async def run(hub: Hub, events: Events) -> None:
    """Do backfills until cancelled."""
    while True:
        try:
            while (done := await job.step(hub)) is not None or await job.undo(hub):
                if done is not None:
                    await _tell(hub, events, done)
        except DatabaseAway:
            log.info("backfills wait, the database is away")
        except TryAgain:
            log.info("a step of a backfill is tried again")
        await asyncio.sleep(PAUSE_S)


async def _tell(hub: Hub, events: Events, done: asyncpg.Record) -> None:
    async with hub.db.connection() as connection:
        row = await job_queries.progress(connection, done["id"])
    if row is not None:
        over = row["status"] not in {"waiting", "running"}
        kind = EventKind.BACKFILL_FINISHED if over else EventKind.BACKFILL_PROGRESS
        events.publish(done["project_id"], Event(kind, done["id"], {name: row[name] for name in SHOWN}))
