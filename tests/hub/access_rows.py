"""What to send to each declared route so that it succeeds for whoever is admitted: the rows of the access matrix."""

import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from hub.kit.context import Hub
from hub.kit.db import Tx
from hub.sealing import job
from tests.hub.auth.conftest import EMAIL, NEW, RIGHT, code_of
from tests.hub.callers import Caller
from tests.hub.conftest import Make

PROFILE = {"kind": "linear", "slope": 3.0, "intercept": 0.0}
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@dataclass
class World:
    """A project with a sensor and an edge agent, its members, and what makes more of everything."""

    hub: Hub
    db: Tx
    project: str
    owner: Caller
    editor: Caller
    viewer: Caller
    anonymous: Caller
    sensor: dict[str, Any]
    agent: dict[str, Any]
    new_sensor: Make
    new_agent: Make
    new_experiment: Make
    new_run: Make
    password_hash: str
    _spectrum: dict[str, Any] | None = None

    async def with_password(self, caller: Caller) -> None:
        """Give a caller's user the password RIGHT."""
        await self.db.execute(
            "update app_user set password_hash = $2 where id = $1", uuid.UUID(caller.id), self.password_hash
        )

    async def with_otp(self, caller: Caller, *, confirmed: bool = True) -> str:
        """Give a caller's user an authenticator and return a fresh code of it."""
        user_id = uuid.UUID(caller.id)
        await self.db.execute(
            """
            update app_user
            set otp_sealed = $2, otp_confirmed_at = case when $3 then now() end, otp_last_step = 0
            where id = $1
            """,
            user_id,
            await self.hub.vault.seal(SECRET.encode(), b"otp " + user_id.bytes),
            confirmed,
        )
        return code_of(SECRET)

    async def running(self) -> dict[str, Any]:
        """Start a capture of a new run."""
        run = await self.new_run(self.sensor)
        return (await self.editor.post(f"/runs/{run['id']}/captures")).ok

    async def spectrum(self) -> dict[str, Any]:
        """Return the project's sensor of vectors, registered once."""
        if self._spectrum is None:
            axis = {"quantity": "frequency", "unit": "Hz", "step": 1.0, "count": 3}
            self._spectrum = await self.new_sensor(axis=axis)
        return self._spectrum

    async def draft(self) -> dict[str, Any]:
        """Draft a capture of a new run."""
        run = await self.new_run(self.sensor)
        return (await self.editor.post(f"/runs/{run['id']}/captures", {"start": False})).ok

    async def finished(self) -> dict[str, Any]:
        """Record a capture."""
        return (await self.editor.post(f"/captures/{(await self.running())['id']}/stop")).ok

    async def sealed(self) -> dict[str, Any]:
        """Seal a capture."""
        capture = await self.finished()
        await self.editor.post(f"/captures/{capture['id']}/seal")
        # Another caller's request may be doing the step that is left.
        while (await self.editor.get(f"/captures/{capture['id']}")).ok["status"] != "sealed":
            await job.step(self.hub)
        return capture

    async def invite(self) -> dict[str, Any]:
        """Invite a viewer into the project."""
        return (await self.owner.post("/invites", {"project_id": self.project, "role": "viewer"})).ok


Maker = Callable[[World, Caller], Awaitable[Any]]


@dataclass(frozen=True)
class Row:
    """`body` is sent as it is, or made for the caller; `ids` make the path's ids where the usual things will not do."""

    body: Any = None
    query: str = ""
    status: int | None = None
    ids: Mapping[str, Maker] = field(default_factory=dict[str, Maker])
    headers: Maker | None = None

    async def body_for(self, world: World, caller: Caller) -> Any:
        """Return what to send."""
        return await self.body(world, caller) if callable(self.body) else self.body


async def _project(world: World, caller: Caller) -> str:
    return world.project


async def _sensor(world: World, caller: Caller) -> str:
    return world.sensor["id"]


async def _new_sensor(world: World, caller: Caller) -> str:
    return (await world.new_sensor())["id"]


async def _vector_sensor(world: World, caller: Caller) -> str:
    return (await world.spectrum())["id"]


async def _vector_capture(world: World, caller: Caller) -> str:
    run = await world.new_run(await world.spectrum())
    capture = (await world.editor.post(f"/runs/{run['id']}/captures")).ok
    return (await world.editor.post(f"/captures/{capture['id']}/stop")).ok["id"]


