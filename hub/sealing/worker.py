"""The worker that seals: finds what is due and does the steps of every seal that is planned."""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

import structlog

from hub.captures.models import FailureCode
from hub.kit.context import Hub
from hub.kit.db import Tx
from hub.kit.workers import regularly
from hub.ledger.service import Fact, record_for_system
from hub.sealing import job, queries, service
from hub.sealing.models import Cause

log = structlog.get_logger(__name__)

PAUSE_S: Final = 1.0
# What trickles in late is taken in together: after ten quiet minutes, or an hour at the latest.
LATE_QUIET_S: Final = 600.0
LATE_MOST_S: Final = 3600.0
DAY_S: Final = 86_400.0


async def run(hub: Hub) -> None:
    """Seal until cancelled."""

    async def seal() -> None:
        await find_due(hub)
        while await job.step(hub):
            pass

    await regularly(seal, PAUSE_S, "sealing waits")


async def find_due(hub: Hub) -> None:
    """Fail the finished captures that lack samples, and plan the seals whose time has come."""
    settings = hub.settings
    async with hub.db.transaction() as tx:
        for row in await queries.lacking(tx):
            await _fail(tx, row["id"], FailureCode(row["code"]), row["sensors"])
        for row in await queries.due(tx, grace_s=settings.seal_grace_s, wait_s=settings.seal_within_days * DAY_S):
            await service.plan(tx, row["id"], Cause(row["cause"]))
        for capture_id in await queries.late_due(tx, quiet_s=LATE_QUIET_S, most_s=LATE_MOST_S):
            await service.plan(tx, capture_id, Cause.LATE)


async def _fail(tx: Tx, capture_id: UUID, code: FailureCode, sensors: Sequence[Mapping[str, object]]) -> None:
    lacks = ", ".join(f"{one['sensor']} ({one['samples']})" for one in sensors)
    failure = f"Samples that were acknowledged could not be kept: {lacks}"
    await queries.lock_capture(tx, capture_id)
    place = await queries.place_of(tx, capture_id)
    if place is None or not await queries.fail(tx, capture_id, failure, code=code, sensors=sensors):
        return
    details = {"run_id": str(place["run_id"]), "failure": failure, "failure_code": code}
    fact = Fact("capture.failed", subject_id=capture_id, project_id=place["project_id"], details=details)
    await record_for_system(tx, fact, by=job.BY)
    log.warning("capture failed", capture=str(capture_id), failure=failure)
