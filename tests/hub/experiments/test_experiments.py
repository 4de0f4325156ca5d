"""Experiments over HTTP: who works with them, their states, archiving."""

from hub.kit.db import Tx
from tests.hub.callers import Caller
from tests.hub.conftest import Login, Make
from tests.hub.races import all_behind


class TestCreate:
    async def test_roles(self, anonymous: Caller, login: Login, project: str) -> None:
        url = f"/projects/{project}/experiments"
        assert (await anonymous.post(url, {"name": "e"})).status == 401
        assert (await (await login()).post(url, {"name": "e"})).status == 404
        assert (await (await login("viewer")).post(url, {"name": "e"})).status == 403
        editor = await login("editor")
        made = (await editor.post(url, {"name": "e", "description": "d", "tags": ["pump", "cold"]})).ok
        expected = {
            "project_id": project,
            "name": "e",
            "description": "d",
            "tags": ["pump", "cold"],
            "status": "draft",
            "owner_id": editor.id,
        }
        assert {name: made[name] for name in expected} == expected

    async def test_text_that_cannot_be_stored(self, editor: Caller, project: str) -> None:
        body = b'{"name": "a", "description": "x\\u0000y", "tags": ["\\\\u0000"]}'
        answer = await editor.post(f"/projects/{project}/experiments", body)
        assert (answer.status, [error["loc"] for error in answer.body["errors"]]) == (422, [["body", "description"]])
        assert (await editor.get(f"/projects/{project}/experiments?q=%00")).status == 422


class TestList:
    async def test_anonymous_and_stranger(self, anonymous: Caller, stranger: Caller, project: str) -> None:
        assert (await anonymous.get(f"/projects/{project}/experiments")).status == 401
        assert (await stranger.get(f"/projects/{project}/experiments")).status == 404

    async def test_filters_and_pages(self, viewer: Caller, editor: Caller, experiment: Make, project: str) -> None:
        for name, tags in (("Pump cold", ["cold"]), ("Pump warm", ["warm"]), ("Valve", ["cold"])):
            await experiment(name=name, tags=tags)

        async def names(query: str) -> list[str]:
            page = (await viewer.get(f"/projects/{project}/experiments?{query}")).ok
            return [item["name"] for item in page["items"]]

        assert await names("") == ["Valve", "Pump warm", "Pump cold"]
        assert await names("q=PUMP") == ["Pump warm", "Pump cold"]
        assert await names("tag=cold&limit=1") == ["Valve"]
        assert await names("status=running") == []


class TestRead:
    async def test_roles(self, anonymous: Caller, stranger: Caller, viewer: Caller, experiment: Make) -> None:
        made = await experiment()
        url = f"/experiments/{made['id']}"
        assert (await anonymous.get(url)).status == 401
        assert (await stranger.get(url)).status == 404
        assert (await viewer.get(url)).ok == made


class TestUpdate:
    async def test_roles(self, anonymous: Caller, stranger: Caller, viewer: Caller, experiment: Make) -> None:
        url = f"/experiments/{(await experiment())['id']}"
        assert (await anonymous.patch(url, {"name": "x"})).status == 401
        assert (await stranger.patch(url, {"name": "x"})).status == 404
        assert (await viewer.patch(url, {"name": "x"})).status == 403

    async def test_absent_fields_stay(self, editor: Caller, experiment: Make) -> None:
        made = await experiment(tags=["a"], description="d")
        changed = (await editor.patch(f"/experiments/{made['id']}", {"name": "x"})).ok
        assert changed == made | {"name": "x", "updated_at": changed["updated_at"]}
        assert changed["updated_at"] > made["updated_at"]
        assert (await editor.patch(f"/experiments/{made['id']}", {"tags": []})).ok["tags"] == []

    async def test_status(self, editor: Caller, experiment: Make, db: Tx) -> None:
        url = f"/experiments/{(await experiment())['id']}"
        refused = await editor.patch(url, {"status": "succeeded"})
        assert (refused.status, refused.code) == (409, "experiment-move-refused")
        assert "draft" in refused.body["detail"]
        assert (await editor.patch(url, {"status": "running"})).ok["status"] == "running"
        assert (await editor.patch(url, {"status": "failed"})).ok["status"] == "failed"
        assert (await editor.patch(url, {"status": "archived"})).status == 422
        moves = await db.fetch("select details from fact where kind = 'experiment.status_changed' order by id")
        assert [row["details"] for row in moves] == [
            {"from": "draft", "to": "running"},
            {"from": "running", "to": "failed"},
        ]


