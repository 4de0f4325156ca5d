"""Registering and reading conversion profiles."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import msgspec

from contract.conversion.profile import Profile as ProfilePayload
from contract.conversion.profile import ProfileInvalid, parse_profile
from hub.conversion import queries
from hub.conversion.models import ActiveProfile, Profile, PublishedVersion
from hub.conversion.sealing import open_payload, seal_payload
from hub.kit.context import Context
from hub.kit.db import Tx
from hub.kit.pages import Page
from hub.kit.problems import FieldError, InvalidPayload, NotFound
from hub.kit.vault import SealBroken, Vault
from hub.ledger.service import Fact, record
from hub.projects.access import may_read_raw


def parse(payload: dict[str, Any], loc: Sequence[str | int]) -> ProfilePayload:
    """Read a payload that stands at `loc` of a request; raises InvalidPayload that names the place within it."""
    try:
        return parse_profile(payload)
    except ProfileInvalid as error:
        raise InvalidPayload(errors=[FieldError(loc=[*loc, *error.loc], msg=error.msg)]) from error


async def add_first(ctx: Context, sensor_id: UUID, profile: ProfilePayload) -> ActiveProfile:
    """Give a new sensor its first profile, active at once and valid from the beginning."""
    payload, profile_id = msgspec.to_builtins(profile), uuid4()
    row = await queries.insert_first(
        ctx.tx,
        profile_id=profile_id,
        sensor_id=sensor_id,
        kind=payload["kind"],
        payload_sealed=await seal_payload(ctx.hub.vault, profile_id, payload),
        created_by=ctx.caller.id,
    )
    active = ActiveProfile(**dict(row))
    details = {"sensor_id": sensor_id, "version": active.version, "kind": active.kind}
    await record(ctx, Fact("profile.created", subject_id=active.id, details=details))
    return active


async def list_of(ctx: Context, sensor_id: UUID) -> Page[Profile]:
    """List the versions of a sensor's profile, the newest first."""
    return Page(items=[await _profile(ctx, row) for row in await queries.of_sensor(ctx.tx, sensor_id)])


async def read(ctx: Context, profile_id: UUID) -> Profile:
    """Read a version."""
    return await _profile(ctx, await _find(ctx, profile_id))


async def payload_of(ctx: Context, profile_id: UUID) -> tuple[asyncpg.Record, ProfilePayload]:
    """Read a version with what it converts by; the caller answers for what that gives away."""
    row = await _find(ctx, profile_id)
    return row, parse_profile(await open_payload(ctx.hub.vault, profile_id, row["payload_sealed"]))


async def profile_of(tx: Tx, vault: Vault, profile_id: UUID) -> ProfilePayload:
    """Read what a version converts by; raises NotFound, and SealBroken or ProfileInvalid where it is damaged."""
    row = await queries.find(tx, profile_id)
    if row is None:
        raise NotFound(noun="profile")
    return parse_profile(await open_payload(vault, profile_id, row["payload_sealed"]))


async def active_of(tx: Tx, sensor_ids: list[UUID]) -> dict[UUID, ActiveProfile]:
    """Find the active versions of several sensors; those without one are missing."""
    return {
        row["sensor_id"]: ActiveProfile(id=row["id"], version=row["version"], kind=row["kind"])
        for row in await queries.active_of(tx, sensor_ids)
    }


async def published_of(tx: Tx, vault: Vault, sensor_ids: list[UUID]) -> dict[UUID, list[PublishedVersion]]:
    """Find all published versions of several sensors, the oldest first.

    The payload of one that does not open is empty, which edge agents take for a sensor that only the hub converts.
    """
    found: dict[UUID, list[PublishedVersion]] = defaultdict(list)
    for row in await queries.published_of(tx, sensor_ids):
        found[row["sensor_id"]].append(
            PublishedVersion(
                version=row["version"],
                valid_from=row["valid_from"],
                valid_to=row["valid_to"],
                payload=await _opened(vault, row),
            )
        )
    return found


async def _opened(vault: Vault, row: asyncpg.Record) -> dict[str, Any]:
    try:
        return await open_payload(vault, row["id"], row["payload_sealed"])
    except SealBroken:  # the vault has logged it
        return {}


async def _find(ctx: Context, profile_id: UUID) -> asyncpg.Record:
    row = await queries.find(ctx.tx, profile_id)
    if row is None:
        raise NotFound(noun="profile")
    return row


async def _profile(ctx: Context, row: asyncpg.Record) -> Profile:
    fields = dict(row)
    sealed = fields.pop("payload_sealed")
    if may_read_raw(ctx.scope):
        fields["payload"] = await open_payload(ctx.hub.vault, row["id"], sealed)
    return Profile(**fields)
