"""Tells what a backfill would change, storing nothing."""

import asyncio
from typing import Final
from uuid import UUID

from contract.conversion.convert import convert
from contract.conversion.profile import Profile
from hub.backfills import elements, service
from hub.backfills.models import DryRun
from hub.conversion import service as conversion
from hub.kit.context import Context
from hub.ledger.service import Fact, record
from hub.telemetry import counting, reading, revisions, vectors
from hub.telemetry.differences import Tally
from hub.telemetry.reading import Column

# What is converted in about a second; the first samples of a longer series tell as much.
MOST_SAMPLES: Final = 4_000_000


async def dry_run(ctx: Context, capture_id: UUID, profile_id: UUID) -> DryRun:
    """Compare a capture's newest revision with what a version, a draft too, makes of it; raises as a backfill does."""
    await service.locked_capture(ctx.tx, capture_id)
    series = await service.series_of(ctx.tx, capture_id, profile_id)
    profile = await conversion.profile_of(ctx.tx, ctx.hub.vault, profile_id)
    begin, end = await counting.capture_bounds(ctx.tx, capture_id)
    newest = await revisions.find(ctx.tx, ctx.hub.vault, capture_id, series["sensor_id"], None)
    tally, total = Tally(), 0
    async for piece in reading.stream(
        ctx.tx,
        sensor_no=series["sensor_no"],
        from_us=begin,
        to_us=end,
        capture_id=capture_id,
        revision=newest,
    ):
        total += len(piece.t_us)
        if tally.samples < MOST_SAMPLES:
            await asyncio.to_thread(_compare, tally, profile, piece)
    of_elements: Tally | None = None
    if series["of_vectors"]:
        of_elements = Tally()
        pages = vectors.pages(ctx.tx, series["sensor_no"], from_us=begin, to_us=end, revision=newest)
        await elements.compare(of_elements, profile, pages, most=MOST_SAMPLES)
    details = {"sensor_id": series["sensor_id"], "profile_version": series["version"], "samples": tally.samples}
    await record(ctx, Fact("backfill.tried", subject_id=capture_id, details=details))
    return DryRun(
        capture_id=capture_id,
        sensor_id=series["sensor_id"],
        profile_id=profile_id,
        profile_version=series["version"],
        samples=total,
        difference=tally.difference(),
        elements=None if of_elements is None else of_elements.difference(),
    )


def _compare(tally: Tally, profile: Profile, piece: Column) -> None:
    tally.add(piece.physical, piece.status, *convert(profile, piece.raw))
