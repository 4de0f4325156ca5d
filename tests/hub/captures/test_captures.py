"""Captures over HTTP: Start, Stop, their times by the database's clock, and what holds them."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from hub.kit.db import Tx
from hub.settings import Settings
from tests.hub.callers import Caller
from tests.hub.conftest import Login, Make
from tests.hub.races import all_behind


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Samples are kept for ten days."""
    return settings.model_copy(update={"retention_days": 10})


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def clock(db: Tx) -> datetime:
    return await db.fetchval("select clock_timestamp()")


@pytest.fixture
def start(editor: Caller, run: Make, sensor: Make) -> Make:
    """Start a capture of a new running run with one recorded sensor; keyword arguments go into the request."""

    async def make(run_id: str | None = None, **body: Any) -> dict[str, Any]:
        of = run_id or (await run(await sensor()))["id"]
        return (await editor.post(f"/runs/{of}/captures", body)).ok

    return make


class TestCreate:
    async def test_roles(self, anonymous: Caller, login: Login, run: Make, sensor: Make) -> None:
        url = f"/runs/{(await run(await sensor()))['id']}/captures"
        assert (await anonymous.post(url)).status == 401
        assert (await (await login()).post(url)).status == 404
        assert (await (await login("viewer")).post(url)).status == 403
        assert (await (await login("editor")).post(url)).status == 201

    async def test_starts_by_the_databases_clock(
        self, editor: Caller, run: Make, sensor: Make, db: Tx, project: str
    ) -> None:
        one = await sensor()
        of = await run(one)
        before = await clock(db)
        made = (await editor.post(f"/runs/{of['id']}/captures", {"notes": "cold"})).ok
        assert before < at(made["started_at"]) < await clock(db)
        expected = {
            "run_id": of["id"],
            "experiment_id": of["experiment_id"],
            "project_id": project,
            "ordinal_number": 1,
            "status": "running",
            "archived": False,
            "stopped_at": None,
            "auto_stop_at": None,
            "duration_s": None,
            "notes": "cold",
            "initiated_by": {"id": editor.id, "name": editor.name, "role": "editor"},
            "sensor_ids": [one["id"]],
            "run_number": 1,
            "run_name": "run",
            "experiment_name": "Warm-up",
        }
        assert {name: made[name] for name in expected} == expected
        assert (await editor.get(f"/captures/{made['id']}")).ok == made

    async def test_pre_roll_and_duration(self, start: Make, db: Tx) -> None:
        before = await clock(db)
        made = await start(pre_roll_s=12.5, duration_s=60.25)
        after = await clock(db)
        moment = at(made["started_at"]) + timedelta(seconds=12.5)
        assert before < moment < after
        assert at(made["auto_stop_at"]) == moment + timedelta(seconds=60.25)
        assert (made["pre_roll_s"], made["duration_s"]) == (12.5, 60.25)

    async def test_nothing_to_record(self, editor: Caller, run: Make, sensor: Make, db: Tx) -> None:
        of = await run()
        bound = {"sensors": [{"sensor_id": (await sensor())["id"], "mode": "monitor"}]}
        for _ in range(2):
            refused = await editor.post(f"/runs/{of['id']}/captures")
            assert (refused.status, refused.code) == (409, "nothing-to-record")
            await editor.put(f"/runs/{of['id']}/sensors", bound)
        assert await db.fetchval("select count(*) from capture_session") == 0

    async def test_only_recorded_sensors_in_their_order(self, editor: Caller, run: Make, sensor: Make) -> None:
        of = await run()
        one, two, three = [(await sensor())["id"] for _ in range(3)]
        bound = [{"sensor_id": three}, {"sensor_id": one, "mode": "monitor"}, {"sensor_id": two}]
        await editor.put(f"/runs/{of['id']}/sensors", {"sensors": bound})
        assert (await editor.post(f"/runs/{of['id']}/captures")).ok["sensor_ids"] == [three, two]

    async def test_run_that_does_not_run(self, editor: Caller, run: Make, sensor: Make) -> None:
        of = await run(await sensor(), start=False)
        refused = await editor.post(f"/runs/{of['id']}/captures")
        assert (refused.status, refused.code) == (409, "run-not-running")
        assert "is draft" in refused.body["detail"]
        await editor.post(f"/runs/{of['id']}/start")
        await editor.post(f"/runs/{of['id']}/finish")
        assert "is succeeded" in (await editor.post(f"/runs/{of['id']}/captures")).body["detail"]
        assert (await editor.post(f"/runs/{of['id']}/captures", {"start": False})).code == "run-over"

    async def test_draft(self, editor: Caller, run: Make) -> None:
        of = await run(start=False)
        made = (await editor.post(f"/runs/{of['id']}/captures", {"start": False, "duration_s": 5})).ok
        assert (made["status"], made["started_at"], made["auto_stop_at"]) == ("draft", None, None)
        assert (made["duration_s"], made["sensor_ids"]) == (5.0, [])

    async def test_ordinal_numbers(self, editor: Caller, run: Make, sensor: Make) -> None:
        of = await run(await sensor())
        url = f"/runs/{of['id']}/captures"
        made = await asyncio.gather(*(editor.post(url, {"start": False}) for _ in range(6)))
        assert sorted(answer.ok["ordinal_number"] for answer in made) == [1, 2, 3, 4, 5, 6]
        last = next(answer.ok for answer in made if answer.ok["ordinal_number"] == 6)
        await editor.delete(f"/captures/{last['id']}")
        assert (await editor.post(url)).ok["ordinal_number"] == 7

    async def test_repeated_with_its_key(self, editor: Caller, run: Make, sensor: Make, db: Tx) -> None:
        url = f"/runs/{(await run(await sensor()))['id']}/captures"
        answers = await asyncio.gather(*(editor.post(url, Idempotency_Key="press") for _ in range(4)))
        assert {answer.status for answer in answers} == {201}
        assert len({answer.body["id"] for answer in answers}) == 1
        assert await db.fetchval("select count(*) from capture_session") == 1
        other = await editor.post(url, {"notes": "another"}, Idempotency_Key="press")
        assert (other.status, other.code) == (409, "idempotency-conflict")

    async def test_pre_roll_beyond_what_is_kept(self, editor: Caller, start: Make, run: Make, sensor: Make) -> None:
        await start(pre_roll_s=10 * 86_400.0)
        url = f"/runs/{(await run(await sensor()))['id']}/captures"
        answer = await editor.post(url, {"pre_roll_s": 10 * 86_400 + 0.5})
        assert (answer.status, answer.code) == (422, "pre-roll-too-long")

    async def test_captures_of_one_sensor_overlap(self, editor: Caller, start: Make, run: Make, sensor: Make) -> None:
        """In one run and across runs, each with its own range."""
        made = await sensor()
        first, second = await run(made), await run(made)
        captures = [await start(run_id=of["id"]) for of in (first, first, second)]
        assert [one["sensor_ids"] for one in captures] == [[made["id"]]] * 3
        for one in captures:
            assert (await editor.post(f"/captures/{one['id']}/stop")).ok["status"] == "finished"

    @pytest.mark.parametrize("wrong", [{"duration_s": 0}, {"duration_s": -1}, {"pre_roll_s": -1}, {"start": "later"}])
    async def test_bad_payload(self, editor: Caller, run: Make, wrong: dict[str, object]) -> None:
        answer = await editor.post(f"/runs/{(await run())['id']}/captures", wrong)
        assert (answer.status, answer.body["errors"][0]["loc"]) == (422, ["body", *wrong])


