"""Who looked at experiment data: every reading leaves exactly one fact."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from aiohttp import ClientWebSocketResponse
from aiohttp.test_utils import TestClient

from hub.kit.db import Tx
from hub.settings import Role
from tests.hub.callers import Caller
from tests.hub.conftest import Make
from tests.hub.races import until

T = "2026-11-23T08:00:00Z"


@pytest.fixture
def roles() -> frozenset[Role]:
    return frozenset({"api", "live"})


@pytest.fixture
async def capture(db: Tx, editor: Caller, run: Make, sensor: Make) -> dict[str, Any]:
    """A running capture, with no fact left of how it came about."""
    made = (await editor.post(f"/runs/{(await run(await sensor()))['id']}/captures")).ok
    async with db.transaction():
        await db.execute("set local session_replication_role = replica")
        await db.execute("delete from fact")
    return made


@pytest.fixture
async def socket(client: TestClient[Any, Any], viewer: Caller) -> AsyncIterator[ClientWebSocketResponse]:
    """A live connection of the viewer."""
    opened = await client.ws_connect("/api/v1/live", headers={"Authorization": f"Bearer {viewer.token}"})
    assert (await opened.receive_json(timeout=5))["op"] == "ready"
    yield opened
    await opened.close()


async def facts(db: Tx) -> list[tuple[str, str | None, str | None, dict[str, Any]]]:
    """Return kind, subject, role and details of every fact."""
    rows = await db.fetch("select kind, subject_id::text, role, details from fact order by id")
    return [tuple(row) for row in rows]


class TestSamples:
    async def test_of_a_sensor(self, db: Tx, viewer: Caller, capture: dict[str, Any]) -> None:
        (sensor,) = capture["sensor_ids"]
        assert (await viewer.get(f"/sensors/{sensor}/samples?from={T}")).status == 200
        seen = {"from": "2026-11-23T08:00:00+00:00", "to": None, "samples": 0, "decimated": False}
        assert await facts(db) == [("sensor.samples_read", sensor, "viewer", seen | {"values": ["physical"]})]

    async def test_of_a_capture(self, db: Tx, editor: Caller, capture: dict[str, Any]) -> None:
        (sensor,) = capture["sensor_ids"]
        path = f"/captures/{capture['id']}/samples?sensor_id={sensor}&values=raw"
        for accept in ("application/json", "application/vnd.etp.frame"):
            assert (await editor.get(path, Accept=accept)).status == 200
        seen = {
            "sensor_id": sensor,
            "from": None,
            "to": None,
            "samples": 0,
            "decimated": False,
            "values": ["raw"],
            "revision": 1,
        }
        assert await facts(db) == [("capture.samples_read", capture["id"], "editor", seen)] * 2

    async def test_refused_readings_are_none(
        self, db: Tx, viewer: Caller, stranger: Caller, capture: dict[str, Any]
    ) -> None:
        (sensor,) = capture["sensor_ids"]
        assert (await viewer.get(f"/sensors/{sensor}/samples?values=raw")).status == 403
        assert (await stranger.get(f"/sensors/{sensor}/samples")).status == 404
        assert (await stranger.get(f"/captures/{capture['id']}/export")).status == 404
        assert await facts(db) == []

    async def test_counts_are_no_data(self, db: Tx, viewer: Caller, capture: dict[str, Any]) -> None:
        await viewer.get(f"/captures/{capture['id']}/ledger")
        await viewer.get(f"/captures/{capture['id']}")
        assert await facts(db) == []


class TestExport:
    async def test_once(self, db: Tx, viewer: Caller, capture: dict[str, Any]) -> None:
        assert (await viewer.get(f"/captures/{capture['id']}/export")).status == 200
        how = {"format": "csv", "values": ["physical"], "revision": None}
        assert await facts(db) == [("capture.exported", capture["id"], "viewer", how)]


class TestPreview:
    async def test_once(self, db: Tx, editor: Caller, capture: dict[str, Any]) -> None:
        (sensor,) = capture["sensor_ids"]
        (profile,) = (await editor.get(f"/sensors/{sensor}/profiles")).ok["items"]
        assert (await editor.post(f"/profiles/{profile['id']}/preview", {"raw": [1.5, 2.5]})).status == 200
        of = {"sensor_id": sensor, "version": 1, "values": 2}
        assert await facts(db) == [("profile.previewed", profile["id"], "editor", of)]


class TestPreviewOfStoredSamples:
    async def test_says_of_which_time(self, db: Tx, editor: Caller, capture: dict[str, Any]) -> None:
        (sensor,) = capture["sensor_ids"]
        span = {"from": "2026-11-23T08:00:00Z", "to": "2026-11-23T09:00:00Z"}
        body = {"payload": {"kind": "linear", "slope": 1.0, "intercept": 0.0}} | span
        assert (await editor.post(f"/sensors/{sensor}/profiles/preview", body)).status == 200
        assert await facts(db) == [("profile.previewed", sensor, "editor", {"kind": "linear"} | span)]


class TestLive:
    async def test_each_subscription(
        self, db: Tx, viewer: Caller, socket: ClientWebSocketResponse, capture: dict[str, Any], project: str
    ) -> None:
        for message in ({"sensors": capture["sensor_ids"]}, {"runs": [capture["run_id"]]}):
            await socket.send_json({"op": "subscribe"} | message)
            assert (await socket.receive_json(timeout=5))["op"] == "subscribed"
        what = {"sensors": capture["sensor_ids"], "values": ["physical"]}
        assert await facts(db) == [("live.subscribed", None, "viewer", what)] * 2
        who = await db.fetchrow("select distinct project_id, principal_id, address, credential_id is null from fact")
        assert who is not None
        assert tuple(who) == (UUID(project), UUID(viewer.id), "127.0.0.1", False)

    async def test_refused(self, db: Tx, socket: ClientWebSocketResponse, capture: dict[str, Any]) -> None:
        await socket.send_json({"op": "subscribe", "sensors": capture["sensor_ids"], "values": ["raw"]})
        assert (await socket.receive_json(timeout=5))["op"] == "problem"
        assert await facts(db) == []

    async def test_rights_that_end_while_it_is_written_down(
        self, db: Tx, socket: ClientWebSocketResponse, viewer: Caller, sensor: Make, database_url: str
    ) -> None:
        first, second = await sensor(), await sensor()
        await socket.send_json({"op": "subscribe", "sensors": [first["id"]]})
        assert (await socket.receive_json(timeout=5))["op"] == "subscribed"
        other = await asyncpg.connect(database_url)
        async with other.transaction():
            await other.execute("lock table fact in exclusive mode")
            await socket.send_json({"op": "subscribe", "sensors": [second["id"]]})
            await until(lambda: db.fetchval("select exists (select from pg_locks where not granted)"))
            await db.execute("delete from project_member where user_id = $1", UUID(viewer.id))
            assert (await socket.receive_json(timeout=5))["gone"] == [first["id"]]
        await other.close()
        assert (await socket.receive_json(timeout=5))["op"] == "subscribed"
        assert (await socket.receive_json(timeout=5))["gone"] == [second["id"]]

    async def test_each_project_is_told_of_its_own_sensors(
        self, db: Tx, client: TestClient[Any, Any], owner: Caller, other_project: str, project: str, sensor: Make
    ) -> None:
        await db.execute(
            "insert into project_member (project_id, user_id, role) values ($1, $2, 'owner')",
            UUID(other_project),
            UUID(owner.id),
        )
        here, there = await sensor(), await sensor(in_project=other_project)
        socket = await client.ws_connect("/api/v1/live", headers={"Authorization": f"Bearer {owner.token}"})
        await socket.receive_json(timeout=5)
        await socket.send_json({"op": "subscribe", "sensors": [here["id"], there["id"]]})
        assert (await socket.receive_json(timeout=5))["op"] == "subscribed"
        rows = await db.fetch("select project_id::text, details from fact where kind = 'live.subscribed'")
        assert {row["project_id"]: row["details"]["sensors"] for row in rows} == {
            project: [here["id"]],
            other_project: [there["id"]],
        }
        await socket.close()
