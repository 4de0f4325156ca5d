"""Captures with something to convert anew; seals and backfills are done step by step, by the test."""

from typing import Any
from uuid import UUID

from hub.backfills import job
from hub.kit.context import Hub
from tests.hub.callers import Caller
from tests.hub.past_rules import past_rules
from tests.hub.sealing.conftest import Recorded, hub, recorded, roles, spectra

__all__ = ["hub", "recorded", "roles", "spectra"]

STEEP = {"kind": "linear", "slope": 10.0, "intercept": 0.0}


async def backfill_all(hub: Hub) -> int:
    """Do every step of every backfill that is planned, and return how many there were."""
    steps = 0
    while await job.step(hub) is not None or await job.undo(hub):
        steps += 1
    return steps


async def new_version(owner: Caller, recorded: Recorded, payload: dict[str, Any] = STEEP) -> dict[str, Any]:
    """Publish a version of the recorded sensor's profile that has begun already."""
    drafted = (await owner.post(f"/sensors/{recorded.sensor['id']}/profiles", {"payload": payload})).ok
    published = (await owner.post(f"/profiles/{drafted['id']}/publish", {})).ok
    async with past_rules(recorded.db):
        await recorded.db.execute(
            "update conversion_profile set valid_to = now() where sensor_id = $1 and valid_to > now()",
            UUID(recorded.sensor["id"]),
        )
        await recorded.db.execute("update conversion_profile set valid_from = now() where valid_from > now()")
    return published


async def series(caller: Caller, recorded: Recorded, query: str = "") -> dict[str, Any]:
    """Read what the capture shows of the recorded sensor."""
    return (await caller.get(f"/captures/{recorded.id}/samples?sensor_id={recorded.sensor['id']}{query}")).ok
