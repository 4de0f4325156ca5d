"""Runs over HTTP: creation, parameters, bound sensors, states."""

import asyncio

import pytest

from hub.kit.db import Tx
from tests.hub.callers import Caller
from tests.hub.conftest import Login, Make
from tests.hub.races import all_behind


class TestCreate:
    async def test_roles(self, anonymous: Caller, login: Login, experiment: Make) -> None:
        url = f"/experiments/{(await experiment())['id']}/runs"
        assert (await anonymous.post(url, {"name": "r"})).status == 401
        assert (await (await login()).post(url, {"name": "r"})).status == 404
        assert (await (await login("viewer")).post(url, {"name": "r"})).status == 403
        assert (await (await login("editor")).post(url, {"name": "r"})).status == 201

    async def test_answer(self, editor: Caller, experiment: Make, project: str) -> None:
        of = await experiment()
        body = {
            "name": "baseline",
            "params": {"rpm": 1500, "load": {"kN": 1.25}, "stages": [1, None, "x"]},
            "config": {"gain": 2},
            "git_sha": "0a1b2c3",
            "environment": {"ambient": "21 °C"},
        }
        made = (await editor.post(f"/experiments/{of['id']}/runs", body)).ok
        expected = body | {
            "experiment_id": of["id"],
            "project_id": project,
            "number": 1,
            "status": "draft",
            "started_at": None,
            "finished_at": None,
            "duration_s": None,
            "sensors": [],
        }
        assert {name: made[name] for name in expected} == expected
        assert (await editor.get(f"/runs/{made['id']}")).ok == made

    async def test_numbers_have_no_gaps_or_repeats(self, editor: Caller, experiment: Make, db: Tx) -> None:
        of, other = await experiment(), await experiment()
        url = f"/experiments/{of['id']}/runs"
        requests = (editor.post(url, {"name": "r"}) for _ in range(8))
        made = await all_behind(db, "update experiment set name = name", *requests)
        assert sorted(answer.ok["number"] for answer in made) == list(range(1, 9))
        assert (await editor.post(f"/experiments/{other['id']}/runs", {"name": "r"})).ok["number"] == 1

    @pytest.mark.parametrize(
        "wrong", [{"name": ""}, {"params": [1]}, {"git_sha": "main"}, {"environment": "lab"}, {"name": None}]
    )
    async def test_bad_payload(self, editor: Caller, experiment: Make, wrong: dict[str, object]) -> None:
        answer = await editor.post(f"/experiments/{(await experiment())['id']}/runs", {"name": "r"} | wrong)
        assert (answer.status, answer.body["errors"][0]["loc"]) == (422, ["body", *wrong])


class TestList:
    async def test_filters_and_pages(
        self, anonymous: Caller, stranger: Caller, viewer: Caller, experiment: Make, run: Make
    ) -> None:
        of = await experiment()
        url = f"/experiments/{of['id']}/runs"
        made = [await run(experiment_id=of["id"], start=start) for start in (True, False, True)]
        assert (await anonymous.get(url)).status == 401
        assert (await stranger.get(url)).status == 404
        assert (await viewer.get(url)).ok["items"] == made[::-1]
        assert (await viewer.get(f"{url}?status=draft")).ok["items"] == [made[1]]
        page = (await viewer.get(f"{url}?limit=2")).ok
        assert (await viewer.get(f"{url}?cursor={page['next_cursor']}")).ok["items"] == [made[0]]


class TestRead:
    async def test_anonymous_and_stranger(self, anonymous: Caller, stranger: Caller, run: Make) -> None:
        url = f"/runs/{(await run())['id']}"
        assert (await anonymous.get(url)).status == 401
        assert (await stranger.get(url)).status == 404


class TestUpdate:
    async def test_roles(self, anonymous: Caller, stranger: Caller, viewer: Caller, run: Make) -> None:
        url = f"/runs/{(await run())['id']}"
        assert (await anonymous.patch(url, {"name": "x"})).status == 401
        assert (await stranger.patch(url, {"name": "x"})).status == 404
        assert (await viewer.patch(url, {"name": "x"})).status == 403

    async def test_absent_fields_stay(self, editor: Caller, run: Make) -> None:
        made = await run(params={"a": 1}, git_sha="abcdef0")
        assert (await editor.patch(f"/runs/{made['id']}", {"params": {"b": 2}})).ok == made | {"params": {"b": 2}}

    async def test_archived(self, editor: Caller, run: Make) -> None:
        made = await run(start=False)
        await editor.post("/runs/batch-status", {"run_ids": [made["id"]], "status": "archived"})
        refused = await editor.patch(f"/runs/{made['id']}", {"name": "x"})
        assert (refused.status, refused.code) == (409, "run-over")