async def _agent(world: World, caller: Caller) -> str:
    return (await world.new_agent())["id"]


async def _profile(world: World, caller: Caller) -> str:
    return (await world.owner.get(f"/sensors/{world.sensor['id']}/profiles")).ok["items"][0]["id"]


async def _draft_profile(world: World, caller: Caller) -> str:
    made = await world.new_sensor()
    return (await world.editor.post(f"/sensors/{made['id']}/profiles", {"payload": PROFILE})).ok["id"]


async def _scheduled_profile(world: World, caller: Caller) -> str:
    drafted, when = await _draft_profile(world, caller), datetime.now(UTC) + timedelta(hours=1)
    await world.owner.post(f"/profiles/{drafted}/publish", {"valid_from": when.isoformat()})
    return drafted


async def _backfill(world: World, caller: Caller) -> str:
    body = {"profile_id": await _profile(world, caller)}
    return (await world.owner.post(f"/captures/{await _capture(world, caller)}/backfills", body)).ok["id"]


async def _version(world: World, caller: Caller) -> dict[str, str]:
    return {"profile_id": await _profile(world, caller)}


async def _experiment(world: World, caller: Caller) -> str:
    return (await world.new_experiment())["id"]


async def _run(world: World, caller: Caller) -> str:
    return (await world.new_run(world.sensor))["id"]


async def _draft_run(world: World, caller: Caller) -> str:
    return (await world.new_run(world.sensor, start=False))["id"]


async def _capture(world: World, caller: Caller) -> str:
    return (await world.finished())["id"]


async def _running_capture(world: World, caller: Caller) -> str:
    return (await world.running())["id"]


async def _sealed_capture(world: World, caller: Caller) -> str:
    return (await world.sealed())["id"]


async def _draft_capture(world: World, caller: Caller) -> str:
    return (await world.draft())["id"]


async def _invite(world: World, caller: Caller) -> str:
    return (await world.invite())["id"]


async def _member(world: World, caller: Caller) -> str:
    return world.viewer.id


async def _myself(world: World, caller: Caller) -> str:
    # An owner beside another one may leave.
    await world.db.execute(
        """
        insert into project_member (project_id, user_id, role)
        select $1, id, 'owner' from app_user where email = $2 or id = $3
        on conflict do nothing
        """,
        uuid.UUID(world.project),
        EMAIL,
        uuid.UUID(caller.id),
    )
    world.hub.remembered.forget()
    return caller.id


async def _session(world: World, caller: Caller) -> uuid.UUID:
    return await world.db.fetchval(
        """
        insert into session (id, user_id, client, expires_at)
        values (gen_random_uuid(), $1, 'script', now() + interval '1 hour')
        returning id
        """,
        uuid.UUID(caller.id),
    )


async def _token(world: World, caller: Caller) -> uuid.UUID:
    return await world.db.fetchval(
        """
        insert into personal_token (user_id, name, digest, scope, expires_at)
        values ($1, 'ci', $2, 'read', now() + interval '1 hour')
        returning id
        """,
        uuid.UUID(caller.id),
        uuid.uuid4().bytes,
    )


async def _proposal(world: World, caller: Caller) -> str:
    lines = f"row v=1 {time.time_ns()}".encode()
    agent = Caller(world.anonymous.client, world.agent["token"])
    assert (await agent.call("POST", "/api/v2/write", lines)).status == 204
    await world.db.execute("update channel set state = 'proposed', sensor_id = null")
    return str(await world.db.fetchval("select id from channel where name = 'row/v'"))


async def _address_token(world: World, caller: Caller) -> str:
    return caller.token or "none"


USUAL: dict[str, Maker] = {
    "project_id": _project,
    "sensor_id": _sensor,
    "agent_id": _agent,
    "profile_id": _profile,
    "experiment_id": _experiment,
    "run_id": _run,
    "capture_id": _capture,
    "backfill_id": _backfill,
    "invite_id": _invite,
    "user_id": _member,
    "session_id": _session,
    "token_id": _token,
    "proposal_id": _proposal,
}


def _samples() -> dict[str, Any]:
    return {"samples": [{"t": time.time(), "v": 1.0}]}


async def _telemetry(world: World, caller: Caller) -> dict[str, Any]:
    return _samples() | {"sensor_id": world.sensor["id"]}


async def _dropped(world: World, caller: Caller) -> dict[str, Any]:
    part = {"sensor_id": world.sensor["id"], "samples": 1, "first_us": 0, "last_us": 0}
    return {"report_id": str(uuid.uuid4()), "dropped": [part]}


