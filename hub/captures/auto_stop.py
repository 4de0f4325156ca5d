"""Stops captures whose duration is over, as a worker; what it did not live to do, the next one does."""

import asyncio

import structlog

from hub.captures import queries
from hub.kit.context import Hub
from hub.ledger.service import Fact, record_for_system

log = structlog.get_logger(__name__)

# A capture that was started meanwhile is seen after this time at the latest; its stopped_at is exact all the same.
MIN_SLEEP_S, MAX_SLEEP_S = 0.02, 0.5


async def run(hub: Hub) -> None:
    """Stop captures when their time comes, until cancelled."""
    while True:
        wait_s = await stop_due(hub)
        await asyncio.sleep(MAX_SLEEP_S if wait_s is None else min(max(wait_s, MIN_SLEEP_S), MAX_SLEEP_S))


async def stop_due(hub: Hub) -> float | None:
    """Stop every capture that is due; returns the seconds until the next one, None when none is planned."""
    async with hub.db.transaction() as tx:
        stopped = await queries.stop_due(tx)
        for row in stopped:
            fact = Fact(
                "capture.stopped",
                subject_id=row["id"],
                project_id=row["project_id"],
                details={"run_id": str(row["run_id"]), "automatic": True},
            )
            await record_for_system(tx, fact, by="captures.auto_stop")
        wait_s = await queries.next_due_s(tx)
    for row in stopped:
        log.info("capture stopped", capture=str(row["id"]), automatic=True)
    return wait_s
