"""Registering, reading, changing and deleting sensors."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

import asyncpg

from hub.conversion import service as conversion
from hub.conversion.models import STATUS_NAMES, ActiveProfile
from hub.kit.context import Context, Hub
from hub.kit.db import Tx
from hub.kit.pages import Page, Position, page_of, position_of
from hub.kit.problems import FieldError, InvalidPayload, NotFound
from hub.ledger.service import Fact, record
from hub.projects.access import grant_of, may_read_raw, only_project
from hub.projects.models import Role
from hub.projects.problems import RoleTooLow
from hub.sensors import guards, queries, tokens
from hub.sensors.access import check_speaks_for
from hub.sensors.broker_hash import broker_hash
from hub.sensors.limit_models import Limits, LimitsUpdate, TimeSource
from hub.sensors.models import (
    ProjectSensorQuery,
    Sensor,
    SensorCreate,
    SensorQuery,
    SensorState,
    SensorType,
    SensorUpdate,
)
from hub.sensors.problems import SensorHeld, SensorNameTaken, SensorTokenTaken

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Null is a value of theirs; of other fields it leaves what is there.
NULLABLE: Final = frozenset({"agent_id", "token_expires_at"})


async def create(ctx: Context, body: SensorCreate) -> Sensor:
    """Register a sensor in the caller's project; its token is in the answer for an owner only."""
    limits = Limits(**_limits_given(ctx, body.limits))
    tokens.check_expiry(ctx, body.token_expires_at)
    profile = None if body.profile is None else conversion.parse(body.profile, ["body", "profile"])
    token, digest = await tokens.choose(ctx, body.token)
    sensor_id = uuid4()
    try:
        await queries.insert(
            ctx.tx,
            sensor_id=sensor_id,
            project_id=ctx.scope.scope_id,
            name=body.name,
            type_=body.type,
            input_unit=body.input_unit,
            display_unit=body.display_unit,
            token_digest=digest,
            token_sealed=await tokens.seal(ctx, sensor_id, token),
            broker_hash=broker_hash(token),
            token_expires_at=body.token_expires_at,
            heartbeat_interval_s=body.heartbeat_interval_s,
            calibration_notes=body.calibration_notes,
            axis=None if body.axis is None else body.axis.model_dump(),
            time_source=body.time_source,
            requests_per_s=limits.requests_per_s,
            requests_burst=limits.burst,
            samples_per_s=limits.samples_per_s,
        )
    except asyncpg.UniqueViolationError as error:
        raise (
            SensorNameTaken(name=body.name) if error.constraint_name == "sensor_name" else SensorTokenTaken()
        ) from error
    details: dict[str, Any] = {"name": body.name, "type": body.type, "time_source": body.time_source}
    details["limits"] = limits.model_dump()
    if body.token_expires_at is not None:
        details["token_expires_at"] = body.token_expires_at
    await record(ctx, Fact("sensor.created", subject_id=sensor_id, details=details))
    if profile is not None:
        await conversion.add_first(ctx, sensor_id, profile)
    made = await read(ctx, sensor_id)
    return made.model_copy(update={"token": token}) if ctx.scope.role == Role.OWNER else made


async def read(ctx: Context, sensor_id: UUID) -> Sensor:
    """Read a sensor of the caller's projects."""
    rows = await _rows(ctx, SensorQuery(limit=1), sensor_id=sensor_id)
    if not rows:
        raise NotFound(noun="sensor")
    active = await conversion.active_of(ctx.tx, [sensor_id])
    return _sensor(rows[0], active)


async def list_mine(ctx: Context, query: SensorQuery) -> Page[Sensor]:
    """List the sensors of all the caller's projects, the newest first."""
    rows = await _rows(ctx, query)
    active = await conversion.active_of(ctx.tx, [row["id"] for row in rows])
    return page_of(rows, query, lambda row: _sensor(row, active), lambda row: Position(row["created_at"], row["id"]))


async def list_of_project(ctx: Context, project_id: UUID, query: ProjectSensorQuery) -> Page[Sensor]:
    """List a project's sensors, the newest first."""
    return await list_mine(ctx, SensorQuery(project_id=project_id, **query.model_dump()))


