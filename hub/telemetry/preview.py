"""Tries profiles on raw values and on stored samples, storing nothing."""

import asyncio
from typing import Any
from uuid import UUID

import numpy as np

from contract.conversion.convert import convert
from contract.conversion.profile import Profile
from hub.conversion import service as conversion
from hub.kit.context import Context
from hub.kit.problems import NotFound
from hub.ledger.service import Fact, record
from hub.projects.access import may_read_raw
from hub.projects.problems import RawNotAllowed
from hub.telemetry import read_queries, reading
from hub.telemetry.differences import Tally
from hub.telemetry.entries import F64, U8
from hub.telemetry.models import STATUS_NAMES, to_us
from hub.telemetry.preview_models import PayloadPreview, Preview, Previewed, PreviewedRange
from hub.telemetry.reading import Column


async def of_version(ctx: Context, profile_id: UUID, body: Preview) -> Previewed | PreviewedRange:
    """Try a version; raises RawNotAllowed, since pairs give raw values away, and RangeTooLarge."""
    _check_raw(ctx)
    row, profile = await conversion.payload_of(ctx, profile_id)
    await _record(ctx, profile_id, {"sensor_id": row["sensor_id"], "version": row["version"]}, body)
    return await _try(ctx, row["sensor_id"], profile, body)


async def of_payload(ctx: Context, sensor_id: UUID, body: PayloadPreview) -> Previewed | PreviewedRange:
    """Try a payload that is not stored on a sensor; raises RawNotAllowed and RangeTooLarge."""
    _check_raw(ctx)
    profile = conversion.parse(body.payload, ["body", "payload"])
    await _record(ctx, sensor_id, {"kind": body.payload["kind"]}, body)
    return await _try(ctx, sensor_id, profile, body)


def _check_raw(ctx: Context) -> None:
    if not may_read_raw(ctx.scope):
        raise RawNotAllowed


async def _record(ctx: Context, subject_id: UUID, about: dict[str, Any], body: Preview) -> None:
    details = about | (
        {"values": len(body.raw)}
        if body.raw is not None
        else body.model_dump(mode="json", by_alias=True, include={"from_", "to"})
    )
    await record(ctx, Fact("profile.previewed", subject_id=subject_id, details=details))


async def _try(ctx: Context, sensor_id: UUID, profile: Profile, body: Preview) -> Previewed | PreviewedRange:
    if body.raw is not None:
        return _previewed(*convert(profile, np.array(body.raw, dtype=np.float64)))
    if body.from_ is None or body.to is None:  # the model lets nothing else through
        raise RuntimeError("neither values nor a range")
    sensor = await read_queries.sensor(ctx.tx, sensor_id)
    if sensor is None:
        raise NotFound(noun="sensor")
    column = await reading.read(ctx.tx, sensor_no=sensor["no"], from_us=to_us(body.from_), to_us=to_us(body.to))
    return await asyncio.to_thread(_compare, profile, column, body.max_points)


def _compare(profile: Profile, column: Column, max_points: int) -> PreviewedRange:
    physical, status = convert(profile, column.raw)
    tally = Tally()
    tally.add(column.physical, column.status, physical, status)
    after = Column(column.t_us, column.raw, physical, status, column.version, column.total)
    places = reading.places_shown(after, max_points)
    shown, kept = column.take(places), after.take(places)
    return PreviewedRange(
        t=(shown.t_us / 1e6).tolist(),
        raw=shown.raw.tolist(),
        before=_previewed(shown.physical, shown.status),
        after=_previewed(kept.physical, kept.status),
        difference=_numbers(kept.physical - shown.physical),
        summary=tally.difference(),
        decimated=len(places) < len(column.t_us),
    )


def _previewed(physical: F64, status: U8) -> Previewed:
    return Previewed(physical=_numbers(physical), status=[STATUS_NAMES[code] for code in status.tolist()])


def _numbers(values: F64) -> list[float | None]:
    return [value if np.isfinite(value) else None for value in values.tolist()]
