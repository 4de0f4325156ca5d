"""The audit trail over HTTP: who reads it, what is found, and the same as CSV."""

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

import orjson
import pytest
from aiohttp import web

from hub.audit import service
from hub.kit.context import HUB
from hub.kit.db import Tx
from hub.ledger import chain
from tests.hub.callers import Caller
from tests.hub.conftest import Login, Make

# Before the first day that PostgreSQL or Python know, in UTC.
FIRST_DAY = "from=0001-01-01T00:00:00%2B14:00"


def at(days_ago: float) -> str:
    """Write a moment of the past for a query."""
    return quote((datetime.now(UTC) - timedelta(days=days_ago)).isoformat())


async def read(caller: Caller, project: str, query: str = "") -> list[dict[str, Any]]:
    """Return the facts of a page."""
    return (await caller.get(f"/projects/{project}/audit?{query}")).ok["items"]


async def kinds(caller: Caller, project: str, query: str = "") -> list[str]:
    """Return the kinds of the facts of a page."""
    return [item["kind"] for item in await read(caller, project, query)]


async def add(
    db: Tx,
    project: str | None,
    kind: str,
    *,
    days_ago: float = 0.0,
    by: Caller | None = None,
    subject: UUID | None = None,
    **details: Any,
) -> int:
    """Put a fact in by hand."""
    return await db.fetchval(
        """
        insert into fact (at, kind, project_id, subject_id, principal_kind, principal_id, request_id, details)
        values (now() - $1::interval, $2, $3, $4, $5, $6, 'r', $7)
        returning id
        """,
        timedelta(days=days_ago),
        kind,
        project and UUID(project),
        subject,
        by and "user",
        by and UUID(by.id),
        details,
    )


class TestWho:
    @pytest.mark.parametrize("path", ["audit", "audit/export"])
    async def test_members_only(
        self, anonymous: Caller, stranger: Caller, login: Login, project: str, path: str
    ) -> None:
        assert (await anonymous.get(f"/projects/{project}/{path}")).status == 401
        answer = await stranger.get(f"/projects/{project}/{path}")
        assert (answer.status, answer.code) == (404, "not-found")
        for role in ("viewer", "editor", "owner"):
            assert (await (await login(role)).get(f"/projects/{project}/{path}")).status == 200, role

    async def test_only_ones_own_project(self, db: Tx, viewer: Caller, project: str, other_project: str) -> None:
        await add(db, project, "run.created")
        await add(db, other_project, "run.deleted")
        assert await kinds(viewer, project) == ["run.created"]

    async def test_accounts_of_members_are_for_owners(
        self, db: Tx, owner: Caller, editor: Caller, viewer: Caller, stranger: Caller, project: str
    ) -> None:
        await add(db, None, "user.logged_in", by=viewer)
        await add(db, None, "user.logged_in", by=stranger)
        await add(db, None, "user.login_failed", subject=UUID(editor.id))
        await add(db, None, "user.login_failed")
        await add(db, project, "run.created", by=editor)
        assert await kinds(owner, project) == ["run.created", "user.login_failed", "user.logged_in"]
        assert await kinds(owner, project, f"user_id={editor.id}") == ["run.created", "user.login_failed"]
        assert await kinds(editor, project) == ["run.created"]
        assert await kinds(viewer, project) == ["run.created"]

    async def test_tokens_for_one_project_are_in_its_trail_only(
        self, db: Tx, owner: Caller, login: Login, viewer: Caller, project: str, other_project: str
    ) -> None:
        await db.execute(
            "insert into project_member (project_id, user_id, role) values ($1, $2, 'viewer')",
            UUID(other_project),
            UUID(viewer.id),
        )
        body = {"name": "ci", "scope": "read", "project_id": other_project}
        token = (await viewer.post("/auth/tokens", body)).ok
        await viewer.delete(f"/auth/tokens/{token['id']}")
        assert await kinds(owner, project) == []
        assert await kinds(viewer, other_project) == ["personal_token.revoked", "personal_token.created"]


