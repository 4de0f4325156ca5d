"""Asking for backfills, reading and cancelling them."""

from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from hub.backfills import queries
from hub.backfills.models import UNFINISHED, Backfill, BackfillQuery, Publication, Published
from hub.backfills.problems import (
    BackfillOver,
    BackfillUnderway,
    CaptureNotConvertible,
    ProfileNotPublished,
    TooManyCaptures,
)
from hub.captures.models import CaptureStatus
from hub.conversion import publication
from hub.conversion.models import ProfileStatus
from hub.kit.context import Context
from hub.kit.db import Tx
from hub.kit.pages import Page, Position, page_of, position_of
from hub.kit.problems import FieldError, InvalidPayload, NotFound
from hub.ledger.service import Fact, record
from hub.sealing import service as sealing
from hub.telemetry.differences import Tally
from hub.telemetry.preview_models import Difference

OVER = frozenset({CaptureStatus.FINISHED, CaptureStatus.SEALED})
MOST_CAPTURES = 1000


class Series(NamedTuple):
    """A sensor's series, and the version that is to convert it."""

    sensor_id: UUID
    sensor_no: int
    profile_id: UUID
    version: int


async def start(ctx: Context, capture_id: UUID, profile_id: UUID) -> Backfill:
    """Plan a backfill; what no seal holds yet is sealed first.

    Raises InvalidPayload for a version of no sensor of the capture, ProfileNotPublished,
    CaptureNotConvertible, BackfillUnderway.
    """
    capture = await locked_capture(ctx.tx, capture_id)
    series = await series_of(ctx.tx, capture_id, profile_id)
    if series["status"] == ProfileStatus.DRAFT:
        raise ProfileNotPublished(version=series["version"])
    other = await queries.underway(ctx.tx, capture_id, profile_id)
    if other is not None:
        raise BackfillUnderway(backfill_id=other["id"], current=other["status"], revision=other["revision"])
    planned = await _plan(ctx, capture, Series(series["sensor_id"], series["sensor_no"], profile_id, series["version"]))
    return await read(ctx, planned)


async def publish(ctx: Context, profile_id: UUID, body: Publication) -> Published:
    """Publish a version, and apply it to the captures of the last days where that was asked for."""
    profile = await publication.publish(ctx, profile_id, body.valid_from)
    started: list[UUID] = []
    if body.days is not None:
        captures = await queries.captures_since(ctx.tx, profile.sensor_id, body.days)
        if len(captures) > MOST_CAPTURES:
            raise TooManyCaptures(captures=len(captures), limit=MOST_CAPTURES)
        started = [
            await _plan(ctx, one, Series(profile.sensor_id, one["sensor_no"], profile_id, profile.version))
            for one in captures
        ]
    return Published(**dict(profile), backfills=started)


async def list_of_project(ctx: Context, project_id: UUID, query: BackfillQuery) -> Page[Backfill]:
    """List a project's backfills, the newest first."""
    before = position_of(query)
    rows = await queries.page(
        ctx.tx,
        project_id=project_id,
        capture_id=query.capture_id,
        sensor_id=query.sensor_id,
        status=query.status,
        before_at=before.created_at,
        before_id=before.id,
        limit=query.limit + 1,
    )
    return page_of(rows, query, _backfill, lambda row: Position(row["created_at"], row["id"]))


async def read(ctx: Context, backfill_id: UUID) -> Backfill:
    """Read a backfill."""
    row = await queries.find(ctx.tx, backfill_id)
    if row is None:
        raise NotFound(noun="backfill")
    return _backfill(row)


async def cancel(ctx: Context, backfill_id: UUID) -> Backfill:
    """End a backfill before it is finished: the capture stays as it is; raises BackfillOver."""
    row = await queries.lock(ctx.tx, backfill_id)
    if row is None:
        raise NotFound(noun="backfill")
    if row["status"] not in UNFINISHED:
        raise BackfillOver(current=row["status"])
    await queries.cancel(ctx.tx, backfill_id)
    details = {name: row[name] for name in ("capture_id", "sensor_id", "profile_version", "revision")}
    await record(ctx, Fact("backfill.cancelled", subject_id=backfill_id, details=details))
    return await read(ctx, backfill_id)


async def backfills_that_need(tx: Tx, sensor_id: UUID) -> list[str]:
    """Guard of deleting sensors: name the unfinished backfills of one."""
    return [
        f"backfill of capture {row['ordinal_number']} of run {row['number']} of {row['experiment']} ({row['status']})"
        for row in await queries.holding(tx, sensor_id)
    ]


async def locked_capture(tx: Tx, capture_id: UUID) -> asyncpg.Record:
    """Lock a capture that is over; raises CaptureNotConvertible."""
    capture = await queries.lock_capture(tx, capture_id)
    if capture is None:
        raise NotFound(noun="capture")
    if capture["status"] not in OVER:
        raise CaptureNotConvertible(ordinal=capture["ordinal_number"], current=capture["status"])
    return capture


async def series_of(tx: Tx, capture_id: UUID, profile_id: UUID) -> asyncpg.Record:
    """Find what a version converts of a capture; raises InvalidPayload where that is nothing."""
    series = await queries.series_of(tx, capture_id, profile_id)
    if series is None:
        errors = [FieldError(loc=["body", "profile_id"], msg="no version of a sensor of this capture")]
        raise InvalidPayload(errors=errors)
    return series


async def _plan(ctx: Context, capture: asyncpg.Record, series: Series) -> UUID:
    row = await queries.insert(
        ctx.tx,
        project_id=ctx.scope.scope_id,
        capture_id=capture["id"],
        sensor_id=series.sensor_id,
        sensor_no=series.sensor_no,
        profile_id=series.profile_id,
        profile_version=series.version,
        requested_by=ctx.caller.id,
    )
    assert row is not None  # noqa: S101 - an insert without a condition returns its row
    await sealing.plan_what_waits(ctx.tx, capture["id"], requested_by=ctx.caller.id)
    details = {
        "capture_id": capture["id"],
        "sensor_id": series.sensor_id,
        "profile_version": series.version,
        "revision": row["revision"],
    }
    await record(ctx, Fact("backfill.started", subject_id=row["id"], details=details))
    return row["id"]


def _backfill(row: asyncpg.Record) -> Backfill:
    fields = dict(row)
    return Backfill(
        difference=_difference(fields.pop("difference")), elements=_difference(fields.pop("elements")), **fields
    )


def _difference(counted: dict[str, Any] | None) -> Difference | None:
    return None if counted is None else Tally.of(counted).difference()
