"""Backfills as they run in earnest: the hub's own workers seal, convert and tell viewers."""

import asyncio
from typing import Any

import pytest

from hub.events.models import EventKind
from hub.events.service import listen
from hub.kit.db import Tx
from hub.settings import Role, Settings
from tests.hub.backfills.conftest import new_version
from tests.hub.callers import Caller
from tests.hub.conftest import Device, Make
from tests.hub.races import until
from tests.hub.sealing.conftest import Recorded


@pytest.fixture
def roles() -> frozenset[Role]:
    """Every part of the hub runs."""
    return frozenset({"api", "writer", "live", "worker"})


async def test_from_the_button_to_the_last_event(
    owner: Caller, sensor: Make, run: Make, device: Device, db: Tx, settings: Settings
) -> None:
    made = await sensor()
    recorded = Recorded(owner, device(made), db, made, await run(made))
    await recorded.spread(20)
    await recorded.capture()
    version = await new_version(owner, recorded)
    told: list[tuple[str, dict[str, Any]]] = []
    heard = asyncio.Event()

    async def hear() -> None:
        async for one in listen(settings.redis_url):
            heard.set()
            if one is not None and one.event.kind in {EventKind.BACKFILL_PROGRESS, EventKind.BACKFILL_FINISHED}:
                told.append((str(one.event.subject_id), dict(one.event.details)))

    hearing = asyncio.create_task(hear())
    await heard.wait()
    path = f"/captures/{recorded.id}/backfills"
    started = (await owner.post(path, {"profile_id": version["id"]})).ok

    async def finished() -> bool:
        return bool(told) and told[-1][1]["status"] == "finished"

    await until(finished, within_s=15)
    hearing.cancel()
    assert [one for one, _ in told] == [started["id"]] * 2
    assert [(details["status"], details["done"]) for _, details in told] == [("running", 20), ("finished", 20)]
    assert (await owner.get(f"/captures/{recorded.id}")).ok["revision"] == 2