class TestStart:
    async def test_roles(self, anonymous: Caller, stranger: Caller, viewer: Caller, start: Make) -> None:
        url = f"/captures/{(await start(start=False))['id']}/start"
        assert (await anonymous.post(url)).status == 401
        assert (await stranger.post(url)).status == 404
        assert (await viewer.post(url)).status == 403

    async def test_by_another_user(self, owner: Caller, start: Make) -> None:
        draft = await start(start=False, duration_s=30)
        started = (await owner.post(f"/captures/{draft['id']}/start")).ok
        assert (started["status"], started["initiated_by"]["id"]) == ("running", owner.id)
        assert at(started["auto_stop_at"]) == at(started["started_at"]) + timedelta(seconds=30)

    async def test_once(self, editor: Caller, start: Make, db: Tx) -> None:
        draft = await start(start=False)
        url = f"/captures/{draft['id']}/start"
        lock = "update capture_session set notes = notes"
        answers = await all_behind(db, lock, *(editor.post(url) for _ in range(3)))
        assert sorted(answer.status for answer in answers) == [200, 409, 409]
        refused = next(answer for answer in answers if answer.status == 409)
        assert (refused.code, "is running" in refused.body["detail"]) == ("capture-not-draft", True)
        assert await db.fetchval("select count(*) from fact where kind = 'capture.started'") == 1

    async def test_race_with_the_end_of_its_run(self, editor: Caller, start: Make, db: Tx) -> None:
        for _ in range(5):
            draft = await start(start=False)
            start_it = editor.post(f"/captures/{draft['id']}/start")
            end_its_run = editor.post(f"/runs/{draft['run_id']}/finish")
            await all_behind(db, "update run set name = name", start_it, end_its_run)
        assert await db.fetchval("select count(*) from capture_session where status = 'running'") == 0
        assert await db.fetchval("select count(*) from run where status = 'succeeded'") == 5


