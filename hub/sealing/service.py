"""Asking for seals and reading manifests."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg

from hub.captures import service as captures
from hub.captures.models import Capture, CaptureStatus
from hub.kit.context import Context
from hub.kit.db import Tx
from hub.kit.problems import NotFound
from hub.ledger.service import Fact, record
from hub.sealing import job_queries, manifest_queries, queries
from hub.sealing.models import Cause, Manifest, Seal, SealedBy, SeriesManifest
from hub.sealing.problems import CaptureNotFinished, CaptureNotSealed, NothingToSeal

SEALABLE = frozenset({CaptureStatus.FINISHED, CaptureStatus.SEALED})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


async def seal(ctx: Context, capture_id: UUID) -> Capture:
    """Plan a seal of a finished capture, or of what came late to a sealed one; one that is planned already stands.

    Raises CaptureNotFinished, NothingToSeal.
    """
    capture = await queries.lock_capture(ctx.tx, capture_id)
    if capture is None:
        raise NotFound(noun="capture")
    if capture["status"] not in SEALABLE:
        raise CaptureNotFinished(ordinal=capture["ordinal_number"], current=capture["status"])
    if capture["status"] == CaptureStatus.SEALED and not (capture["late"] or capture["sealing"]):
        raise NothingToSeal(ordinal=capture["ordinal_number"], capture_id=capture_id)
    if await plan(ctx.tx, capture_id, Cause.HAND, requested_by=ctx.caller.id):
        await record(ctx, Fact("capture.seal_requested", subject_id=capture_id))
    return await captures.read(ctx, capture_id)


async def plan(tx: Tx, capture_id: UUID, cause: Cause, *, requested_by: UUID | None = None) -> bool:
    """Plan the next seal of a capture; False when one is planned already, or it is neither finished nor sealed."""
    capture = await queries.lock_capture(tx, capture_id)
    if capture is None or capture["status"] not in SEALABLE:
        return False
    if not await job_queries.insert_job(tx, capture_id, cause, requested_by):
        return False
    await job_queries.insert_parts(tx, capture_id)
    return True


async def plan_what_waits(tx: Tx, capture_id: UUID, *, requested_by: UUID) -> None:
    """Plan a seal of a capture that has none yet, or whose seals lack what came late."""
    capture = await queries.lock_capture(tx, capture_id)
    if capture is not None and (capture["status"] != CaptureStatus.SEALED or capture["late"]):
        await plan(tx, capture_id, Cause.HAND, requested_by=requested_by)


async def manifest(ctx: Context, capture_id: UUID) -> Manifest:
    """Read the manifests of a capture; raises CaptureNotSealed."""
    capture = await captures.read(ctx, capture_id)
    if capture.status is not CaptureStatus.SEALED:
        raise CaptureNotSealed(ordinal=capture.ordinal_number, current=capture.status)
    rows = await manifest_queries.manifests(ctx.tx, capture_id)
    seals = [
        _seal(one, [row for row in rows if row["seal"] == one["seal"]])
        for one in await manifest_queries.seals(ctx.tx, capture_id)
    ]
    return Manifest(capture_id=capture_id, waiting=capture.late_waiting, seals=seals)


def _seal(row: asyncpg.Record, sensors: Sequence[asyncpg.Record]) -> Seal:
    by = row["requested_by"]
    return Seal(
        seal=row["seal"],
        sealed_at=row["sealed_at"],
        cause=row["cause"],
        requested_by=None if by is None else SealedBy(id=by, name=row["requested_name"] or ""),
        added=row["added"],
        samples=row["samples"],
        sha256=row["sha256"].hex(),
        sensors=[_series(one) for one in sensors],
    )


def _series(row: asyncpg.Record) -> SeriesManifest:
    return SeriesManifest(
        sensor_id=row["sensor_id"],
        sensor=row["name"],
        added=row["added"],
        samples=row["n"],
        first_t=_at(row["first_t"]),
        last_t=_at(row["last_t"]),
        sha256=row["sha256"].hex(),
    )


def _at(t_us: int | None) -> datetime | None:
    return None if t_us is None else _EPOCH + timedelta(microseconds=t_us)
