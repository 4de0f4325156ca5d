"""Ids for the paths of the access matrix, made for whoever calls."""

import time
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.hub.access_world import World
from tests.hub.auth.conftest import EMAIL
from tests.hub.callers import Caller

PROFILE = {"kind": "linear", "slope": 3.0, "intercept": 0.0}

Maker = Callable[[World, Caller], Awaitable[Any]]


async def project_id(world: World, caller: Caller) -> str:
    return world.project


async def sensor_id(world: World, caller: Caller) -> str:
    return world.sensor["id"]


async def new_sensor_id(world: World, caller: Caller) -> str:
    return (await world.new_sensor())["id"]


async def vector_sensor_id(world: World, caller: Caller) -> str:
    return (await world.spectrum())["id"]


async def vector_capture_id(world: World, caller: Caller) -> str:
    run = await world.new_run(await world.spectrum())
    capture = (await world.editor.post(f"/runs/{run['id']}/captures")).ok
    return (await world.editor.post(f"/captures/{capture['id']}/stop")).ok["id"]


async def agent_id(world: World, caller: Caller) -> str:
    return (await world.new_agent())["id"]


async def profile_id(world: World, caller: Caller) -> str:
    return (await world.owner.get(f"/sensors/{world.sensor['id']}/profiles")).ok["items"][0]["id"]


async def draft_profile_id(world: World, caller: Caller) -> str:
    made = await world.new_sensor()
    return (await world.editor.post(f"/sensors/{made['id']}/profiles", {"payload": PROFILE})).ok["id"]


async def scheduled_profile_id(world: World, caller: Caller) -> str:
    drafted, when = await draft_profile_id(world, caller), datetime.now(UTC) + timedelta(hours=1)
    await world.owner.post(f"/profiles/{drafted}/publish", {"valid_from": when.isoformat()})
    return drafted


async def backfill_id(world: World, caller: Caller) -> str:
    body = {"profile_id": await profile_id(world, caller)}
    return (await world.owner.post(f"/captures/{await capture_id(world, caller)}/backfills", body)).ok["id"]


async def experiment_id(world: World, caller: Caller) -> str:
    return (await world.new_experiment())["id"]


async def run_id(world: World, caller: Caller) -> str:
    return (await world.new_run(world.sensor))["id"]


async def draft_run_id(world: World, caller: Caller) -> str:
    return (await world.new_run(world.sensor, start=False))["id"]


async def capture_id(world: World, caller: Caller) -> str:
    return (await world.finished())["id"]


async def running_capture_id(world: World, caller: Caller) -> str:
    return (await world.running())["id"]


async def sealed_capture_id(world: World, caller: Caller) -> str:
    return (await world.sealed())["id"]


async def draft_capture_id(world: World, caller: Caller) -> str:
    return (await world.draft())["id"]


async def invite_id(world: World, caller: Caller) -> str:
    return (await world.invite())["id"]


async def member_id(world: World, caller: Caller) -> str:
    return world.viewer.id


async def myself_id(world: World, caller: Caller) -> str:
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


async def session_id(world: World, caller: Caller) -> uuid.UUID:
    return await world.db.fetchval(
        """
        insert into session (id, user_id, client, expires_at)
        values (gen_random_uuid(), $1, 'script', now() + interval '1 hour')
        returning id
        """,
        uuid.UUID(caller.id),
    )


async def token_id(world: World, caller: Caller) -> uuid.UUID:
    return await world.db.fetchval(
        """
        insert into personal_token (user_id, name, digest, scope, expires_at)
        values ($1, 'ci', $2, 'read', now() + interval '1 hour')
        returning id
        """,
        uuid.UUID(caller.id),
        uuid.uuid4().bytes,
    )


async def proposal_id(world: World, caller: Caller) -> str:
    lines = f"row v=1 {time.time_ns()}".encode()
    agent = Caller(world.anonymous.client, world.agent["token"])
    assert (await agent.call("POST", "/api/v2/write", lines)).status == 204
    await world.db.execute("update channel set state = 'proposed', sensor_id = null")
    return str(await world.db.fetchval("select id from channel where name = 'row/v'"))


async def address_token_id(world: World, caller: Caller) -> str:
    return caller.token or "none"


USUAL: dict[str, Maker] = {
    "project_id": project_id,
    "sensor_id": sensor_id,
    "agent_id": agent_id,
    "profile_id": profile_id,
    "experiment_id": experiment_id,
    "run_id": run_id,
    "capture_id": capture_id,
    "backfill_id": backfill_id,
    "invite_id": invite_id,
    "user_id": member_id,
    "session_id": session_id,
    "token_id": token_id,
    "proposal_id": proposal_id,
}
