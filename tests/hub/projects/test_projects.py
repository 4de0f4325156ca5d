"""Projects over HTTP: who sees them, who changes them."""

from tests.hub.callers import Caller
from tests.hub.conftest import Login


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
