"""Sensors over HTTP: registration, tokens, states, lists, deletion."""

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.app import HUB
from hub.kit.db import Tx
from tests.hub.callers import Caller
from tests.hub.conftest import Device, Forget, Login, Make

BODY = {"name": "T1", "type": "temperature", "input_unit": "V", "display_unit": "°C"}
LINEAR = {"kind": "linear", "slope": 2.0, "intercept": 1.0}
NOBODY = "00000000-0000-0000-0000-000000000000"


async def report(db: Tx, sensor_id: str, received_s_ago: float, **values: Any) -> None:
    """Book a packet for the sensor as the writer would."""
    await db.execute(
        """
        insert into sensor_ledger
          (sensor_no, last_received_at, high_water, last_raw, last_physical, last_status, delay_us)
        select no, (extract(epoch from clock_timestamp()) * 1e6)::bigint - $2, $3, $4, $5, $6, $7
        from sensor where id = $1::text::uuid
        """,
        sensor_id,
        int(received_s_ago * 1e6),
        values.get("t_us"),
        values.get("raw"),
        values.get("physical"),
        values.get("status"),
        values.get("delay_us"),
    )


class TestCreate:
    async def test_roles(self, anonymous: Caller, login: Login, project: str) -> None:
        url = f"/projects/{project}/sensors"
        assert (await anonymous.post(url, BODY)).status == 401
        assert (await (await login()).post(url, BODY)).status == 404
        assert (await (await login("viewer")).post(url, BODY)).status == 403
        assert (await (await login("editor")).post(url, BODY | {"name": "a"})).status == 201
        assert (await (await login("owner")).post(url, BODY | {"name": "b"})).status == 201

    async def test_owner_sees_the_token_once(self, owner: Caller, editor: Caller, project: str) -> None:
        made = (await owner.post(f"/projects/{project}/sensors", BODY)).ok
        assert len(made["token"]) >= 43
        assert "token" not in (await owner.get(f"/sensors/{made['id']}")).ok
        assert "token" not in (await owner.get("/sensors")).ok["items"][0]
        by_editor = await editor.post(f"/projects/{project}/sensors", BODY | {"name": "T2"})
        assert (by_editor.status, "token" in by_editor.body) == (201, False)

    async def test_answer(self, owner: Caller, project: str) -> None:
        made = (await owner.post(f"/projects/{project}/sensors", BODY | {"profile": LINEAR})).ok
        expected = BODY | {
            "project_id": project,
            "heartbeat_interval_s": 10.0,
            "calibration_notes": "",
            "agent_id": None,
            "state": "unknown",
            "last_heartbeat": None,
            "last_t": None,
            "last_physical": None,
            "last_status": None,
            "delay_ms": None,
        }
        assert {name: made[name] for name in expected} == expected
        assert made["active_profile"].items() >= {"version": 1, "kind": "linear"}.items()
        assert made["created_at"].endswith("Z")

    async def test_own_token_is_kept_sealed(self, owner: Caller, project: str, db: Tx, app: Any) -> None:
        token = secrets.token_hex(16)
        made = (await owner.post(f"/projects/{project}/sensors", BODY | {"token": token})).ok
        assert made["token"] == token
        row = await db.fetchrow("select id, token_digest, token_sealed from sensor")
        assert row is not None
        assert token.encode() not in bytes(row["token_sealed"])
        assert await app[HUB].vault.unseal(row["token_sealed"], row["id"].bytes) == token.encode()
        taken = await owner.post(f"/projects/{project}/sensors", BODY | {"name": "T2", "token": token})
        assert (taken.status, taken.code) == (409, "sensor-token-taken")

    @pytest.mark.parametrize(
        "token",
        ["", "short", "a" * 40, "0123456789abcdef" * 2 + "é", "deadbeef" * 3 + "deadbee", "abc def" * 10, "ab" * 16],
    )
    async def test_weak_token(self, owner: Caller, project: str, token: str) -> None:
        answer = await owner.post(f"/projects/{project}/sensors", BODY | {"token": token})
        assert (answer.status, answer.body["errors"][0]["loc"]) == (422, ["body", "token"])

    async def test_name_taken(self, owner: Caller, project: str, other_project: str, sensor: Make) -> None:
        first = await sensor(name="T1")
        again = await owner.post(f"/projects/{project}/sensors", BODY)
        assert (again.status, again.code) == (409, "sensor-name-taken")
        assert (await owner.delete(f"/sensors/{first['id']}")).status == 204
        assert (await owner.post(f"/projects/{project}/sensors", BODY)).status == 201

    async def test_bad_profile_is_located(self, owner: Caller, project: str, db: Tx) -> None:
        profile = {"kind": "table", "points": [[0.0, 1.0], [0.0, 2.0]]}
        answer = await owner.post(f"/projects/{project}/sensors", BODY | {"profile": profile})
        assert answer.status == 422
        assert answer.body["errors"][0]["loc"] == ["body", "profile", "points", 1, 0]
        assert await db.fetchval("select count(*) from sensor") == 0

    async def test_repeated_with_its_key(self, owner: Caller, project: str, db: Tx) -> None:
        first = await owner.post(f"/projects/{project}/sensors", BODY, Idempotency_Key="k")
        again = await owner.post(f"/projects/{project}/sensors", BODY, Idempotency_Key="k")
        assert (first.status, first.body) == (again.status, again.body)
        assert await db.fetchval("select count(*) from sensor") == 1
        # The answer holds the sensor's token: it must not lie about in the clear.
        stored = await db.fetchval("select answer from idempotency_key")
        assert first.body["token"].encode() not in stored

    async def test_is_recorded(self, owner: Caller, sensor: Make, db: Tx) -> None:
        made = await sensor()
        facts = await db.fetch("select kind, project_id, principal_id, role, details::text from fact order by id")
        assert [fact["kind"] for fact in facts] == ["sensor.created", "profile.created"]
        assert {(str(fact["project_id"]), str(fact["principal_id"]), fact["role"]) for fact in facts} == {
            (made["project_id"], owner.id, "owner")
        }
        assert made["token"] not in facts[0]["details"]


