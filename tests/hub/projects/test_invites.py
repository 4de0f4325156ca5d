"""Invites: who makes them, what they open, and that they are used as often as they are good for."""

from typing import Any

import pytest

from hub.kit.db import Tx
from tests.hub.auth.conftest import NEW
from tests.hub.callers import Answer, Caller
from tests.hub.conftest import Login
from tests.hub.races import all_behind


async def invite(owner: Caller, project: str, **fields: object) -> dict[str, Any]:
    """Make an invite for a viewer."""
    return (await owner.post("/invites", {"project_id": project, "role": "viewer"} | fields)).ok


async def register(anonymous: Caller, code: str, email: str = "eve@example.com", **fields: object) -> Answer:
    body = {"invite_code": code, "email": email, "password": NEW, "name": "Eve"}
    return await anonymous.post("/auth/register", body | fields)


class TestCreate:
    async def test_anonymous(self, anonymous: Caller, project: str) -> None:
        assert (await anonymous.post("/invites", {"project_id": project, "role": "viewer"})).status == 401

    @pytest.mark.parametrize(("role", "status"), [(None, 404), ("viewer", 403), ("editor", 403), ("owner", 201)])
    async def test_only_owners(self, login: Login, project: str, role: str | None, status: int) -> None:
        answer = await (await login(role)).post("/invites", {"project_id": project, "role": "owner"})
        assert answer.status == status

    async def test_code_and_link_once(self, owner: Caller, project: str, db: Tx) -> None:
        made = await invite(owner, project, note="for the night shift", max_uses=3)
        assert made["link"].endswith(f"/register#{made['code']}")
        (listed,) = (await owner.get(f"/invites?project_id={project}")).ok["items"]
        assert listed == {key: value for key, value in made.items() if key not in {"code", "link"}}
        assert made["code"].encode() not in await db.fetchval("select digest from invite")

    async def test_listed_for_owners_only(self, editor: Caller, stranger: Caller, project: str) -> None:
        assert (await editor.get(f"/invites?project_id={project}")).status == 403
        assert (await stranger.get(f"/invites?project_id={project}")).status == 404


class TestLookAt:
    async def test_says_what_it_opens(self, anonymous: Caller, owner: Caller, project: str) -> None:
        made = await invite(owner, project, role="editor")
        seen = (await anonymous.post("/auth/invite", {"invite_code": made["code"]})).ok
        assert (seen["project_id"], seen["project_name"], seen["role"]) == (project, "bench 3", "editor")

    async def test_unknown(self, anonymous: Caller) -> None:
        answer = await anonymous.post("/auth/invite", {"invite_code": "etpi_x"})
        assert (answer.status, answer.code) == (409, "invite-refused")


class TestRegister:
    async def test_makes_a_member(self, anonymous: Caller, owner: Caller, project: str) -> None:
        made = await invite(owner, project, role="editor")
        answer = await register(anonymous, made["code"])
        assert answer.status == 201
        eve = Caller(anonymous.client, answer.body["access_token"])
        me = (await eve.get("/auth/me")).ok
        assert (me["email"], me["name"]) == ("eve@example.com", "Eve")
        assert me["projects"] == [{"id": project, "name": "bench 3", "role": "editor"}]

    async def test_a_weak_password_does_not_use_it_up(self, anonymous: Caller, owner: Caller, project: str) -> None:
        made = await invite(owner, project)
        answer = await register(anonymous, made["code"], password="eve@example.com")
        assert (answer.status, answer.body["errors"][0]["loc"]) == (422, ["body", "password"])
        assert (await register(anonymous, made["code"])).status == 201

    async def test_an_address_with_an_account(self, anonymous: Caller, owner: Caller, project: str) -> None:
        made = await invite(owner, project, max_uses=2)
        assert (await register(anonymous, made["code"])).status == 201
        answer = await register(anonymous, made["code"], email="EVE@example.com")
        assert (answer.status, answer.code) == (409, "email-taken")

    async def test_used_up(self, anonymous: Caller, owner: Caller, project: str) -> None:
        made = await invite(owner, project)
        assert (await register(anonymous, made["code"])).status == 201
        answer = await register(anonymous, made["code"], email="bob@example.com")
        assert (answer.status, answer.code) == (409, "invite-refused")
        assert "used" in answer.body["detail"]

    async def test_twice_at_once(self, anonymous: Caller, owner: Caller, project: str, db: Tx) -> None:
        made = await invite(owner, project)
        answers = await all_behind(
            db,
            "select from invite for update",
            register(anonymous, made["code"], email="bob@example.com"),
            register(anonymous, made["code"], email="carl@example.com"),
        )
        assert sorted(answer.status for answer in answers) == [201, 409]
        loser = next(answer for answer in answers if answer.status == 409)
        assert loser.code == "invite-refused"
        assert await db.fetchval("select count(*) from app_user where name = 'Eve'") == 1

    @pytest.mark.parametrize("change", ["expires_at = now()", "revoked_at = now()"])
    async def test_ended(self, anonymous: Caller, owner: Caller, project: str, db: Tx, change: str) -> None:
        made = await invite(owner, project)
        await db.execute(f"update invite set {change}")
        assert (await register(anonymous, made["code"])).code == "invite-refused"


