"""Projects over HTTP: who sees them, who changes them."""

import pytest

from hub.kit.db import Tx
from tests.hub.callers import Caller
from tests.hub.conftest import Device, Login, Make
from tests.hub.races import all_behind, until


class TestList:
    async def test_anonymous(self, anonymous: Caller) -> None:
        answer = await anonymous.get("/projects")
        assert (answer.status, answer.code) == (401, "unauthenticated")
        assert answer.headers["WWW-Authenticate"] == "Bearer"

    async def test_only_ones_own(self, viewer: Caller, stranger: Caller, project: str) -> None:
        assert [item["id"] for item in (await viewer.get("/projects")).ok["items"]] == [project]
        assert (await stranger.get("/projects")).ok == {"items": [], "next_cursor": None}

    async def test_pages(self, stranger: Caller) -> None:
        made = [(await stranger.post("/projects", {"name": f"p{n}"})).ok["id"] for n in range(5)]
        seen: list[str] = []
        cursor = ""
        for _ in range(3):
            page = (await stranger.get(f"/projects?limit=2{cursor}")).ok
            seen += [item["id"] for item in page["items"]]
            cursor = f"&cursor={page['next_cursor']}"
        assert page["next_cursor"] is None
        assert seen == made[::-1]

    async def test_foreign_cursor(self, stranger: Caller) -> None:
        for cursor in ("x", "bm90aGluZw==", "%FF"):
            answer = await stranger.get(f"/projects?cursor={cursor}")
            assert (answer.status, answer.body["errors"][0]["loc"]) == (422, ["query", "cursor"])


class TestCreate:
    async def test_anonymous(self, anonymous: Caller) -> None:
        assert (await anonymous.post("/projects", {"name": "mine"})).status == 401

    async def test_makes_its_creator_the_owner(self, stranger: Caller) -> None:
        answer = await stranger.post("/projects", {"name": "mine", "raw_policy": "open"})
        assert answer.status == 201
        assert answer.body["role"] == "owner"
        assert answer.body["raw_policy"] == "open"
        assert (await stranger.get(f"/projects/{answer.body['id']}")).ok == answer.body

    async def test_bad_payload(self, stranger: Caller) -> None:
        answer = await stranger.post("/projects", {"name": "", "raw_policy": "sometimes"})
        assert (answer.status, answer.code) == (422, "invalid-payload")
        assert sorted(error["loc"] for error in answer.body["errors"]) == [["body", "name"], ["body", "raw_policy"]]
        assert answer.body["instance"] == answer.headers["X-Request-ID"]


class TestRead:
    async def test_anonymous(self, anonymous: Caller, project: str) -> None:
        assert (await anonymous.get(f"/projects/{project}")).status == 401

    async def test_stranger_cannot_tell_it_from_none(self, stranger: Caller, project: str) -> None:
        theirs = await stranger.get(f"/projects/{project}")
        none = await stranger.get("/projects/00000000-0000-0000-0000-000000000000")
        assert (theirs.status, theirs.code, theirs.body["detail"]) == (404, "not-found", none.body["detail"])

    async def test_each_role(self, login: Login, project: str) -> None:
        for role in ("viewer", "editor", "owner"):
            caller = await login(role)
            assert (await caller.get(f"/projects/{project}")).ok["role"] == role


class TestUpdate:
    async def test_roles(self, anonymous: Caller, login: Login, project: str) -> None:
        expected = {"viewer": 403, "editor": 403, "owner": 200}
        assert (await anonymous.patch(f"/projects/{project}", {"name": "new"})).status == 401
        assert (await (await login()).patch(f"/projects/{project}", {"name": "new"})).status == 404
        for role, status in expected.items():
            answer = await (await login(role)).patch(f"/projects/{project}", {"name": "new"})
            assert answer.status == status, role
            assert answer.code in {"", "role-too-low"}

    async def test_absent_fields_stay(self, owner: Caller, project: str) -> None:
        await owner.patch(f"/projects/{project}", {"description": "vibration of pumps"})
        renamed = (await owner.patch(f"/projects/{project}", {"name": "pumps"})).ok
        assert (renamed["name"], renamed["description"]) == ("pumps", "vibration of pumps")


