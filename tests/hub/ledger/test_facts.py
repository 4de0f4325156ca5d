"""Each change leaves its facts, with who made it, from where, and what stood there before."""

import uuid
from typing import Any

from hub.kit.db import Tx
from tests.hub.callers import Caller
from tests.hub.conftest import Make
from tests.hub.ledger.conftest import told


async def details(db: Tx, kind: str) -> Any:
    """Return the details of the only fact of a kind."""
    (row,) = await db.fetch("select details from fact where kind = $1", kind)
    return row["details"]


class TestWho:
    async def test_all_that_is_known_of_a_request(self, db: Tx, owner: Caller, project: str) -> None:
        answer = await owner.patch(f"/projects/{project}", {"name": "pumps"}, User_Agent="etp-ci/1.0")
        fact = await db.fetchrow("select * from fact")
        session = await db.fetchval("select id from session where user_id = $1", uuid.UUID(owner.id))
        assert fact is not None
        assert dict(fact) | {"id": 0, "at": 0} == {
            "id": 0,
            "at": 0,
            "kind": "project.updated",
            "project_id": uuid.UUID(project),
            "subject_id": uuid.UUID(project),
            "principal_kind": "user",
            "principal_id": uuid.UUID(owner.id),
            "role": "owner",
            "address": "127.0.0.1",
            "user_agent": "etp-ci/1.0",
            "credential_id": session,
            "request_id": answer.headers["X-Request-ID"],
            "details": {"before": {"name": "bench 3"}, "after": {"name": "pumps"}},
        }

    async def test_personal_token(self, db: Tx, owner: Caller, project: str) -> None:
        token = (await owner.post("/auth/tokens", {"name": "ci", "scope": "admin"})).ok
        ci = Caller(owner.client, token["token"])
        assert await told(db, await ci.patch(f"/projects/{project}", {"name": "pumps"})) == ["project.updated"]
        credential = await db.fetchval("select credential_id from fact where kind = 'project.updated'")
        assert str(credential) == token["id"]

    async def test_refused_requests_leave_none(self, db: Tx, viewer: Caller, stranger: Caller, project: str) -> None:
        assert (await viewer.patch(f"/projects/{project}", {"name": "pumps"})).status == 403
        assert (await stranger.patch(f"/projects/{project}", {"name": "pumps"})).status == 404
        assert await db.fetchval("select count(*) from fact") == 0


class TestProjects:
    async def test_each(self, db: Tx, stranger: Caller, viewer: Caller) -> None:
        made = await stranger.post("/projects", {"name": "mine"})
        assert await told(db, made) == ["project.created"]
        path = f"/projects/{made.body['id']}"
        assert await told(db, await stranger.patch(path, {"name": "ours"})) == ["project.updated"]
        opened = await stranger.patch(f"{path}/settings", {"raw_policy": "open"})
        assert await told(db, opened) == ["project.settings_changed"]
        assert await told(db, await stranger.put(f"{path}/members/{viewer.id}", {"role": "editor"})) == ["member.put"]
        assert await told(db, await stranger.delete(f"{path}/members/{viewer.id}")) == ["member.removed"]
        body = {"project_id": made.body["id"], "role": "viewer", "max_uses": 2}
        invite = await stranger.post("/invites", body)
        assert await told(db, invite) == ["invite.created"]
        code = {"invite_code": invite.body["code"]}
        assert await told(db, await viewer.post("/auth/invite", code)) == []
        assert await told(db, await viewer.post("/invites/accept", code)) == ["member.joined", "invite.used"]
        assert await told(db, await viewer.delete(f"{path}/members/{viewer.id}")) == ["member.left"]
        assert await told(db, await stranger.delete(f"/invites/{invite.body['id']}")) == ["invite.revoked"]
        assert await told(db, await stranger.delete(path)) == ["project.deleted"]


class TestBench:
    async def test_sensors(self, db: Tx, owner: Caller, project: str) -> None:
        body = {"name": "s", "type": "flow", "input_unit": "V", "display_unit": "l", "profile": LINEAR}
        made = await owner.post(f"/projects/{project}/sensors", body)
        assert await told(db, made) == ["sensor.created", "profile.created"]
        path = f"/sensors/{made.body['id']}"
        assert await told(db, await owner.patch(path, {"name": "t"})) == ["sensor.updated"]
        profile = made.body["active_profile"]["id"]
        assert await told(db, await owner.post(f"/profiles/{profile}/preview", {"raw": [1.5]})) == ["profile.previewed"]
        beat = await Caller(owner.client, made.body["token"]).post(f"{path}/heartbeat")
        assert await told(db, beat) == []
        assert await told(db, await owner.delete(path)) == ["sensor.deleted"]

    async def test_edge_agents(self, db: Tx, owner: Caller, project: str) -> None:
        made = await owner.post(f"/projects/{project}/edge-agents", {"name": "edge"})
        assert await told(db, made) == ["edge_agent.created"]
        path = f"/edge-agents/{made.body['id']}"
        assert await told(db, await owner.patch(path, {"name": "hall 2"})) == ["edge_agent.updated"]
        assert await told(db, await owner.delete(path)) == ["edge_agent.deleted"]