class TestArchive:
    async def test_roles(self, anonymous: Caller, stranger: Caller, viewer: Caller, experiment: Make) -> None:
        url = f"/experiments/{(await experiment())['id']}/archive"
        assert (await anonymous.post(url)).status == 401
        assert (await stranger.post(url)).status == 404
        assert (await viewer.post(url)).status == 403

    async def test_final(self, editor: Caller, experiment: Make) -> None:
        url = f"/experiments/{(await experiment())['id']}"
        assert (await editor.post(f"{url}/archive")).ok["status"] == "archived"
        for answer in (
            await editor.post(f"{url}/archive"),
            await editor.patch(url, {"name": "x"}),
            await editor.post(f"{url}/runs", {"name": "r"}),
        ):
            assert (answer.status, answer.code) == (409, "experiment-archived")

    async def test_held_by_runs(self, editor: Caller, experiment: Make, run: Make) -> None:
        made = await experiment()
        url = f"/experiments/{made['id']}/archive"
        running = await run(experiment_id=made["id"])
        scheduled = await run(experiment_id=made["id"], start=False)
        await run(experiment_id=made["id"], start=False)
        batch = {"run_ids": [scheduled["id"]], "status": "scheduled"}
        assert (await editor.post("/runs/batch-status", batch)).status == 200
        held = await editor.post(url)
        assert (held.status, held.code) == (409, "experiment-held")
        assert "run 1 (running); run 2 (scheduled)" in held.body["detail"]
        assert (await editor.post(f"/runs/{running['id']}/finish")).status == 200
        assert "run 2 (scheduled)" in (await editor.post(url)).body["detail"]
        assert (await editor.post("/runs/batch-status", batch | {"status": "archived"})).status == 200
        assert (await editor.post(url)).ok["status"] == "archived"

    async def test_race_with_the_start_of_a_run(self, editor: Caller, experiment: Make, run: Make, db: Tx) -> None:
        for _ in range(3):
            made = await experiment()
            draft = await run(experiment_id=made["id"], start=False)
            archive = editor.post(f"/experiments/{made['id']}/archive")
            start = editor.post(f"/runs/{draft['id']}/start")
            archived, started = await all_behind(db, "update experiment set name = name", archive, start)
            assert sorted((archived.status, started.status)) == [200, 409]
        assert not await db.fetchval(
            """
            select exists (
              select from run join experiment on experiment.id = run.experiment_id
              where experiment.status = 'archived' and run.status = 'running'
            )
            """
        )


class TestDelete:
    async def test_roles(self, anonymous: Caller, login: Login, experiment: Make) -> None:
        url = f"/experiments/{(await experiment())['id']}"
        assert (await anonymous.delete(url)).status == 401
        assert (await (await login()).delete(url)).status == 404
        assert (await (await login("editor")).delete(url)).status == 403
        owner = await login("owner")
        assert (await owner.delete(url)).status == 204
        assert (await owner.get(url)).status == 404

    async def test_held_by_runs(self, owner: Caller, experiment: Make, run: Make) -> None:
        made = await experiment()
        await run(experiment_id=made["id"], start=False)
        held = await owner.delete(f"/experiments/{made['id']}")
        assert (held.status, held.code) == (409, "experiment-held")
