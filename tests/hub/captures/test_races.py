"""Starts, Stops, ends and deletions of captures against each other: one wins, the other is told why."""

import asyncio
import random
from datetime import datetime
from uuid import UUID

import pytest
from aiohttp import web

from hub.captures import auto_stop
from hub.kit.context import HUB, Hub
from hub.kit.db import Tx
from tests.hub.callers import Caller
from tests.hub.races import TIMES, at_random, in_line, told
from tests.hub.rows import Rows

LOCK_RUNS = "select from run for update"
LOCK_CAPTURES = "select from capture_session for update"


@pytest.fixture
def chance() -> random.Random:
    return random.Random(12)


@pytest.fixture
def hub(app: web.Application) -> Hub:
    return app[HUB]


async def recording_run(rows: Rows) -> UUID:
    """Make a running run with a sensor to record."""
    return await rows.run("running", sensors=[await rows.sensor()])


class TestStop:
    async def due(self, rows: Rows, db: Tx) -> tuple[UUID, datetime]:
        capture_id = await rows.capture("running")
        due = await db.fetchval(
            """
            update capture_session
            set started_at = now() - interval '1 hour', auto_stop_at = now() - interval '1 minute'
            where id = $1
            returning auto_stop_at
            """,
            capture_id,
        )
        return capture_id, due

    async def test_against_the_automatic_stop(
        self, hub: Hub, editor: Caller, rows: Rows, db: Tx, chance: random.Random
    ) -> None:
        for number in range(1, TIMES + 1):
            capture_id, due = await self.due(rows, db)
            press = editor.post(f"/captures/{capture_id}/stop")
            stopped, _ = await at_random(chance, press, auto_stop.stop_due(hub))
            if stopped.status != 200:
                told(stopped, "capture-not-running", "is finished")
            assert await db.fetchval("select stopped_at from capture_session where id = $1", capture_id) == due
            assert await db.fetchval("select count(*) from fact where kind = 'capture.stopped'") == number

    async def test_automatic_while_somebody_stops(self, hub: Hub, editor: Caller, rows: Rows, db: Tx) -> None:
        """The worker waits for nobody: what another one holds it leaves to that one."""
        capture_id, _ = await self.due(rows, db)

        async def automatic() -> None:
            await auto_stop.stop_due(hub)
            assert await db.fetchval("select status from capture_session") == "running"

        async with asyncio.TaskGroup() as group, db.transaction():
            await db.execute(LOCK_CAPTURES)
            press = group.create_task(editor.post(f"/captures/{capture_id}/stop"))
            await automatic()
        assert press.result().status == 200

    @pytest.mark.parametrize("decided", [True, False])
    async def test_twice(
        self, editor: Caller, owner: Caller, rows: Rows, db: Tx, chance: random.Random, decided: bool
    ) -> None:
        for number in range(1, (2 if decided else TIMES) + 1):
            url = f"/captures/{await rows.capture('running')}/stop"
            presses = (editor.post(url), owner.post(url))
            answers = await (in_line(db, LOCK_CAPTURES, *presses) if decided else at_random(chance, *presses))
            assert sorted(answer.status for answer in answers) == [200, 409]
            told(max(answers, key=lambda answer: answer.status), "capture-not-running", "is finished")
            assert await db.fetchval("select count(*) from fact where kind = 'capture.stopped'") == number


class TestStartOfADraft:
    async def draft(self, rows: Rows) -> UUID:
        return await rows.capture(of=await recording_run(rows))

    @pytest.mark.parametrize("lock", [LOCK_RUNS, LOCK_CAPTURES, None])
    async def test_twice(
        self, editor: Caller, owner: Caller, rows: Rows, db: Tx, chance: random.Random, lock: str | None
    ) -> None:
        for number in range(1, (1 if lock else TIMES) + 1):
            url = f"/captures/{await self.draft(rows)}/start"
            presses = (editor.post(url), owner.post(url))
            answers = await (in_line(db, lock, *presses) if lock else at_random(chance, *presses))
            assert sorted(answer.status for answer in answers) == [200, 409]
            told(max(answers, key=lambda answer: answer.status), "capture-not-draft", "is running")
            assert await db.fetchval("select count(*) from fact where kind = 'capture.started'") == number

    async def test_before_its_deletion(self, editor: Caller, rows: Rows, db: Tx) -> None:
        url = f"/captures/{await self.draft(rows)}"
        started, deleted = await in_line(db, LOCK_CAPTURES, editor.post(f"{url}/start"), editor.delete(url))
        assert started.status == 200
        told(deleted, "capture-kept", "is running")

    async def test_after_its_deletion(self, editor: Caller, rows: Rows, db: Tx) -> None:
        url = f"/captures/{await self.draft(rows)}"
        deleted, started = await in_line(db, LOCK_CAPTURES, editor.delete(url), editor.post(f"{url}/start"))
        assert (deleted.status, started.status, started.code) == (204, 404, "not-found")

    async def test_against_its_deletion_by_chance(self, editor: Caller, rows: Rows, chance: random.Random) -> None:
        for _ in range(TIMES):
            url = f"/captures/{await self.draft(rows)}"
            started, deleted = await at_random(chance, editor.post(f"{url}/start"), editor.delete(url))
            assert (started.status, deleted.status) in {(200, 409), (404, 204)}