class TestAccept:
    async def test_anonymous(self, anonymous: Caller) -> None:
        assert (await anonymous.post("/invites/accept", {"invite_code": "x"})).status == 401

    async def test_makes_a_member(self, stranger: Caller, owner: Caller, project: str) -> None:
        made = await invite(owner, project)
        assert (await stranger.get(f"/projects/{project}")).status == 404
        assert (await stranger.post("/invites/accept", {"invite_code": made["code"]})).ok["role"] == "viewer"
        assert (await stranger.get(f"/projects/{project}")).ok["role"] == "viewer"

    async def test_members_do_not_use_it_up(
        self, editor: Caller, stranger: Caller, owner: Caller, project: str
    ) -> None:
        made = await invite(owner, project, role="owner")
        answer = await editor.post("/invites/accept", {"invite_code": made["code"]})
        assert (answer.status, answer.code) == (409, "already-member")
        assert (await editor.get(f"/projects/{project}")).ok["role"] == "editor"
        assert (await stranger.post("/invites/accept", {"invite_code": made["code"]})).status == 200


class TestFormerOwner:
    @pytest.mark.parametrize("role", [None, "editor"])
    async def test_does_not_come_back_by_their_own_invite(
        self, owner: Caller, login: Login, project: str, db: Tx, role: str | None
    ) -> None:
        other = await login("owner")
        made = await invite(other, project, role="owner", max_uses=5)
        kept = await invite(owner, project)
        member = f"/projects/{project}/members/{other.id}"
        changed = await (owner.delete(member) if role is None else owner.put(member, {"role": role}))
        assert changed.status in {200, 204}
        answer = await other.post("/invites/accept", {"invite_code": made["code"]})
        assert (answer.status, answer.code) == (409, "invite-refused")
        listed = {
            one["id"]: one["revoked_at"] for one in (await owner.get(f"/invites?project_id={project}")).ok["items"]
        }
        assert listed[made["id"]] is not None
        assert listed[kept["id"]] is None
        revoked = await db.fetch("select subject_id::text from fact where kind = 'invite.revoked'")
        assert [row[0] for row in revoked] == [made["id"]]

    async def test_who_was_shut_out_invites_nobody(self, stranger: Caller, login: Login, project: str, db: Tx) -> None:
        other = await login("owner")
        made = await invite(other, project)
        await db.execute("update app_user set disabled_at = now() where id = $1::text::uuid", other.id)
        answer = await stranger.post("/invites/accept", {"invite_code": made["code"]})
        assert (answer.status, answer.code) == (409, "invite-refused")


class TestRevoke:
    async def test_roles(
        self, owner: Caller, editor: Caller, stranger: Caller, anonymous: Caller, project: str
    ) -> None:
        made = await invite(owner, project)
        url = f"/invites/{made['id']}"
        assert [(await caller.delete(url)).status for caller in (anonymous, stranger, editor)] == [401, 404, 403]
        assert (await owner.delete(url)).status == 204
        assert (await register(anonymous, made["code"])).code == "invite-refused"