async def _credentials(world: World, caller: Caller) -> dict[str, str]:
    return {"email": EMAIL, "password": RIGHT}


async def _refresh_token(world: World, caller: Caller) -> dict[str, str]:
    session = (await world.anonymous.post("/auth/login", {"email": EMAIL, "password": RIGHT})).ok
    return {"refresh_token": session["refresh_token"]}


async def _registration(world: World, caller: Caller) -> dict[str, str]:
    code = (await world.invite())["code"]
    return {"invite_code": code, "email": f"{uuid.uuid4().hex}@example.com", "password": NEW, "name": "New"}


async def _invite_code(world: World, caller: Caller) -> dict[str, str]:
    return {"invite_code": (await world.invite())["code"]}


async def _foreign_invite_code(world: World, caller: Caller) -> dict[str, str]:
    invite = await world.invite()
    await world.db.execute(
        "update invite set project_id = (select id from project where name = 'bench 4') where id = $1",
        uuid.UUID(invite["id"]),
    )
    return {"invite_code": invite["code"]}


async def _reset(world: World, caller: Caller) -> dict[str, str]:
    token = uuid.uuid4().hex
    await world.db.execute(
        """
        insert into password_reset (digest, user_id, expires_at)
        select $1, id, now() + interval '1 hour' from app_user where email = $2
        """,
        world.hub.keys.digest(token),
        EMAIL,
    )
    return {"token": token, "password": NEW}


async def _change(world: World, caller: Caller) -> dict[str, str]:
    await world.with_password(caller)
    return {"password": RIGHT, "new_password": NEW}


async def _password(world: World, caller: Caller) -> dict[str, str]:
    await world.with_password(caller)
    await world.db.execute("update app_user set otp_confirmed_at = null where id = $1", uuid.UUID(caller.id))
    return {"password": RIGHT}


async def _both(world: World, caller: Caller) -> dict[str, str]:
    await world.with_password(caller)
    return {"password": RIGHT, "otp": await world.with_otp(caller)}


async def _first_code(world: World, caller: Caller) -> dict[str, str]:
    return {"otp": await world.with_otp(caller, confirmed=False)}


async def _otp_header(world: World, caller: Caller) -> dict[str, str]:
    return {"X_OTP": await world.with_otp(caller)}


async def _bound(world: World, caller: Caller) -> dict[str, Any]:
    return {"sensors": [{"sensor_id": world.sensor["id"], "mode": "monitor"}]}


async def _batch(world: World, caller: Caller) -> dict[str, Any]:
    return {"run_ids": [await _draft_run(world, caller)], "status": "running"}


async def _new_invite(world: World, caller: Caller) -> dict[str, str]:
    return {"project_id": world.project, "role": "viewer"}


async def _broker_login(world: World, caller: Caller) -> dict[str, str]:
    return {"username": world.sensor["id"], "password": world.sensor["token"]}


def _named(name: str) -> Maker:
    async def make(world: World, caller: Caller) -> dict[str, Any]:
        return {"name": f"{name} {uuid.uuid4().hex[:8]}"}

    return make


async def _accepted(world: World, caller: Caller) -> dict[str, Any]:
    return {"sensor": await _sensor_fields(world, caller)}


async def _sensor_fields(world: World, caller: Caller) -> dict[str, Any]:
    return {"name": uuid.uuid4().hex, "type": "voltage", "input_unit": "V", "display_unit": "V"}