class TestStop:
    async def test_roles(self, anonymous: Caller, stranger: Caller, viewer: Caller, start: Make) -> None:
        url = f"/captures/{(await start())['id']}/stop"
        assert (await anonymous.post(url)).status == 401
        assert (await stranger.post(url)).status == 404
        assert (await viewer.post(url)).status == 403

    async def test_now(self, editor: Caller, start: Make, db: Tx) -> None:
        made = await start()
        before = await clock(db)
        stopped = (await editor.post(f"/captures/{made['id']}/stop")).ok
        assert before < at(stopped["stopped_at"]) < await clock(db)
        assert stopped == made | {"status": "finished", "stopped_at": stopped["stopped_at"]}

    async def test_once(self, editor: Caller, start: Make, db: Tx) -> None:
        url = f"/captures/{(await start())['id']}/stop"
        lock = "update capture_session set notes = notes"
        answers = await all_behind(db, lock, *(editor.post(url) for _ in range(3)))
        assert sorted(answer.status for answer in answers) == [200, 409, 409]
        refused = next(answer for answer in answers if answer.status == 409)
        assert (refused.code, "is finished" in refused.body["detail"]) == ("capture-not-running", True)
        assert await db.fetchval("select count(*) from fact where kind = 'capture.stopped'") == 1

    async def test_draft(self, editor: Caller, start: Make) -> None:
        refused = await editor.post(f"/captures/{(await start(start=False))['id']}/stop")
        assert (refused.status, refused.code) == (409, "capture-not-running")

    async def test_after_the_automatic_stop_was_due(self, editor: Caller, start: Make, db: Tx) -> None:
        made = await start(duration_s=3600)
        due = await db.fetchval(
            """
            update capture_session
            set started_at = started_at - interval '2 hours', auto_stop_at = auto_stop_at - interval '2 hours'
            returning auto_stop_at
            """
        )
        assert at((await editor.post(f"/captures/{made['id']}/stop")).ok["stopped_at"]) == due

    async def test_never_before_it_started(self, editor: Caller, start: Make, db: Tx) -> None:
        made = await start()
        future = await db.fetchval(
            "update capture_session set started_at = started_at + interval '1 hour' returning started_at"
        )
        assert at((await editor.post(f"/captures/{made['id']}/stop")).ok["stopped_at"]) == future

    async def test_end_of_the_run_stops_all(self, editor: Caller, start: Make, db: Tx) -> None:
        made = await start()
        second = await start(run_id=made["run_id"])
        draft = await start(run_id=made["run_id"], start=False)
        ended = (await editor.post(f"/runs/{made['run_id']}/finish")).ok
        items = (await editor.get(f"/runs/{made['run_id']}/captures")).ok["items"]
        assert [(item["id"], item["status"]) for item in items] == [
            (draft["id"], "draft"),
            (second["id"], "finished"),
            (made["id"], "finished"),
        ]
        assert at(items[1]["stopped_at"]) < at(ended["finished_at"])
        assert await db.fetchval("select count(*) from fact where kind = 'capture.stopped'") == 2

    async def test_batch_that_ends_the_run(self, editor: Caller, start: Make) -> None:
        made = await start()
        await editor.post("/runs/batch-status", {"run_ids": [made["run_id"]], "status": "failed"})
        assert (await editor.get(f"/captures/{made['id']}")).ok["status"] == "finished"


class TestFrozenSensors:
    async def test_bindings_may_change_meanwhile(self, owner: Caller, start: Make, sensor: Make) -> None:
        made = await start()
        other = await sensor()
        await owner.put(f"/runs/{made['run_id']}/sensors", {"sensors": [{"sensor_id": other["id"]}]})
        assert (await owner.get(f"/captures/{made['id']}")).ok["sensor_ids"] == made["sensor_ids"]
        assert (await owner.post(f"/runs/{made['run_id']}/captures")).ok["sensor_ids"] == [other["id"]]

    async def test_hold_the_sensor_until_stop(self, owner: Caller, start: Make) -> None:
        made = await start()
        await owner.put(f"/runs/{made['run_id']}/sensors", {"sensors": []})
        refused = await owner.delete(f"/sensors/{made['sensor_ids'][0]}")
        assert (refused.status, refused.code) == (409, "sensor-held")
        assert "capture 1 of run 1 of Warm-up (running)" in refused.body["detail"]
        await owner.post(f"/captures/{made['id']}/stop")
        assert (await owner.delete(f"/sensors/{made['sensor_ids'][0]}")).status == 204
        assert (await owner.get(f"/captures/{made['id']}")).ok["sensor_ids"] == made["sensor_ids"]