async def update(ctx: Context, sensor_id: UUID, body: SensorUpdate) -> Sensor:
    """Change a sensor; its profile has versions of its own.

    Raises RoleTooLow where limits or the token's end are given by no owner.
    """
    limits = _limits_given(ctx, body.limits)
    ends = "token_expires_at" in body.model_fields_set
    if ends and ctx.scope.role != Role.OWNER:
        raise RoleTooLow(needed=Role.OWNER, role=ctx.scope.role)
    tokens.check_expiry(ctx, body.token_expires_at)
    before = await read(ctx, sensor_id)
    # The edge agent before the sensor, as its deletion locks them.
    if "agent_id" in body.model_fields_set and not await queries.assign(
        ctx.tx, sensor_id=sensor_id, project_id=ctx.scope.scope_id, agent_id=body.agent_id
    ):
        raise InvalidPayload(errors=[FieldError(loc=["body", "agent_id"], msg="no edge agent of this project")])
    if await queries.lock(ctx.tx, sensor_id) is None:
        raise NotFound(noun="sensor")
    try:
        await queries.update(
            ctx.tx,
            sensor_id=sensor_id,
            name=body.name,
            type_=body.type,
            input_unit=body.input_unit,
            display_unit=body.display_unit,
            heartbeat_interval_s=body.heartbeat_interval_s,
            calibration_notes=body.calibration_notes,
            time_source=body.time_source,
            requests_per_s=limits.get("requests_per_s"),
            requests_burst=limits.get("burst"),
            samples_per_s=limits.get("samples_per_s"),
        )
    except asyncpg.UniqueViolationError as error:
        raise SensorNameTaken(name=body.name) from error
    if ends:
        await queries.set_expiry(ctx.tx, sensor_id=sensor_id, expires_at=body.token_expires_at)
    given = body.model_dump(exclude_unset=True, exclude={"limits"})
    if limits:
        given["limits"] = before.limits.model_dump() | limits
    after = {name: value for name, value in given.items() if value is not None or name in NULLABLE}
    await record(ctx, Fact("sensor.updated", subject_id=sensor_id, before=before.model_dump(), after=after))
    return await read(ctx, sensor_id)


def _limits_given(ctx: Context, limits: LimitsUpdate) -> dict[str, Any]:
    """Return the limits that are to be set; raises RoleTooLow for whoever is no owner."""
    given = limits.model_dump(exclude_none=True)
    if given and ctx.scope.role != Role.OWNER:
        raise RoleTooLow(needed=Role.OWNER, role=ctx.scope.role)
    return given


async def delete(ctx: Context, sensor_id: UUID) -> None:
    """Delete a sensor softly; raises SensorHeld while a run or a capture needs it."""
    name = await queries.lock(ctx.tx, sensor_id)
    if name is None:
        raise NotFound(noun="sensor")
    holders = await guards.holders_of(ctx.tx, sensor_id)
    if holders:
        raise SensorHeld(holders="; ".join(holders))
    await queries.delete(ctx.tx, sensor_id)
    await record(ctx, Fact("sensor.deleted", subject_id=sensor_id, details={"name": name}))


async def heartbeat(ctx: Context, sensor_id: UUID) -> None:
    """Note a sign of life from the sensor or from the edge agent that speaks for it."""
    await check_speaks_for(ctx.tx, ctx.caller, sensor_id)
    await queries.heartbeat(ctx.tx, sensor_id)


async def note_heartbeat(hub: Hub, sensor_id: UUID) -> None:
    """Note a sign of life that came over a connection which stands; raises DatabaseAway."""
    async with hub.db.transaction() as tx:
        await queries.heartbeat(tx, sensor_id)


async def lock_bindable(tx: Tx, *, sensor_ids: list[UUID], project_id: UUID) -> dict[UUID, int]:
    """Lock those of the sensors that exist in the project against deletion; returns their numbers by id."""
    rows = await queries.lock_bindable(tx, sensor_ids=sensor_ids, project_id=project_id)
    return {row["id"]: row["no"] for row in rows}


async def _rows(ctx: Context, query: SensorQuery, sensor_id: UUID | None = None) -> list[asyncpg.Record]:
    before = position_of(query)
    only = only_project(ctx)
    if only is not None and query.project_id not in {None, only}:
        return []
    return await queries.page(
        ctx.tx,
        user_id=ctx.caller.id,
        sensor_id=sensor_id,
        project_id=only or query.project_id,
        type_=query.type,
        state=query.state,
        q=query.q,
        before_at=before.created_at,
        before_id=before.id,
        limit=query.limit + 1,
    )


def _sensor(row: asyncpg.Record, active: dict[UUID, ActiveProfile]) -> Sensor:
    grant = grant_of(row["project_id"], row["role"], row["raw_policy"])
    time_source = TimeSource(row["time_source"])
    status, newest_us, delay_us = row["last_status"], row["high_water"], row["delay_us"]
    return Sensor(
        id=row["id"],
        project_id=row["project_id"],
        name=row["name"],
        type=SensorType(row["type"]),
        input_unit=row["input_unit"],
        display_unit=row["display_unit"],
        heartbeat_interval_s=row["heartbeat_interval_s"],
        calibration_notes=row["calibration_notes"],
        axis=row["axis"],
        agent_id=row["agent_id"],
        time_source=time_source,
        limits=Limits(
            requests_per_s=row["requests_per_s"], burst=row["requests_burst"], samples_per_s=row["samples_per_s"]
        ),
        created_at=row["created_at"],
        active_profile=active.get(row["id"]),
        state=SensorState(row["state"]),
        last_heartbeat=row["last_heartbeat"],
        last_t=None if newest_us is None else EPOCH + timedelta(microseconds=newest_us),
        last_raw=row["last_raw"] if may_read_raw(grant) else None,
        last_physical=_finite(row["last_physical"]),
        last_status=None if status is None else STATUS_NAMES[status],
        delay_ms=None if delay_us is None else delay_us / 1000,
        token_expires_at=row["token_expires_at"],
        clock_skew_s=None if row["clock_low"] is None or time_source is TimeSource.ARRIVAL else -row["clock_low"] / 1e6,
    )


def _finite(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else value
