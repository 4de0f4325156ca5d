"""Personal tokens: made by a session, never more than their user, narrowed by scope and project."""

import uuid

import pytest

from hub.kit.db import Tx
from tests.hub.callers import Caller
from tests.hub.conftest import Forget, Make


async def token_of(user: Caller, scope: str = "read", **fields: object) -> Caller:
    """Make a personal token of a user and a caller that shows it."""
    made = (await user.post("/auth/tokens", {"name": "ci", "scope": scope} | fields)).ok
    return Caller(user.client, made["token"], made["id"], made["name"])


class TestCreate:
    async def test_anonymous(self, anonymous: Caller) -> None:
        assert (await anonymous.post("/auth/tokens", {"name": "ci", "scope": "read"})).status == 401

    async def test_shown_once(self, owner: Caller, db: Tx) -> None:
        made = (await owner.post("/auth/tokens", {"name": "ci", "scope": "read"})).ok
        assert made["token"].startswith("etpp_")
        (listed,) = (await owner.get("/auth/tokens")).ok["items"]
        assert listed == {key: value for key, value in made.items() if key != "token"}
        assert made["token"].encode() not in await db.fetchval("select digest from personal_token")

    @pytest.mark.parametrize(
        "wrong", [{"scope": "all"}, {"expires_in_days": 0}, {"expires_in_days": 367}, {"name": " "}]
    )
    async def test_bad_payload(self, owner: Caller, wrong: dict[str, object]) -> None:
        assert (await owner.post("/auth/tokens", {"name": "ci", "scope": "read"} | wrong)).status == 422

    async def test_for_a_project_of_others(self, stranger: Caller, project: str) -> None:
        body = {"name": "ci", "scope": "read", "project_id": project}
        assert (await stranger.post("/auth/tokens", body)).status == 404


class TestUse:
    async def test_reads(self, viewer: Caller, project: str) -> None:
        token = await token_of(viewer)
        assert (await token.get(f"/projects/{project}")).ok["role"] == "viewer"
        assert (await token.get("/auth/me")).ok["name"] == viewer.name

    async def test_scope(self, owner: Caller, project: str) -> None:
        read, write, admin = [await token_of(owner, scope) for scope in ("read", "write", "admin")]
        experiments, patch = f"/projects/{project}/experiments", {"name": "bench 5"}
        answers = [await token.post(experiments, {"name": "e"}) for token in (read, write, admin)]
        assert [answer.status for answer in answers] == [403, 201, 201]
        assert answers[0].code == "token-not-enough"
        answers = [await token.patch(f"/projects/{project}", patch) for token in (read, write, admin)]
        assert [answer.status for answer in answers] == [403, 403, 200]

    async def test_never_more_than_its_user(self, viewer: Caller, project: str) -> None:
        token = await token_of(viewer, "admin")
        assert (await token.post(f"/projects/{project}/experiments", {"name": "e"})).code == "role-too-low"

    async def test_in_one_project_only(
        self, owner: Caller, project: str, other_project: str, db: Tx, sensor: Make, forget: Forget
    ) -> None:
        await db.execute(
            "insert into project_member (project_id, user_id, role) values ($1, $2, 'owner')",
            uuid.UUID(other_project),
            uuid.UUID(owner.id),
        )
        forget()
        here, there = await sensor(), await sensor(in_project=other_project)
        token = await token_of(owner, project_id=project)
        assert [one["id"] for one in (await token.get("/projects")).ok["items"]] == [project]
        assert [one["id"] for one in (await token.get("/sensors")).ok["items"]] == [here["id"]]
        assert (await token.get(f"/sensors?project_id={other_project}")).ok["items"] == []
        assert (await token.get(f"/sensors/{here['id']}")).status == 200
        assert (await token.get(f"/sensors/{there['id']}")).status == 404
        assert (await token.get(f"/projects/{other_project}")).status == 404
        assert (await owner.get(f"/sensors/{there['id']}")).status == 200

        assert [one["id"] for one in (await token.get("/auth/me")).ok["projects"]] == [project]
        admin = await token_of(owner, "admin", project_id=project)
        answer = await admin.post("/projects", {"name": "another"})
        assert (answer.status, answer.code) == (403, "token-of-one-project")

    async def test_narrows_the_role_of_its_user(self, owner: Caller, project: str, sensor: Make) -> None:
        read, write, admin = [await token_of(owner, scope) for scope in ("read", "write", "admin")]
        body = {"name": "s", "type": "flow", "input_unit": "V", "display_unit": "l"}
        sensors, limits = f"/projects/{project}/sensors", {"limits": {"requests_per_s": 100}}
        assert (await write.post(sensors, body | limits)).code == "role-too-low"
        made = (await write.post(sensors, body)).ok
        assert "token" not in made
        assert (await write.patch(f"/sensors/{made['id']}", limits)).code == "role-too-low"
        assert "token" in (await admin.post(sensors, body | limits | {"name": "t"})).ok
        kinds = [
            {
                one["kind"]
                for one in (await token.get(f"/projects/{project}/audit?kind=personal_token.created")).ok["items"]
            }
            for token in (read, admin)
        ]
        assert kinds == [set(), {"personal_token.created"}], "what owners alone see takes an admin's token"

    async def test_reads_raw_values_as_its_user_does(self, owner: Caller, viewer: Caller, sensor: Make) -> None:
        one = await sensor()
        url = f"/sensors/{one['id']}/samples?values=raw&from=2026-01-01T00:00:00Z&to=2026-01-01T00:01:00Z"
        answers = [await (await token_of(user)).get(url) for user in (owner, viewer)]
        assert [answer.status for answer in answers] == [200, 403]

    async def test_cannot_touch_accounts(self, owner: Caller) -> None:
        token = await token_of(owner, "admin")
        for answer in (
            await token.get("/auth/tokens"),
            await token.post("/auth/tokens", {"name": "x", "scope": "admin"}),
            await token.get("/auth/sessions"),
            await token.post("/auth/logout"),
            await token.post("/auth/mfa/enroll", {"password": "x"}),
        ):
            assert (answer.status, answer.code) == (403, "session-needed")

    async def test_garbage(self, anonymous: Caller) -> None:
        for text in ("etpp_", "etpp_x", "etpp_" + "a" * 4000):
            assert (await Caller(anonymous.client, text).get("/auth/me")).status == 401


class TestEnd:
    async def test_revoked(self, owner: Caller) -> None:
        token = await token_of(owner)
        assert (await token.get("/auth/me")).status == 200
        assert (await owner.delete(f"/auth/tokens/{token.id}")).status == 204
        assert (await token.get("/auth/me")).status == 401
        assert (await owner.delete(f"/auth/tokens/{token.id}")).status == 404

    async def test_of_somebody_else(self, owner: Caller, editor: Caller) -> None:
        token = await token_of(owner)
        assert (await editor.delete(f"/auth/tokens/{token.id}")).status == 404
        assert (await token.get("/auth/me")).status == 200

    async def test_expired(self, owner: Caller, db: Tx, forget: Forget) -> None:
        token = await token_of(owner)
        await db.execute("update personal_token set expires_at = now()")
        forget()
        assert (await token.get("/auth/me")).status == 401
