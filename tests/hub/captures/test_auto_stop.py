"""The automatic stop: exact whenever it is done, once whoever does it."""

import asyncio
from datetime import datetime
from typing import Any

import pytest
from aiohttp import web

from hub.captures import auto_stop
from hub.kit.context import HUB, Hub
from hub.kit.db import Tx
from hub.settings import Role
from tests.hub.callers import Caller
from tests.hub.conftest import Make


@pytest.fixture
def hub(app: web.Application) -> Hub:
    return app[HUB]


@pytest.fixture
def start(editor: Caller, run: Make, sensor: Make) -> Make:
    """Start a capture of a new run with a duration."""

    async def make(**body: Any) -> dict[str, Any]:
        of = await run(await sensor())
        return (await editor.post(f"/runs/{of['id']}/captures", body)).ok

    return make


async def rewind(db: Tx) -> None:
    """Let an hour pass for every capture."""
    await db.execute(
        """
        update capture_session
        set started_at = started_at - interval '1 hour', auto_stop_at = auto_stop_at - interval '1 hour'
        """
    )


class TestStopDue:
    async def test_not_yet(self, hub: Hub, editor: Caller, start: Make) -> None:
        assert await auto_stop.stop_due(hub) is None
        endless, timed = await start(), await start(duration_s=100.0)
        wait_s = await auto_stop.stop_due(hub)
        assert wait_s is not None
        assert 0 < wait_s <= 100
        for made in (endless, timed):
            assert (await editor.get(f"/captures/{made['id']}")).ok["status"] == "running"

    async def test_late_job_stops_at_the_planned_time(
        self, hub: Hub, editor: Caller, start: Make, db: Tx, project: str
    ) -> None:
        made = await start(duration_s=100.0)
        await rewind(db)
        due = await db.fetchval("select auto_stop_at from capture_session")
        assert await auto_stop.stop_due(hub) is None
        stopped = (await editor.get(f"/captures/{made['id']}")).ok
        assert (stopped["status"], datetime.fromisoformat(stopped["stopped_at"])) == ("finished", due)
        fact = await db.fetchrow("select * from fact where kind = 'capture.stopped'")
        assert fact is not None
        assert (fact["principal_kind"], str(fact["project_id"])) == ("system", project)
        assert fact["details"] == {"run_id": made["run_id"], "automatic": True}

    async def test_two_at_once(self, hub: Hub, start: Make, db: Tx) -> None:
        for _ in range(3):
            await start(duration_s=100.0)
        await rewind(db)
        await asyncio.gather(*(auto_stop.stop_due(hub) for _ in range(4)))
        assert await db.fetchval("select count(*) from fact where kind = 'capture.stopped'") == 3


class TestWorker:
    @pytest.fixture
    def roles(self) -> frozenset[Role]:
        return frozenset({"api", "worker"})

    async def test_stops_by_itself(self, editor: Caller, start: Make) -> None:
        made = await start(duration_s=0.2)

        async with asyncio.timeout(10):
            while (await editor.get(f"/captures/{made['id']}")).ok["status"] == "running":  # noqa: ASYNC110 - over HTTP
                await asyncio.sleep(0.02)
        capture = (await editor.get(f"/captures/{made['id']}")).ok
        assert capture["stopped_at"] == capture["auto_stop_at"]