ROWS: dict[str, Row] = {
    # accounts
    "POST /api/v1/auth/login": Row(_credentials),
    "POST /api/v1/auth/refresh": Row(_refresh_token),
    "POST /api/v1/auth/logout": Row(),
    "GET /api/v1/auth/me": Row(),
    "POST /api/v1/auth/register": Row(_registration),
    "POST /api/v1/auth/invite": Row(_invite_code),
    "POST /api/v1/auth/password/forgot": Row({"email": "nobody@example.com"}),
    "POST /api/v1/auth/password/reset": Row(_reset),
    "POST /api/v1/auth/password/change": Row(_change),
    "POST /api/v1/auth/mfa/enroll": Row(_password),
    "POST /api/v1/auth/mfa/confirm": Row(_first_code),
    "POST /api/v1/auth/mfa/disable": Row(_both),
    "POST /api/v1/auth/mfa/recovery-codes": Row(_both),
    "GET /api/v1/auth/sessions": Row(),
    "DELETE /api/v1/auth/sessions/{session_id}": Row(),
    "GET /api/v1/auth/tokens": Row(),
    "POST /api/v1/auth/tokens": Row({"name": "ci", "scope": "read"}),
    "DELETE /api/v1/auth/tokens/{token_id}": Row(),
    # projects, members, invites, audit
    "GET /api/v1/projects": Row(),
    "POST /api/v1/projects": Row({"name": "new"}),
    "GET /api/v1/projects/{project_id}": Row(),
    "PATCH /api/v1/projects/{project_id}": Row({"description": "new"}),
    "DELETE /api/v1/projects/{project_id}": Row(),
    "GET /api/v1/projects/{project_id}/settings": Row(),
    "PATCH /api/v1/projects/{project_id}/settings": Row({"raw_policy": "physical-only"}),
    "GET /api/v1/projects/{project_id}/members": Row(),
    "PUT /api/v1/projects/{project_id}/members/{user_id}": Row({"role": "editor"}),
    "DELETE /api/v1/projects/{project_id}/members/{user_id}": Row(ids={"user_id": _myself}),
    "GET /api/v1/invites": Row(query="?project_id={project_id}"),
    "POST /api/v1/invites": Row(_new_invite),
    "DELETE /api/v1/invites/{invite_id}": Row(),
    "POST /api/v1/invites/accept": Row(_foreign_invite_code),
    "GET /api/v1/projects/{project_id}/audit": Row(),
    "GET /api/v1/projects/{project_id}/audit/export": Row(),
    # sensors, profiles, edge agents, broker
    "GET /api/v1/sensors": Row(),
    "GET /api/v1/projects/{project_id}/sensors": Row(),
    "POST /api/v1/projects/{project_id}/sensors": Row(_sensor_fields),
    "GET /api/v1/sensors/{sensor_id}": Row(),
    "PATCH /api/v1/sensors/{sensor_id}": Row({"calibration_notes": "new"}),
    "DELETE /api/v1/sensors/{sensor_id}": Row(ids={"sensor_id": _new_sensor}),
    "POST /api/v1/sensors/{sensor_id}/heartbeat": Row(),
    "GET /api/v1/sensors/{sensor_id}/token": Row(headers=_otp_header),
    "POST /api/v1/sensors/{sensor_id}/rotate-token": Row({}, ids={"sensor_id": _new_sensor}, headers=_otp_header),
    "GET /api/v1/sensors/{sensor_id}/profiles": Row(),
    "POST /api/v1/sensors/{sensor_id}/profiles": Row({"payload": PROFILE}),
    "POST /api/v1/sensors/{sensor_id}/profiles/fit": Row({"kind": "linear", "pairs": [[0, 0], [1, 1]]}),
    "POST /api/v1/sensors/{sensor_id}/profiles/preview": Row({"payload": PROFILE, "raw": [1.0]}),
    "GET /api/v1/profiles/{profile_id}": Row(),
    "PATCH /api/v1/profiles/{profile_id}": Row({"payload": PROFILE}, ids={"profile_id": _draft_profile}),
    "DELETE /api/v1/profiles/{profile_id}": Row(ids={"profile_id": _draft_profile}),
    "POST /api/v1/profiles/{profile_id}/publish": Row({}, ids={"profile_id": _draft_profile}),
    "POST /api/v1/profiles/{profile_id}/withdraw": Row(ids={"profile_id": _scheduled_profile}),
    "POST /api/v1/profiles/{profile_id}/preview": Row({"raw": [1.0]}),
    "GET /api/v1/projects/{project_id}/edge-agents": Row(),
    "POST /api/v1/projects/{project_id}/edge-agents": Row(_named("edge")),
    "GET /api/v1/edge-agents/{agent_id}": Row(),
    "PATCH /api/v1/edge-agents/{agent_id}": Row(_named("edge")),
    "DELETE /api/v1/edge-agents/{agent_id}": Row(),
    "POST /api/v1/edge-agents/{agent_id}/rotate-token": Row({}, headers=_otp_header),
    "GET /api/v1/edge/config": Row(),
    "POST /api/v1/edge/dropped": Row(_dropped),
    "POST /api/v1/edge/status": Row({"state": "online"}),
    "POST /api/v1/broker/login": Row(_broker_login),
    # experiments, runs, captures
    "GET /api/v1/projects/{project_id}/experiments": Row(),
    "POST /api/v1/projects/{project_id}/experiments": Row({"name": "new"}),
    "GET /api/v1/experiments/{experiment_id}": Row(),
    "PATCH /api/v1/experiments/{experiment_id}": Row({"description": "new"}),
    "DELETE /api/v1/experiments/{experiment_id}": Row(),
    "POST /api/v1/experiments/{experiment_id}/archive": Row(),
    "GET /api/v1/experiments/{experiment_id}/runs": Row(),
    "POST /api/v1/experiments/{experiment_id}/runs": Row({"name": "new"}),
    "GET /api/v1/runs/{run_id}": Row(),
    "PATCH /api/v1/runs/{run_id}": Row({"name": "new"}),
    "PUT /api/v1/runs/{run_id}/sensors": Row(_bound),
    "POST /api/v1/runs/{run_id}/start": Row(ids={"run_id": _draft_run}),
    "POST /api/v1/runs/{run_id}/finish": Row({}),
    "POST /api/v1/runs/batch-status": Row(_batch),
    "GET /api/v1/runs/{run_id}/captures": Row(),
    "POST /api/v1/runs/{run_id}/captures": Row({}),
    "GET /api/v1/projects/{project_id}/captures": Row(),
    "GET /api/v1/captures/{capture_id}": Row(),
    "PATCH /api/v1/captures/{capture_id}": Row({"notes": "new"}),
    "DELETE /api/v1/captures/{capture_id}": Row(ids={"capture_id": _draft_capture}),
    "POST /api/v1/captures/{capture_id}/start": Row(ids={"capture_id": _draft_capture}),
    "POST /api/v1/captures/{capture_id}/stop": Row(ids={"capture_id": _running_capture}),
    "POST /api/v1/captures/{capture_id}/seal": Row(),
    "GET /api/v1/captures/{capture_id}/manifest": Row(ids={"capture_id": _sealed_capture}),
    "POST /api/v1/captures/{capture_id}/verify": Row(ids={"capture_id": _sealed_capture}),
    "POST /api/v1/captures/{capture_id}/backfills": Row(_version),
    "GET /api/v1/projects/{project_id}/backfills": Row(),
    "GET /api/v1/backfills/{backfill_id}": Row(),
    "POST /api/v1/backfills/{backfill_id}/cancel": Row(),
    # samples
    "POST /api/v1/telemetry": Row(_telemetry),
    "POST /telemetry": Row(_telemetry),
    "GET /api/v1/telemetry": Row(status=426),  # admitted, but no WebSocket
    "GET /telemetry": Row(status=426),
    "POST /api/v1/telemetry/stream": Row(_telemetry),
    "POST /telemetry/stream": Row(_telemetry),
    "POST /api/v1/sensors/{sensor_id}/test": Row(_telemetry),
    "GET /api/v1/sensors/{sensor_id}/samples": Row(),
    "GET /api/v1/captures/{capture_id}/samples": Row(query="?sensor_id={sensor_id}"),
    "GET /api/v1/sensors/{sensor_id}/vectors": Row(ids={"sensor_id": _vector_sensor}),
    "GET /api/v1/captures/{capture_id}/vectors": Row(
        query="?sensor_id={sensor_id}", ids={"sensor_id": _vector_sensor, "capture_id": _vector_capture}
    ),
    "GET /api/v1/captures/{capture_id}/export": Row(query="?format=csv"),
    "GET /api/v1/sensors/{sensor_id}/ledger": Row(),
    "GET /api/v1/sensors/{sensor_id}/journal": Row(),
    "GET /api/v1/captures/{capture_id}/ledger": Row(),
    # foreign formats and what they propose
    "POST /api/v2/write": Row(b"row v=1"),
    "POST /write": Row(b"row v=1"),
    "GET /query": Row(query="?q=show%20databases"),
    "POST /query": Row(query="?q=create%20database%20x"),
    "GET /ping": Row(),
    "GET /health": Row(),
    "POST /api/v1/senml": Row([{"n": "row", "v": 1}]),
    "POST /api/v1/{token}/telemetry": Row({"row": 1}, ids={"token": _address_token}),
    "GET /api/v1/projects/{project_id}/proposals": Row(),
    "POST /api/v1/proposals/{proposal_id}/accept": Row(_accepted),
    "POST /api/v1/proposals/{proposal_id}/ignore": Row(),
}