class TestLists:
    async def test_anonymous_and_stranger(self, anonymous: Caller, stranger: Caller, start: Make) -> None:
        made = await start()
        for url in (f"/runs/{made['run_id']}/captures", f"/projects/{made['project_id']}/captures"):
            assert (await anonymous.get(url)).status == 401
            assert (await stranger.get(url)).status == 404

    async def test_what_records_now(
        self, viewer: Caller, editor: Caller, start: Make, project: str, other_project: str, login: Login
    ) -> None:
        first, second = await start(), await start()
        await editor.post(f"/captures/{first['id']}/stop")
        assert (await viewer.get(f"/projects/{project}/captures?status=running")).ok["items"] == [second]
        theirs = await login("viewer", in_project=other_project)
        assert (await theirs.get(f"/projects/{other_project}/captures")).ok["items"] == []

    async def test_pages_and_archived(self, viewer: Caller, editor: Caller, start: Make) -> None:
        of = (await start())["run_id"]
        made = [await start(run_id=of) for _ in range(2)]
        url = f"/runs/{of}/captures"
        page = (await viewer.get(f"{url}?limit=2")).ok
        assert page["items"] == made[::-1]
        rest = (await viewer.get(f"{url}?limit=2&cursor={page['next_cursor']}")).ok
        assert [item["ordinal_number"] for item in rest["items"]] == [1]
        await editor.post(f"/captures/{made[0]['id']}/stop")
        await editor.patch(f"/captures/{made[0]['id']}", {"archived": True})
        assert [item["ordinal_number"] for item in (await viewer.get(f"{url}?archived=true")).ok["items"]] == [2]
        assert len((await viewer.get(f"{url}?archived=false")).ok["items"]) == 2


class TestUpdate:
    async def test_roles(self, anonymous: Caller, stranger: Caller, viewer: Caller, start: Make) -> None:
        url = f"/captures/{(await start())['id']}"
        assert (await anonymous.patch(url, {"notes": "x"})).status == 401
        assert (await stranger.patch(url, {"notes": "x"})).status == 404
        assert (await viewer.patch(url, {"notes": "x"})).status == 403

    async def test_notes_and_archived(self, editor: Caller, start: Make) -> None:
        made = await start()
        url = f"/captures/{made['id']}"
        assert (await editor.patch(url, {"notes": "valve stuck"})).ok == made | {"notes": "valve stuck"}
        refused = await editor.patch(url, {"archived": True})
        assert (refused.status, refused.code) == (409, "capture-not-over")
        await editor.post(f"{url}/stop")
        assert (await editor.patch(url, {"archived": True})).ok["archived"]
        assert not (await editor.patch(url, {"archived": False})).ok["archived"]


class TestDelete:
    async def test_roles(self, anonymous: Caller, stranger: Caller, viewer: Caller, start: Make) -> None:
        url = f"/captures/{(await start(start=False))['id']}"
        assert (await anonymous.delete(url)).status == 401
        assert (await stranger.delete(url)).status == 404
        assert (await viewer.delete(url)).status == 403

    @pytest.mark.parametrize("status", ["draft", "failed"])
    async def test_without_data(self, editor: Caller, start: Make, db: Tx, status: str) -> None:
        made = await start(start=status == "failed")
        await db.execute("update capture_session set status = $1", status)
        assert (await editor.delete(f"/captures/{made['id']}")).status == 204
        assert (await editor.get(f"/captures/{made['id']}")).status == 404

    @pytest.mark.parametrize("status", ["running", "finished", "sealed"])
    async def test_kept(self, editor: Caller, start: Make, db: Tx, status: str) -> None:
        made = await start()
        if status != "running":
            await editor.post(f"/captures/{made['id']}/stop")
        await db.execute("update capture_session set status = $1", status)
        refused = await editor.delete(f"/captures/{made['id']}")
        assert (refused.status, refused.code) == (409, "capture-kept")
        assert f"is {status}" in refused.body["detail"]
        assert (await editor.get(f"/captures/{made['id']}")).status == 200


class TestFacts:
    async def test_every_step(self, editor: Caller, start: Make, db: Tx, project: str) -> None:
        made = await start()
        await editor.post(f"/captures/{made['id']}/stop")
        draft = await start(run_id=made["run_id"], start=False)
        await editor.delete(f"/captures/{draft['id']}")
        facts = await db.fetch(
            "select kind, principal_id::text, role, project_id::text from fact where kind like 'capture.%' order by id"
        )
        assert [fact["kind"].partition(".")[2] for fact in facts] == [
            "created",
            "started",
            "stopped",
            "created",
            "deleted",
        ]
        assert {tuple(fact)[1:] for fact in facts} == {(editor.id, "editor", project)}
