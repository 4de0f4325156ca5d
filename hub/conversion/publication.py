"""The life cycle of a version: drafted, changed, published for a time to come, or withdrawn before that."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import msgspec

from hub.conversion import publication_queries as queries
from hub.conversion import service
from hub.conversion.models import LEAD_S, Profile, ProfileDraft, ProfileStatus
from hub.conversion.problems import ProfileNotScheduled, ProfilePublished, ProfileUnitsDiffer, PublicationPending
from hub.conversion.sealing import seal_payload
from hub.kit.context import Context
from hub.kit.problems import FieldError, InvalidPayload, NotFound
from hub.kit.wire import rfc3339
from hub.ledger.service import Fact, record

LEAD = timedelta(seconds=LEAD_S)


async def draft(ctx: Context, sensor_id: UUID, body: ProfileDraft) -> Profile:
    """Draft the next version of a sensor's profile; it applies to nothing before it is published."""
    payload = _payload(body)
    units = await _locked_units(ctx, sensor_id)
    _check_units(body, units)
    profile_id = uuid4()
    version = await queries.insert_draft(
        ctx.tx,
        profile_id=profile_id,
        sensor_id=sensor_id,
        kind=payload["kind"],
        payload_sealed=await seal_payload(ctx.hub.vault, profile_id, payload),
        input_unit=units["input_unit"],
        display_unit=units["display_unit"],
        created_by=ctx.caller.id,
    )
    await _record(ctx, "drafted", profile_id, sensor_id, version, kind=payload["kind"])
    return await service.read(ctx, profile_id)


async def change(ctx: Context, profile_id: UUID, body: ProfileDraft) -> Profile:
    """Replace what a draft says; raises ProfilePublished."""
    payload = _payload(body)
    row, units = await _locked(ctx, profile_id)
    _check_draft(row)
    _check_units(body, units)
    await queries.update_draft(
        ctx.tx,
        profile_id=profile_id,
        kind=payload["kind"],
        payload_sealed=await seal_payload(ctx.hub.vault, profile_id, payload),
        input_unit=units["input_unit"],
        display_unit=units["display_unit"],
    )
    await _record(ctx, "updated", profile_id, row["sensor_id"], row["version"], kind=payload["kind"])
    return await service.read(ctx, profile_id)


async def discard(ctx: Context, profile_id: UUID) -> None:
    """Delete a draft; raises ProfilePublished."""
    row, _ = await _locked(ctx, profile_id)
    _check_draft(row)
    await queries.delete_draft(ctx.tx, profile_id)
    await _record(ctx, "deleted", profile_id, row["sensor_id"], row["version"])


async def publish(ctx: Context, profile_id: UUID, valid_from: datetime | None) -> Profile:
    """Let a draft apply from a time on, by default as soon as every cache will know it; the version before ends there.

    Raises ProfilePublished, ProfileUnitsDiffer, PublicationPending while another version is still to come, and
    InvalidPayload for a time that is too near: samples could be converted before everybody knows.
    """
    row, units = await _locked(ctx, profile_id)
    _check_draft(row)
    drafted, current = _from_to(row), _from_to(units)
    if row["input_unit"] is not None and drafted != current:
        raise ProfileUnitsDiffer(drafted=drafted, current=current)
    rival = await queries.scheduled_of(ctx.tx, row["sensor_id"])
    if rival is not None:
        raise PublicationPending(version=rival["version"], valid_from=rfc3339(rival["valid_from"]))
    earliest = await queries.now(ctx.tx) + LEAD
    if valid_from is not None and valid_from < earliest:
        msg = f"at least {LEAD_S:g} s ahead: {rfc3339(earliest)} now"
        raise InvalidPayload(errors=[FieldError(loc=["body", "valid_from"], msg=msg)])
    begins = valid_from or earliest
    await queries.settle(ctx.tx, row["sensor_id"])
    await queries.end_current(ctx.tx, row["sensor_id"], begins)
    await queries.publish(ctx.tx, profile_id, valid_from=begins, published_by=ctx.caller.id)
    await _record(
        ctx, "published", profile_id, row["sensor_id"], row["version"], kind=row["kind"], valid_from=rfc3339(begins)
    )
    return await service.read(ctx, profile_id)


async def withdraw(ctx: Context, profile_id: UUID) -> Profile:
    """Take a publication back before it begins, the version before goes on; raises ProfileNotScheduled."""
    row, _ = await _locked(ctx, profile_id)
    if row["status"] != ProfileStatus.SCHEDULED:
        raise ProfileNotScheduled(version=row["version"], why=f"is {row['status']}")
    if row["valid_from"] < await queries.now(ctx.tx) + LEAD:
        raise ProfileNotScheduled(version=row["version"], why=f"begins in less than {LEAD_S:g} s")
    await queries.withdraw(ctx.tx, profile_id)
    await queries.resume(ctx.tx, row["sensor_id"], row["valid_from"])
    await _record(ctx, "withdrawn", profile_id, row["sensor_id"], row["version"])
    return await service.read(ctx, profile_id)


def _payload(body: ProfileDraft) -> dict[str, Any]:
    return msgspec.to_builtins(service.parse(body.payload, ["body", "payload"]))


async def _locked_units(ctx: Context, sensor_id: UUID) -> asyncpg.Record:
    units = await queries.lock_sensor(ctx.tx, sensor_id)
    if units is None:
        raise NotFound(noun="sensor")
    return units


async def _locked(ctx: Context, profile_id: UUID) -> tuple[asyncpg.Record, asyncpg.Record]:
    """Lock a version's sensor, then the version itself."""
    sensor_id = await queries.sensor_of(ctx.tx, profile_id)
    if sensor_id is None:
        raise NotFound(noun="profile")
    units = await _locked_units(ctx, sensor_id)
    row = await queries.lock(ctx.tx, profile_id)
    if row is None:
        raise NotFound(noun="profile")
    return row, units


def _check_draft(row: asyncpg.Record) -> None:
    if row["status"] != ProfileStatus.DRAFT:
        raise ProfilePublished(version=row["version"], current=row["status"])


def _check_units(body: ProfileDraft, units: asyncpg.Record) -> None:
    errors = [
        FieldError(loc=["body", name], msg=f"the sensor's is {units[name]!r}")
        for name, given in (("input_unit", body.input_unit), ("display_unit", body.display_unit))
        if given is not None and given != units[name]
    ]
    if errors:
        raise InvalidPayload(errors=errors)


def _from_to(units: asyncpg.Record) -> str:
    return f"{units['input_unit']} to {units['display_unit']}"


async def _record(ctx: Context, what: str, profile_id: UUID, sensor_id: UUID, version: int, **more: str) -> None:
    details = {"sensor_id": sensor_id, "version": version} | more
    await record(ctx, Fact(f"profile.{what}", subject_id=profile_id, details=details))