class TestList:
    async def test_anonymous_and_stranger(self, anonymous: Caller, stranger: Caller, sensor: Make) -> None:
        made = await sensor()
        assert (await anonymous.get("/sensors")).status == 401
        assert (await stranger.get("/sensors")).ok["items"] == []
        assert (await stranger.get(f"/sensors?project_id={made['project_id']}")).ok["items"] == []
        assert (await stranger.get(f"/projects/{made['project_id']}/sensors")).status == 404

    async def test_across_projects(self, owner: Caller, sensor: Make, other_project: str, db: Tx, project: str) -> None:
        await db.execute(
            "insert into project_member (project_id, user_id, role) values ($1::text::uuid, $2::text::uuid, 'owner')",
            other_project,
            owner.id,
        )
        here, there = await sensor(), await sensor(in_project=other_project)
        assert [item["id"] for item in (await owner.get("/sensors")).ok["items"]] == [there["id"], here["id"]]
        for url in (f"/sensors?project_id={other_project}", f"/projects/{other_project}/sensors"):
            assert [item["id"] for item in (await owner.get(url)).ok["items"]] == [there["id"]]

    async def test_filters(self, viewer: Caller, sensor: Make, db: Tx) -> None:
        made = {name: await sensor(name=name) for name in ("Pump inlet", "Pump 100%", "Valve")}
        await sensor(name="Motor", type="vibration")
        await report(db, made["Valve"]["id"], 1.0)

        async def names(query: str) -> list[str]:
            return [item["name"] for item in (await viewer.get(f"/sensors?{query}")).ok["items"]]

        assert await names("q=pump") == ["Pump 100%", "Pump inlet"]
        assert await names("q=0%25") == ["Pump 100%"]
        assert await names("type=vibration") == ["Motor"]
        assert await names("state=online") == ["Valve"]
        assert await names("state=unknown&q=PUMP&limit=1") == ["Pump 100%"]
        assert (await viewer.get("/sensors?state=asleep")).status == 422

    async def test_pages(self, viewer: Caller, sensor: Make) -> None:
        made = [(await sensor())["id"] for _ in range(3)]
        first = (await viewer.get("/sensors?limit=2")).ok
        second = (await viewer.get(f"/sensors?limit=2&cursor={first['next_cursor']}")).ok
        assert [item["id"] for item in first["items"] + second["items"]] == made[::-1]
        assert second["next_cursor"] is None


