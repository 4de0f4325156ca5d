"""Members over HTTP: who they are, whose role changes, who leaves – and that an owner stays."""

import uuid

import pytest

from hub.kit.db import Tx
from tests.hub.callers import Caller
from tests.hub.conftest import Login
from tests.hub.races import all_behind


class TestList:
    async def test_anonymous(self, anonymous: Caller, project: str) -> None:
        assert (await anonymous.get(f"/projects/{project}/members")).status == 401

    async def test_stranger(self, stranger: Caller, project: str) -> None:
        assert (await stranger.get(f"/projects/{project}/members")).status == 404

    async def test_owners_first(self, viewer: Caller, editor: Caller, owner: Caller, project: str) -> None:
        members = (await viewer.get(f"/projects/{project}/members")).ok["items"]
        assert [(one["user_id"], one["role"]) for one in members] == [
            (owner.id, "owner"),
            (editor.id, "editor"),
            (viewer.id, "viewer"),
        ]
        assert members[0]["email"].startswith("owner-")


class TestPut:
    @pytest.mark.parametrize(("role", "status"), [(None, 404), ("viewer", 403), ("editor", 403)])
    async def test_only_owners(self, login: Login, viewer: Caller, project: str, role: str | None, status: int) -> None:
        caller = await login(role)
        answer = await caller.put(f"/projects/{project}/members/{viewer.id}", {"role": "editor"})
        assert answer.status == status

    async def test_acts_at_once(self, owner: Caller, viewer: Caller, project: str) -> None:
        experiments = f"/projects/{project}/experiments"
        assert (await viewer.post(experiments, {"name": "e"})).status == 403
        changed = (await owner.put(f"/projects/{project}/members/{viewer.id}", {"role": "editor"})).ok
        assert changed["role"] == "editor"
        assert (await viewer.post(experiments, {"name": "e"})).status == 201
        await owner.put(f"/projects/{project}/members/{viewer.id}", {"role": "viewer"})
        assert (await viewer.post(experiments, {"name": "e"})).status == 403

    async def test_nobody(self, owner: Caller, project: str) -> None:
        assert (await owner.put(f"/projects/{project}/members/{uuid.uuid4()}", {"role": "editor"})).status == 404

    async def test_the_last_owner_stays_one(self, owner: Caller, project: str) -> None:
        answer = await owner.put(f"/projects/{project}/members/{owner.id}", {"role": "editor"})
        assert (answer.status, answer.code) == (409, "last-owner")
        assert (await owner.get(f"/projects/{project}")).ok["role"] == "owner"


class TestRemove:
    async def test_stranger(self, stranger: Caller, viewer: Caller, project: str) -> None:
        assert (await stranger.delete(f"/projects/{project}/members/{viewer.id}")).status == 404

    async def test_others_take_an_owner(self, editor: Caller, viewer: Caller, owner: Caller, project: str) -> None:
        answer = await editor.delete(f"/projects/{project}/members/{viewer.id}")
        assert (answer.status, answer.code) == (403, "role-too-low")
        assert (await owner.delete(f"/projects/{project}/members/{viewer.id}")).status == 204
        assert (await viewer.get(f"/projects/{project}")).status == 404
        assert (await owner.delete(f"/projects/{project}/members/{viewer.id}")).status == 404

    async def test_leaving(self, viewer: Caller, project: str) -> None:
        assert (await viewer.delete(f"/projects/{project}/members/{viewer.id}")).status == 204
        assert (await viewer.get(f"/projects/{project}")).status == 404

    async def test_the_last_owner_cannot_leave(self, owner: Caller, project: str) -> None:
        answer = await owner.delete(f"/projects/{project}/members/{owner.id}")
        assert (answer.status, answer.code) == (409, "last-owner")

    async def test_two_last_owners_leave_at_once(self, login: Login, project: str, db: Tx) -> None:
        first, second = await login("owner"), await login("owner")
        answers = await all_behind(
            db,
            "select from project for update",
            first.delete(f"/projects/{project}/members/{first.id}"),
            second.delete(f"/projects/{project}/members/{second.id}"),
        )
        assert sorted(answer.status for answer in answers) == [204, 409]
        assert await db.fetchval("select count(*) from project_member where role = 'owner'") == 1
