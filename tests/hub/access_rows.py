"""What to send to each declared route so that it succeeds for whoever is admitted: the rows of the access matrix."""

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.hub import access_ids as ids
from tests.hub.access_ids import Maker
from tests.hub.access_world import World
from tests.hub.auth.conftest import EMAIL, NEW, RIGHT
from tests.hub.callers import Caller


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


def _samples() -> dict[str, Any]:
    return {"samples": [{"t": time.time(), "v": 1.0}]}


async def _telemetry(world: World, caller: Caller) -> dict[str, Any]:
    return _samples() | {"sensor_id": world.sensor["id"]}


async def _dropped(world: World, caller: Caller) -> dict[str, Any]:
    part = {"sensor_id": world.sensor["id"], "samples": 1, "first_us": 0, "last_us": 0}
    return {"report_id": str(uuid.uuid4()), "dropped": [part]}


async def _unreadable(world: World, caller: Caller) -> dict[str, Any]:
    part = {"sensor_id": world.sensor["id"], "code": "telemetry-broken", "messages": 1, "detail": ""}
    return {"report_id": str(uuid.uuid4()), "unreadable": [part]}


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
        "update invite set created_by = null, project_id = (select id from project where name = 'bench 4')"
        " where id = $1",
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
    return {"run_ids": [await ids.draft_run_id(world, caller)], "status": "running"}


async def _new_invite(world: World, caller: Caller) -> dict[str, str]:
    return {"project_id": world.project, "role": "viewer"}


async def _broker_login(world: World, caller: Caller) -> dict[str, str]:
    return {"username": world.sensor["id"], "password": world.sensor["token"]}


def _named(name: str) -> Maker:
    async def make(world: World, caller: Caller) -> dict[str, Any]:
        return {"name": f"{name} {uuid.uuid4().hex[:8]}"}

    return make


async def _version(world: World, caller: Caller) -> dict[str, str]:
    return {"profile_id": await ids.profile_id(world, caller)}


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
    "DELETE /api/v1/projects/{project_id}/members/{user_id}": Row(ids={"user_id": ids.myself_id}),
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
    "DELETE /api/v1/sensors/{sensor_id}": Row(ids={"sensor_id": ids.new_sensor_id}),
    "POST /api/v1/sensors/{sensor_id}/heartbeat": Row(),
    "GET /api/v1/sensors/{sensor_id}/token": Row(headers=_otp_header),
    "POST /api/v1/sensors/{sensor_id}/rotate-token": Row({}, ids={"sensor_id": ids.new_sensor_id}, headers=_otp_header),
    "GET /api/v1/sensors/{sensor_id}/profiles": Row(),
    "POST /api/v1/sensors/{sensor_id}/profiles": Row({"payload": ids.PROFILE}),
    "POST /api/v1/sensors/{sensor_id}/profiles/fit": Row({"kind": "linear", "pairs": [[0, 0], [1, 1]]}),
    "POST /api/v1/sensors/{sensor_id}/profiles/preview": Row({"payload": ids.PROFILE, "raw": [1.0]}),
    "GET /api/v1/profiles/{profile_id}": Row(),
    "PATCH /api/v1/profiles/{profile_id}": Row({"payload": ids.PROFILE}, ids={"profile_id": ids.draft_profile_id}),
    "DELETE /api/v1/profiles/{profile_id}": Row(ids={"profile_id": ids.draft_profile_id}),
    "POST /api/v1/profiles/{profile_id}/publish": Row({}, ids={"profile_id": ids.draft_profile_id}),
    "POST /api/v1/profiles/{profile_id}/withdraw": Row(ids={"profile_id": ids.scheduled_profile_id}),
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
    "POST /api/v1/edge/unreadable": Row(_unreadable),
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
    "POST /api/v1/runs/{run_id}/start": Row(ids={"run_id": ids.draft_run_id}),
    "POST /api/v1/runs/{run_id}/finish": Row({}),
    "POST /api/v1/runs/batch-status": Row(_batch),
    "GET /api/v1/runs/{run_id}/captures": Row(),
    "POST /api/v1/runs/{run_id}/captures": Row({}),
    "GET /api/v1/projects/{project_id}/captures": Row(),
    "GET /api/v1/captures/{capture_id}": Row(),
    "PATCH /api/v1/captures/{capture_id}": Row({"notes": "new"}),
    "DELETE /api/v1/captures/{capture_id}": Row(ids={"capture_id": ids.draft_capture_id}),
    "POST /api/v1/captures/{capture_id}/start": Row(ids={"capture_id": ids.draft_capture_id}),
    "POST /api/v1/captures/{capture_id}/stop": Row(ids={"capture_id": ids.running_capture_id}),
    "POST /api/v1/captures/{capture_id}/seal": Row(),
    "GET /api/v1/captures/{capture_id}/manifest": Row(ids={"capture_id": ids.sealed_capture_id}),
    "POST /api/v1/captures/{capture_id}/verify": Row(ids={"capture_id": ids.sealed_capture_id}),
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
    "GET /api/v1/sensors/{sensor_id}/vectors": Row(ids={"sensor_id": ids.vector_sensor_id}),
    "GET /api/v1/captures/{capture_id}/vectors": Row(
        query="?sensor_id={sensor_id}", ids={"sensor_id": ids.vector_sensor_id, "capture_id": ids.vector_capture_id}
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
    "POST /api/v1/{token}/telemetry": Row({"row": 1}, ids={"token": ids.address_token_id}),
    "GET /api/v1/projects/{project_id}/proposals": Row(),
    "POST /api/v1/proposals/{proposal_id}/accept": Row(_accepted),
    "POST /api/v1/proposals/{proposal_id}/ignore": Row(),
}