class TestRead:
    async def test_anonymous_and_stranger(self, anonymous: Caller, stranger: Caller, sensor: Make) -> None:
        made = await sensor()
        assert (await anonymous.get(f"/sensors/{made['id']}")).status == 401
        assert (await stranger.get(f"/sensors/{made['id']}")).status == 404
        assert (await stranger.get(f"/sensors/{NOBODY}")).status == 404
        assert (await stranger.get("/sensors/17")).status == 422

    @pytest.mark.parametrize(
        ("seconds_ago", "state"),
        [(0.0, "online"), (1900.0, "online"), (2010.0, "delayed"), (4900.0, "delayed"), (5010.0, "offline")],
    )
    async def test_state_by_packets(self, viewer: Caller, sensor: Make, db: Tx, seconds_ago: float, state: str) -> None:
        made = await sensor(heartbeat_interval_s=1000.0)
        await report(db, made["id"], seconds_ago)
        read = (await viewer.get(f"/sensors/{made['id']}")).ok
        assert read["state"] == state
        heard = datetime.fromisoformat(read["last_heartbeat"])
        assert abs(heard + timedelta(seconds=seconds_ago) - datetime.now(UTC)) < timedelta(seconds=5)

    async def test_raw_is_absent_for_viewers(
        self, owner: Caller, viewer: Caller, sensor: Make, db: Tx, forget: Forget
    ) -> None:
        made = await sensor()
        t_us = 1_795_423_200_125_001
        await report(db, made["id"], 0.0, t_us=t_us, raw=1.5, physical=4.0, status=1, delay_us=12_500)
        seen = (await viewer.get(f"/sensors/{made['id']}")).ok
        assert "last_raw" not in seen
        assert seen["last_t"] == "2026-11-23T08:40:00.125001Z"
        assert (seen["last_physical"], seen["last_status"], seen["delay_ms"]) == (4.0, "out_of_range", 12.5)
        assert (await owner.get(f"/sensors/{made['id']}")).ok["last_raw"] == 1.5
        await db.execute("update project set raw_policy = 'open'")
        forget()
        assert (await viewer.get(f"/sensors/{made['id']}")).ok["last_raw"] == 1.5

    async def test_no_physical_value(self, viewer: Caller, sensor: Make, db: Tx) -> None:
        made = await sensor()
        await report(db, made["id"], 0.0, raw=1.5, physical=float("nan"), status=2)
        seen = (await viewer.get(f"/sensors/{made['id']}")).ok
        assert (seen["last_physical"], seen["last_status"]) == (None, "conversion_error")


