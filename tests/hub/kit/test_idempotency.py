"""Idempotency keys: whose they are, and what they remember."""

import asyncio

from hub.kit.db import Tx
from tests.hub.callers import Caller
from tests.hub.conftest import Forget


async def projects(db: Tx) -> int:
    return await db.fetchval("select count(*) from project where name = 'p'")


async def test_without_key_each_post_creates(owner: Caller, db: Tx) -> None:
    await owner.post("/projects", {"name": "p"})
    await owner.post("/projects", {"name": "p"})
    assert await projects(db) == 2


async def test_key_belongs_to_its_user(owner: Caller, editor: Caller, db: Tx) -> None:
    for caller in (owner, editor, owner):
        assert (await caller.post("/projects", {"name": "p"}, Idempotency_Key="1")).status == 201
    assert await projects(db) == 2


async def test_at_the_same_time(owner: Caller, db: Tx) -> None:
    answers = await asyncio.gather(*(owner.post("/projects", {"name": "p"}, Idempotency_Key="1") for _ in range(5)))
    assert {answer.status for answer in answers} == {201}
    assert len({answer.body["id"] for answer in answers}) == 1
    assert await projects(db) == 1


async def test_another_request(owner: Caller, experiment: object, project: str) -> None:
    assert (await owner.post("/projects", {"name": "p"}, Idempotency_Key="1")).status == 201
    other_body = await owner.post("/projects", {"name": "q"}, Idempotency_Key="1")
    other_path = await owner.post(f"/projects/{project}/experiments", {"name": "p"}, Idempotency_Key="1")
    for answer in (other_body, other_path):
        assert (answer.status, answer.code) == (409, "idempotency-conflict")


async def test_failures_are_not_remembered(owner: Caller, db: Tx) -> None:
    assert (await owner.post("/projects", {"name": ""}, Idempotency_Key="1")).status == 422
    assert (await owner.post("/projects", {"name": "p"}, Idempotency_Key="1")).status == 201
    assert await projects(db) == 1


async def test_of_no_use_to_whoever_lost_access(editor: Caller, db: Tx, project: str, forget: Forget) -> None:
    url = f"/projects/{project}/experiments"
    assert (await editor.post(url, {"name": "e"}, Idempotency_Key="1")).status == 201
    await db.execute("delete from project_member where role = 'editor'")
    forget()
    assert (await editor.post(url, {"name": "e"}, Idempotency_Key="1")).status == 404


async def test_an_owners_answer_is_not_repeated_to_an_editor(
    owner: Caller, editor: Caller, project: str, db: Tx, forget: Forget
) -> None:
    await db.execute("update project_member set role = 'owner'")
    forget()
    url, body = f"/projects/{project}/sensors", {"name": "s", "type": "flow", "input_unit": "V", "display_unit": "l"}
    made = (await editor.post(url, body, Idempotency_Key="1")).ok
    assert (await editor.post(url, body, Idempotency_Key="1")).ok["token"] == made["token"]
    assert (await owner.put(f"/projects/{project}/members/{editor.id}", {"role": "editor"})).ok
    again = await editor.post(url, body, Idempotency_Key="1")
    assert (again.status, again.code) == (409, "idempotency-conflict")