class TestItems:
    async def test_all_of_a_fact(self, db: Tx, app: web.Application, owner: Caller, project: str) -> None:
        changed = await owner.patch(f"/projects/{project}", {"name": "pumps"}, User_Agent="etp-ci/1.0")
        (item,) = await read(owner, project)
        session = await db.fetchval("select id::text from session where user_id = $1", UUID(owner.id))
        assert datetime.now(UTC) - datetime.fromisoformat(item.pop("at")) < timedelta(minutes=1)
        assert item == {
            "id": await db.fetchval("select id from fact"),
            "kind": "project.updated",
            "subject_id": project,
            "user": {"id": owner.id, "name": owner.name, "email": "owner-1@example.com"},
            "principal_kind": "user",
            "role": "owner",
            "address": "127.0.0.1",
            "user_agent": "etp-ci/1.0",
            "request_id": changed.headers["X-Request-ID"],
            "credential_id": session,
            "details": {"before": {"name": "bench 3"}, "after": {"name": "pumps"}},
            "linked": False,
        }
        await chain.link_waiting(app[HUB].db)
        assert (await read(owner, project))[0]["linked"] is True

    async def test_nobody_known(self, db: Tx, viewer: Caller, project: str) -> None:
        await add(db, project, "capture.stopped")
        assert (await read(viewer, project))[0]["user"] is None


class TestFilters:
    @pytest.fixture(autouse=True)
    async def facts(self, db: Tx, project: str, editor: Caller, viewer: Caller) -> None:
        """Facts of several kinds, times and people."""
        await add(db, project, "capture.started", days_ago=30, by=editor, run="Cold start")
        await add(db, project, "capture.stopped", days_ago=20, by=editor, subject=UUID(int=7))
        await add(db, project, "captures.counted", days_ago=10)
        await add(db, project, "edge_agent.created", days_ago=5, by=viewer)
        await add(db, project, "edgeXagent.created", days_ago=4)

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("kind=capture", ["capture.stopped", "capture.started"]),
            ("kind=capture.started", ["capture.started"]),
            ("kind=edge_agent", ["edge_agent.created"]),
            ("kind=captur", []),
            (f"subject_id={UUID(int=7)}", ["capture.stopped"]),
            (f"subject_id={UUID(int=8)}", []),
            ("q=cold%20START", ["capture.started"]),
            ("q=viewer-2@", ["edge_agent.created"]),
            ("q=no%25thing", []),
            ("from={days_25}", ["edgeXagent.created", "edge_agent.created", "captures.counted", "capture.stopped"]),
            ("to={days_15}", ["capture.stopped", "capture.started"]),
            ("from={days_25}&to={days_15}&kind=capture", ["capture.stopped"]),
        ],
    )
    async def test_each(self, viewer: Caller, project: str, query: str, expected: list[str]) -> None:
        asked = query.format(days_25=at(25), days_15=at(15))
        assert await kinds(viewer, project, asked) == expected

    async def test_user(self, viewer: Caller, editor: Caller, project: str) -> None:
        assert await kinds(viewer, project, f"user_id={editor.id}") == ["capture.stopped", "capture.started"]
        assert await kinds(viewer, project, f"user_id={uuid4()}") == []

    @pytest.mark.parametrize(
        "query", ["kind=a%25", "kind=a.b.c", "from=yesterday", "user_id=7", "q=", "limit=0", FIRST_DAY]
    )
    async def test_rubbish(self, viewer: Caller, project: str, query: str) -> None:
        assert (await viewer.get(f"/projects/{project}/audit?{query}")).status == 422


class TestPages:
    async def test_each_fact_once(self, db: Tx, owner: Caller, project: str) -> None:
        # Several share one moment, and the account's are mixed in.
        for days_ago in (3, 2, 2, 2, 1):
            await add(db, project, "run.created", days_ago=days_ago)
            await add(db, None, "user.logged_in", days_ago=days_ago, by=owner)
        whole = [item["id"] for item in await read(owner, project)]
        assert len(whole) == 10
        seen: list[int] = []
        cursor = ""
        while True:
            page = (await owner.get(f"/projects/{project}/audit?limit=3{cursor}")).ok
            seen += [item["id"] for item in page["items"]]
            if page["next_cursor"] is None:
                break
            cursor = f"&cursor={page['next_cursor']}"
        assert seen == whole