class TestUpdate:
    async def test_roles(self, anonymous: Caller, login: Login, sensor: Make) -> None:
        url = f"/sensors/{(await sensor())['id']}"
        change = {"calibration_notes": "checked"}
        assert (await anonymous.patch(url, change)).status == 401
        assert (await (await login()).patch(url, change)).status == 404
        assert (await (await login("viewer")).patch(url, change)).status == 403
        assert (await (await login("editor")).patch(url, change)).ok["calibration_notes"] == "checked"

    async def test_absent_fields_stay(self, owner: Caller, sensor: Make) -> None:
        made = await sensor(calibration_notes="2026-11")
        changed = (await owner.patch(f"/sensors/{made['id']}", {"name": "new"})).ok
        made.pop("token")
        assert changed == made | {"name": "new"}

    async def test_name_taken(self, owner: Caller, sensor: Make) -> None:
        await sensor(name="a")
        answer = await owner.patch(f"/sensors/{(await sensor(name='b'))['id']}", {"name": "a"})
        assert (answer.status, answer.code) == (409, "sensor-name-taken")

    async def test_assign(self, editor: Caller, sensor: Make, agent: Make) -> None:
        url, edge = f"/sensors/{(await sensor())['id']}", await agent()
        assert (await editor.patch(url, {"agent_id": edge["id"]})).ok["agent_id"] == edge["id"]
        assert (await editor.patch(url, {"name": "x"})).ok["agent_id"] == edge["id"]
        assert (await editor.patch(url, {"agent_id": None})).ok["agent_id"] is None

    async def test_agent_of_another_project(
        self, editor: Caller, login: Login, sensor: Make, other_project: str
    ) -> None:
        theirs = await login("owner", in_project=other_project)
        edge = (await theirs.post(f"/projects/{other_project}/edge-agents", {"name": "edge"})).ok
        for agent_id in (edge["id"], NOBODY):
            answer = await editor.patch(f"/sensors/{(await sensor())['id']}", {"agent_id": agent_id})
            assert (answer.status, answer.body["errors"][0]["loc"]) == (422, ["body", "agent_id"])


class TestDelete:
    async def test_roles(self, anonymous: Caller, login: Login, sensor: Make) -> None:
        url = f"/sensors/{(await sensor())['id']}"
        assert (await anonymous.delete(url)).status == 401
        assert (await (await login()).delete(url)).status == 404
        assert (await (await login("viewer")).delete(url)).status == 403
        assert (await (await login("editor")).delete(url)).status == 403
        assert (await (await login("owner")).delete(url)).status == 204

    async def test_is_gone_but_kept(self, owner: Caller, sensor: Make, device: Device, db: Tx) -> None:
        made = await sensor()
        assert (await owner.delete(f"/sensors/{made['id']}")).status == 204
        assert (await owner.get(f"/sensors/{made['id']}")).status == 404
        assert (await owner.get("/sensors")).ok["items"] == []
        assert (await owner.delete(f"/sensors/{made['id']}")).status == 404
        assert (await device(made).post(f"/sensors/{made['id']}/heartbeat")).status == 401
        assert await db.fetchval("select deleted_at is not null from sensor")


class TestHeartbeat:
    async def test_users_have_none(self, anonymous: Caller, owner: Caller, sensor: Make) -> None:
        url = f"/sensors/{(await sensor())['id']}/heartbeat"
        assert (await anonymous.post(url)).status == 401
        assert (await owner.post(url)).status == 401

    async def test_own_token(self, owner: Caller, sensor: Make, device: Device) -> None:
        one, two = await sensor(), await sensor()
        assert (await device(one).post(f"/sensors/{one['id']}/heartbeat")).status == 204
        foreign = await device(one).post(f"/sensors/{two['id']}/heartbeat")
        assert (foreign.status, foreign.code) == (403, "not-your-sensor")
        states = {item["id"]: item["state"] for item in (await owner.get("/sensors")).ok["items"]}
        assert states == {one["id"]: "online", two["id"]: "unknown"}

    async def test_does_not_reload_registries(self, sensor: Make, device: Device, db: Tx) -> None:
        made = await sensor()
        before = await db.fetchval("select version from registry_version")
        assert (await device(made).post(f"/sensors/{made['id']}/heartbeat")).status == 204
        assert await db.fetchval("select version from registry_version") == before

    async def test_edge_agents_token(self, owner: Caller, sensor: Make, agent: Make, device: Device) -> None:
        assigned, free = await sensor(), await sensor()
        edge, default = await agent(), await agent(default=True)
        assert (await owner.patch(f"/sensors/{assigned['id']}", {"agent_id": edge["id"]})).status == 200
        assert (await device(edge).post(f"/sensors/{assigned['id']}/heartbeat")).status == 204
        assert (await device(edge).post(f"/sensors/{free['id']}/heartbeat")).status == 403
        assert (await device(default).post(f"/sensors/{free['id']}/heartbeat")).status == 204
        assert (await device(default).post(f"/sensors/{assigned['id']}/heartbeat")).status == 403