class TestPutSensors:
    async def test_roles(self, anonymous: Caller, stranger: Caller, viewer: Caller, run: Make) -> None:
        url = f"/runs/{(await run())['id']}/sensors"
        assert (await anonymous.put(url, {"sensors": []})).status == 401
        assert (await stranger.put(url, {"sensors": []})).status == 404
        assert (await viewer.put(url, {"sensors": []})).status == 403

    async def test_replaces(self, editor: Caller, run: Make, sensor: Make) -> None:
        url = f"/runs/{(await run())['id']}/sensors"
        one, two, three = [(await sensor())["id"] for _ in range(3)]
        bound = {"sensors": [{"sensor_id": two}, {"sensor_id": one, "mode": "monitor"}]}
        assert (await editor.put(url, bound)).ok["sensors"] == [
            {"sensor_id": two, "mode": "record"},
            {"sensor_id": one, "mode": "monitor"},
        ]
        assert (await editor.put(url, {"sensors": [{"sensor_id": three}]})).ok["sensors"] == [
            {"sensor_id": three, "mode": "record"}
        ]
        assert (await editor.put(url, {"sensors": []})).ok["sensors"] == []

    async def test_foreign_deleted_and_repeated_sensors(
        self, owner: Caller, login: Login, run: Make, sensor: Make, other_project: str
    ) -> None:
        theirs = await login("owner", in_project=other_project)
        body = {"name": "s", "type": "other", "input_unit": "V", "display_unit": "V"}
        foreign = (await theirs.post(f"/projects/{other_project}/sensors", body)).ok["id"]
        mine, gone = (await sensor())["id"], (await sensor())["id"]
        await owner.delete(f"/sensors/{gone}")
        made = await run()
        bound = {"sensors": [{"sensor_id": id_} for id_ in (mine, foreign, gone, mine)]}
        answer = await owner.put(f"/runs/{made['id']}/sensors", bound)
        assert answer.status == 422
        assert [error["loc"] for error in answer.body["errors"]] == [
            ["body", "sensors", place, "sensor_id"] for place in (1, 2, 3)
        ]
        assert (await owner.get(f"/runs/{made['id']}")).ok["sensors"] == []

    async def test_run_over(self, editor: Caller, run: Make, sensor: Make) -> None:
        made = await run(await sensor())
        await editor.post(f"/runs/{made['id']}/finish")
        refused = await editor.put(f"/runs/{made['id']}/sensors", {"sensors": []})
        assert (refused.status, refused.code) == (409, "run-over")
        assert "succeeded" in refused.body["detail"]

    async def test_holds_the_sensor(self, owner: Caller, run: Make, sensor: Make) -> None:
        held = await sensor()
        made = await run(held, start=False)
        refused = await owner.delete(f"/sensors/{held['id']}")
        assert (refused.status, refused.code) == (409, "sensor-held")
        assert "run 1 of Warm-up (draft)" in refused.body["detail"]
        await owner.put(f"/runs/{made['id']}/sensors", {"sensors": []})
        assert (await owner.delete(f"/sensors/{held['id']}")).status == 204

    async def test_race_with_the_sensors_deletion(self, owner: Caller, run: Make, sensor: Make, db: Tx) -> None:
        for _ in range(5):
            made, free = await run(start=False), await sensor()
            bind = owner.put(f"/runs/{made['id']}/sensors", {"sensors": [{"sensor_id": free["id"]}]})
            delete = owner.delete(f"/sensors/{free['id']}")
            bound, deleted = await all_behind(db, "select from sensor for update", bind, delete)
            assert (bound.status, deleted.status) in {(200, 409), (422, 204)}
        assert not await db.fetchval(
            """
            select exists (
              select from run_sensor join sensor on sensor.id = run_sensor.sensor_id
              where deleted_at is not null
            )
            """
        )