class TestExport:
    async def test_same_facts_as_csv(self, db: Tx, owner: Caller, project: str) -> None:
        await owner.patch(f"/projects/{project}", {"name": "pumps"})
        await add(db, project, "run.created", days_ago=1, note='a "quoted", long\nnote')
        items = await read(owner, project)
        answer = await owner.get(f"/projects/{project}/audit/export")
        assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
        text = answer.ok.decode()
        assert text.count("\r\n") == 4
        exported, *rows = csv.DictReader(io.StringIO(text, newline=""))
        assert exported["kind"] == "audit.exported"
        for item, row in zip(items, rows, strict=True):
            user = item["user"] or {"id": "", "name": "", "email": ""}
            assert orjson.loads(row.pop("details")) == item["details"]
            assert datetime.fromisoformat(row.pop("at")) == datetime.fromisoformat(item["at"])
            assert row == {
                "id": str(item["id"]),
                "user_id": user["id"],
                "user_name": user["name"],
                "user_email": user["email"],
                "linked": "false",
            } | {
                name: item[name] or ""
                for name in (
                    *("kind", "subject_id", "principal_kind", "role", "address", "user_agent", "request_id"),
                    "credential_id",
                )
            }

    async def test_is_a_fact(self, db: Tx, viewer: Caller, project: str) -> None:
        await viewer.get(f"/projects/{project}/audit/export?kind=capture&q=x")
        (fact,) = await db.fetch("select kind, role, details from fact")
        assert tuple(fact) == ("audit.exported", "viewer", {"kind": "capture", "q": "x"})

    async def test_same_filters(self, db: Tx, viewer: Caller, project: str) -> None:
        await add(db, project, "capture.started")
        await add(db, project, "run.created")
        answer = await viewer.get(f"/projects/{project}/audit/export?kind=capture")
        assert [row["kind"] for row in csv.DictReader(io.StringIO(answer.ok.decode()))] == ["capture.started"]

    async def test_is_harmless_to_spreadsheets(self, viewer: Caller, project: str) -> None:
        await viewer.get(f"/projects/{project}/audit/export", User_Agent='=HYPERLINK("http://evil","x")')
        answer = await viewer.get(f"/projects/{project}/audit/export", User_Agent="@sum")
        agents = [row["user_agent"] for row in csv.DictReader(io.StringIO(answer.ok.decode()))]
        assert agents == ["'@sum", """'=HYPERLINK("http://evil","x")"""]

    async def test_longer_than_one_piece(
        self, db: Tx, viewer: Caller, project: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(service, "EXPORTED_AT_ONCE", 3)
        ids = [await add(db, project, "run.created", days_ago=1) for _ in range(7)]
        answer = await viewer.get(f"/projects/{project}/audit/export?kind=run")
        assert [int(row["id"]) for row in csv.DictReader(io.StringIO(answer.ok.decode()))] == ids[::-1]


class TestBasicScenario:
    async def test_an_auditor_follows_a_capture(
        self, viewer: Caller, editor: Caller, project: str, run: Make, sensor: Make
    ) -> None:
        of = await run(await sensor())
        capture = (await editor.post(f"/runs/{of['id']}/captures")).ok
        await editor.post(f"/captures/{capture['id']}/stop")
        await editor.get(f"/captures/{capture['id']}/export")
        trail = await read(viewer, project, f"subject_id={capture['id']}")
        assert [(item["kind"], item["user"]["name"]) for item in reversed(trail)] == [
            ("capture.created", editor.name),
            ("capture.started", editor.name),
            ("capture.stopped", editor.name),
            ("capture.exported", editor.name),
        ]