class TestSettings:
    @pytest.mark.parametrize(("role", "status"), [(None, 404), ("viewer", 403), ("editor", 403), ("owner", 200)])
    async def test_only_owners_change_them(self, login: Login, project: str, role: str | None, status: int) -> None:
        answer = await (await login(role)).patch(f"/projects/{project}/settings", {"raw_policy": "open"})
        assert answer.status == status

    async def test_act_at_once(self, owner: Caller, viewer: Caller, project: str, sensor: Make) -> None:
        samples = f"/sensors/{(await sensor())['id']}/samples?values=raw"
        assert (await viewer.get(samples)).code == "raw-not-allowed"
        await owner.patch(f"/projects/{project}/settings", {"raw_policy": "open"})
        assert (await viewer.get(samples)).status == 200
        await owner.patch(f"/projects/{project}/settings", {"raw_policy": "physical-only"})
        assert (await viewer.get(samples)).code == "raw-not-allowed"
        assert (await viewer.get(f"/projects/{project}/settings")).ok == {"raw_policy": "physical-only"}


class TestDelete:
    @pytest.mark.parametrize(("role", "status"), [(None, 404), ("viewer", 403), ("editor", 403), ("owner", 204)])
    async def test_only_owners(self, login: Login, project: str, role: str | None, status: int) -> None:
        assert (await (await login(role)).delete(f"/projects/{project}")).status == status

    async def test_nobody_sees_it_any_more(
        self, owner: Caller, editor: Caller, project: str, sensor: Make, run: Make, db: Tx
    ) -> None:
        one = await sensor()
        made = await run(one)
        assert (await owner.delete(f"/projects/{project}")).status == 204
        for url in (f"/projects/{project}", f"/sensors/{one['id']}", f"/runs/{made['id']}"):
            assert (await editor.get(url)).status == 404
        assert (await editor.get("/projects")).ok["items"] == []
        assert (await editor.get("/sensors")).ok["items"] == []
        assert (await editor.get("/auth/me")).ok["projects"] == []
        assert await db.fetchval("select count(*) from run") == 1

    async def test_its_devices_are_refused(
        self, owner: Caller, project: str, sensor: Make, agent: Make, device: Device
    ) -> None:
        one, edge = await sensor(), await agent(default=True)
        assert (await device(one).post(f"/sensors/{one['id']}/heartbeat")).status == 204
        assert (await owner.delete(f"/projects/{project}")).status == 204
        assert (await device(one).post(f"/sensors/{one['id']}/heartbeat")).status == 401
        assert (await device(edge).get("/edge/config")).status == 401

        async def is_refused() -> bool:
            answer = await device(one).call("POST", "/telemetry", {"samples": [{"t": 1.0, "v": 1.0}]})
            return answer.status == 401

        await until(is_refused)

    async def test_not_while_it_records(
        self, owner: Caller, editor: Caller, project: str, sensor: Make, run: Make
    ) -> None:
        made = await run(await sensor())
        capture = (await editor.post(f"/runs/{made['id']}/captures")).ok
        answer = await owner.delete(f"/projects/{project}")
        assert (answer.status, answer.code) == (409, "project-busy")
        assert "capture 1 of run 1 of Warm-up (running)" in answer.body["detail"]
        await editor.post(f"/captures/{capture['id']}/stop")
        assert (await owner.delete(f"/projects/{project}")).status == 204

    async def test_against_a_start(
        self, owner: Caller, editor: Caller, project: str, sensor: Make, run: Make, db: Tx
    ) -> None:
        made = await run(await sensor())
        answers = await all_behind(
            db,
            "select from project for update",
            owner.delete(f"/projects/{project}"),
            editor.post(f"/runs/{made['id']}/captures"),
        )
        assert [answer.status for answer in answers] in ([204, 404], [409, 201])
        running = await db.fetchval("select count(*) from capture_session where status = 'running'")
        assert (answers[0].status == 204) is (running == 0)