class TestStart:
    async def test_roles(self, anonymous: Caller, stranger: Caller, viewer: Caller, run: Make) -> None:
        url = f"/runs/{(await run(start=False))['id']}/start"
        assert (await anonymous.post(url)).status == 401
        assert (await stranger.post(url)).status == 404
        assert (await viewer.post(url)).status == 403

    async def test_starts_its_experiment(self, editor: Caller, run: Make, db: Tx) -> None:
        made = await run(start=False)
        before = await db.fetchval("select clock_timestamp()")
        started = (await editor.post(f"/runs/{made['id']}/start")).ok
        assert started["status"] == "running"
        assert before < await db.fetchval("select started_at from run") < await db.fetchval("select clock_timestamp()")
        assert (await editor.get(f"/experiments/{made['experiment_id']}")).ok["status"] == "running"

    async def test_once(self, editor: Caller, run: Make, db: Tx) -> None:
        made = await run(start=False)
        url = f"/runs/{made['id']}/start"
        answers = await all_behind(db, "update run set name = name", *(editor.post(url) for _ in range(4)))
        assert sorted(answer.status for answer in answers) == [200, 409, 409, 409]
        refused = next(answer for answer in answers if answer.status == 409)
        assert refused.code == "run-move-refused"
        assert "is running" in refused.body["detail"]


class TestFinish:
    async def test_roles(self, anonymous: Caller, stranger: Caller, viewer: Caller, run: Make) -> None:
        url = f"/runs/{(await run())['id']}/finish"
        assert (await anonymous.post(url)).status == 401
        assert (await stranger.post(url)).status == 404
        assert (await viewer.post(url)).status == 403

    @pytest.mark.parametrize(("body", "status"), [({}, "succeeded"), ({"status": "failed"}, "failed")])
    async def test_ends(self, editor: Caller, run: Make, body: dict[str, str], status: str) -> None:
        made = await run()
        ended = (await editor.post(f"/runs/{made['id']}/finish", body)).ok
        assert (ended["status"], ended["started_at"]) == (status, made["started_at"])
        assert ended["finished_at"] > ended["started_at"]
        assert ended["duration_s"] > 0
        again = await editor.post(f"/runs/{made['id']}/finish", body)
        assert (again.status, again.code) == (409, "run-move-refused")

    async def test_draft(self, editor: Caller, run: Make) -> None:
        refused = await editor.post(f"/runs/{(await run(start=False))['id']}/finish")
        assert (refused.status, refused.code) == (409, "run-move-refused")
        assert "is draft" in refused.body["detail"]

    async def test_unknown_status(self, editor: Caller, run: Make) -> None:
        assert (await editor.post(f"/runs/{(await run())['id']}/finish", {"status": "draft"})).status == 422


class TestBatchStatus:
    async def test_roles(self, anonymous: Caller, stranger: Caller, viewer: Caller, run: Make) -> None:
        body = {"run_ids": [(await run(start=False))["id"]], "status": "scheduled"}
        assert (await anonymous.post("/runs/batch-status", body)).status == 401
        assert (await stranger.post("/runs/batch-status", body)).status == 404
        assert (await viewer.post("/runs/batch-status", body)).status == 403

    async def test_moves_all(self, editor: Caller, run: Make, db: Tx) -> None:
        made = [await run(start=False) for _ in range(3)]
        body = {"run_ids": [item["id"] for item in made], "status": "scheduled"}
        moved = (await editor.post("/runs/batch-status", body)).ok["items"]
        assert {item["id"]: item["status"] for item in moved} == {item["id"]: "scheduled" for item in made}
        started = (await editor.post("/runs/batch-status", body | {"status": "running"})).ok["items"]
        assert all(item["started_at"] is not None for item in started)
        assert await db.fetchval("select count(*) from fact where kind = 'run.status_changed'") == 6

    async def test_or_none(self, editor: Caller, stranger: Caller, run: Make, db: Tx) -> None:
        draft, running = await run(start=False), await run()
        body = {"run_ids": [draft["id"], running["id"]], "status": "scheduled"}
        refused = await editor.post("/runs/batch-status", body)
        assert (refused.status, refused.code) == (409, "run-move-refused")
        assert (await editor.get(f"/runs/{draft['id']}")).ok["status"] == "draft"
        unknown = body | {"run_ids": [draft["id"], "00000000-0000-0000-0000-000000000000"]}
        assert (await editor.post("/runs/batch-status", unknown)).status == 404
        assert await db.fetchval("select count(*) from run where status = 'scheduled'") == 0

    async def test_batches_in_opposite_orders(self, editor: Caller, run: Make) -> None:
        made = [(await run(start=False))["id"] for _ in range(4)]
        for status in ("scheduled", "draft", "scheduled"):
            answers = await asyncio.gather(
                editor.post("/runs/batch-status", {"run_ids": made, "status": status}),
                editor.post("/runs/batch-status", {"run_ids": made[::-1], "status": status}),
            )
            assert sorted(answer.status for answer in answers) == [200, 409]