class TestEndOfARun:
    async def test_before_a_start(self, editor: Caller, rows: Rows, db: Tx) -> None:
        run_id = await recording_run(rows)
        ends, starts = editor.post(f"/runs/{run_id}/finish"), editor.post(f"/runs/{run_id}/captures")
        ended, started = await in_line(db, LOCK_RUNS, ends, starts)
        assert ended.status == 200
        told(started, "run-not-running", "Run 1 is succeeded")

    async def test_after_a_start(self, editor: Caller, rows: Rows, db: Tx) -> None:
        run_id = await recording_run(rows)
        starts, ends = editor.post(f"/runs/{run_id}/captures"), editor.post(f"/runs/{run_id}/finish")
        started, ended = await in_line(db, LOCK_RUNS, starts, ends)
        assert ended.status == 200
        stopped = (await editor.get(f"/captures/{started.ok['id']}")).ok
        assert stopped["status"] == "finished"
        assert stopped["stopped_at"] <= ended.ok["finished_at"]

    @pytest.mark.parametrize("draft", [True, False])
    async def test_by_chance(self, editor: Caller, rows: Rows, db: Tx, chance: random.Random, draft: bool) -> None:
        for _ in range(TIMES):
            run_id = await recording_run(rows)
            url = f"/captures/{await rows.capture(of=run_id)}/start" if draft else f"/runs/{run_id}/captures"
            started, ended = await at_random(chance, editor.post(url), editor.post(f"/runs/{run_id}/finish"))
            assert ended.status == 200
            if started.status >= 400:
                told(started, "run-not-running", "Run 1 is succeeded")
        assert await db.fetchval("select count(*) from capture_session where status = 'running'") == 0

    async def test_against_a_stop(self, editor: Caller, rows: Rows, db: Tx, chance: random.Random) -> None:
        for number in range(1, TIMES + 1):
            run_id = await recording_run(rows)
            capture_id = await rows.capture("running", of=run_id)
            stop, end = editor.post(f"/captures/{capture_id}/stop"), editor.post(f"/runs/{run_id}/finish")
            stopped, ended = await at_random(chance, stop, end)
            assert ended.status == 200
            if stopped.status >= 400:
                told(stopped, "capture-not-running", "is finished")
            assert await db.fetchval("select count(*) from fact where kind = 'capture.stopped'") == number


class TestTwoAtOnce:
    @pytest.mark.parametrize("decided", [True, False])
    async def test_ordinals(
        self, editor: Caller, owner: Caller, rows: Rows, db: Tx, chance: random.Random, decided: bool
    ) -> None:
        run_id = await recording_run(rows)
        url = f"/runs/{run_id}/captures"
        rounds = 1 if decided else TIMES
        for _ in range(rounds):
            presses = (editor.post(url), owner.post(url, {"start": False}))
            answers = await (in_line(db, LOCK_RUNS, *presses) if decided else at_random(chance, *presses))
            assert [answer.status for answer in answers] == [201, 201]
        ordinals = await db.fetch("select ordinal_number from capture_session order by 1")
        assert [row["ordinal_number"] for row in ordinals] == list(range(1, 2 * rounds + 1))

    @pytest.mark.parametrize("decided", [True, False])
    async def test_one_idempotency_key(
        self, editor: Caller, rows: Rows, db: Tx, chance: random.Random, decided: bool
    ) -> None:
        url = f"/runs/{await recording_run(rows)}/captures"
        for number in range(1, (1 if decided else TIMES) + 1):
            presses = [editor.post(url, Idempotency_Key=str(number)) for _ in range(2)]
            first, again = await (in_line(db, LOCK_RUNS, *presses) if decided else at_random(chance, *presses))
            assert first.ok == again.ok
            assert first.status == again.status == 201
            assert await db.fetchval("select count(*) from capture_session") == number