class TestExperiments:
    async def test_experiments(self, db: Tx, owner: Caller, project: str) -> None:
        made = await owner.post(f"/projects/{project}/experiments", {"name": "Warm-up"})
        assert await told(db, made) == ["experiment.created"]
        path = f"/experiments/{made.body['id']}"
        both = await owner.patch(path, {"name": "Cold start", "status": "running"})
        assert await told(db, both) == ["experiment.updated", "experiment.status_changed"]
        assert await told(db, await owner.post(f"{path}/archive")) == ["experiment.status_changed"]
        assert await told(db, await owner.delete(path)) == ["experiment.deleted"]

    async def test_runs(self, db: Tx, editor: Caller, experiment: Make, sensor: Make) -> None:
        of = (await experiment())["id"]
        made = await editor.post(f"/experiments/{of}/runs", {"name": "run"})
        assert await told(db, made) == ["run.created"]
        path = f"/runs/{made.body['id']}"
        assert await told(db, await editor.patch(path, {"name": "first"})) == ["run.updated"]
        bound = {"sensors": [{"sensor_id": (await sensor())["id"]}]}
        assert await told(db, await editor.put(f"{path}/sensors", bound)) == ["run.sensors_put"]
        started = await editor.post(f"{path}/start")
        assert await told(db, started) == ["experiment.status_changed", "run.status_changed"]
        await editor.post(f"{path}/captures")
        assert await told(db, await editor.post(f"{path}/finish")) == ["capture.stopped", "run.status_changed"]
        batch = {"run_ids": [made.body["id"]], "status": "archived"}
        assert await told(db, await editor.post("/runs/batch-status", batch)) == ["run.status_changed"]

    async def test_captures(self, db: Tx, editor: Caller, run: Make, sensor: Make) -> None:
        of = f"/runs/{(await run(await sensor()))['id']}/captures"
        assert await told(db, await editor.post(of)) == ["capture.created", "capture.started"]
        draft = await editor.post(of, {"start": False})
        assert await told(db, draft) == ["capture.created"]
        path = f"/captures/{draft.body['id']}"
        assert await told(db, await editor.patch(path, {"notes": "cold"})) == ["capture.updated"]
        assert await told(db, await editor.post(f"{path}/start")) == ["capture.started"]
        assert await told(db, await editor.post(f"{path}/stop")) == ["capture.stopped"]
        other = await editor.post(of, {"start": False})
        assert await told(db, await editor.delete(f"/captures/{other.body['id']}")) == ["capture.deleted"]


class TestUpdates:
    """Facts of updates hold the fields that changed, as they were and as they are."""

    async def test_sensor(self, db: Tx, editor: Caller, sensor: Make, agent: Make) -> None:
        made, edge = await sensor(name="inlet"), await agent()
        path = f"/sensors/{made['id']}"
        await editor.patch(path, {"name": "inlet", "display_unit": "K", "agent_id": edge["id"]})
        assert await details(db, "sensor.updated") == {
            "before": {"display_unit": "°C", "agent_id": None},
            "after": {"display_unit": "K", "agent_id": edge["id"]},
        }

    async def test_edge_agent(self, db: Tx, owner: Caller, agent: Make) -> None:
        made = await agent(name="old")
        await owner.patch(f"/edge-agents/{made['id']}", {"name": "new", "default": False})
        assert await details(db, "edge_agent.updated") == {"before": {"name": "old"}, "after": {"name": "new"}}

    async def test_experiment(self, db: Tx, editor: Caller, experiment: Make) -> None:
        made = await experiment(tags=["a"])
        await editor.patch(f"/experiments/{made['id']}", {"tags": ["a", "b"]})
        assert await details(db, "experiment.updated") == {"before": {"tags": ["a"]}, "after": {"tags": ["a", "b"]}}

    async def test_run(self, db: Tx, editor: Caller, run: Make) -> None:
        made = await run(start=False, params={"rpm": 900})
        await editor.patch(f"/runs/{made['id']}", {"params": {"rpm": 1200}, "name": "run"})
        assert await details(db, "run.updated") == {
            "before": {"params": {"rpm": 900}},
            "after": {"params": {"rpm": 1200}},
        }

    async def test_sensors_of_a_run(self, db: Tx, editor: Caller, run: Make, sensor: Make) -> None:
        made, bound = await run(start=False), await sensor()
        await editor.put(f"/runs/{made['id']}/sensors", {"sensors": [{"sensor_id": bound["id"], "mode": "monitor"}]})
        assert await details(db, "run.sensors_put") == {
            "before": {"sensors": []},
            "after": {"sensors": [{"sensor_id": bound["id"], "mode": "monitor"}]},
        }

    async def test_capture(self, db: Tx, editor: Caller, run: Make, sensor: Make) -> None:
        of = await run(await sensor())
        made = (await editor.post(f"/runs/{of['id']}/captures", {"start": False, "notes": "warm"})).ok
        await editor.patch(f"/captures/{made['id']}", {"notes": "cold"})
        assert await details(db, "capture.updated") == {"before": {"notes": "warm"}, "after": {"notes": "cold"}}

    async def test_member(self, db: Tx, owner: Caller, viewer: Caller, project: str) -> None:
        await owner.put(f"/projects/{project}/members/{viewer.id}", {"role": "editor"})
        assert await details(db, "member.put") == {"before": {"role": "viewer"}, "after": {"role": "editor"}}

    async def test_nothing_changed(self, db: Tx, owner: Caller, project: str) -> None:
        assert await told(db, await owner.patch(f"/projects/{project}", {"name": "bench 3"})) == []
        assert await told(db, await owner.patch(f"/projects/{project}", {})) == []


LINEAR = {"kind": "linear", "slope": 2.0, "intercept": 1.0}
