"""Merges the small chunks of the recent window: a slow sensor's samples come in chunks of one, 199 bytes each."""

import asyncio
from collections.abc import Sequence
from itertools import groupby
from typing import Any, Final

import asyncpg
import structlog

from hub.kit.context import Hub
from hub.kit.db import Tx
from hub.kit.problems import DatabaseAway
from hub.telemetry import days, merge_queries
from hub.telemetry.chunks import COPY_COLUMNS, LONGEST_SPAN_US, MAX_SAMPLES, copy_rows, cut, source_of
from hub.telemetry.unpacking import samples_of

log = structlog.get_logger(__name__)

PAUSE_S: Final = 60.0
# Everything is looked at again now and then: what comes late makes old stretches small-chunked once more.
WHOLE_EVERY_S: Final = 6 * 3600.0
MIN_AGE_US: Final = 15 * 60_000_000
STEP_US: Final = 6 * 3_600_000_000
SENSORS_AT_ONCE: Final = 20


class MergeBroken(Exception):
    """What was deleted is not what was read: nothing of it is committed."""


async def run(hub: Hub) -> None:
    """Merge until cancelled."""
    loop = asyncio.get_running_loop()
    merged_to: int | None = None
    whole_at = loop.time()
    while True:
        try:
            if loop.time() - whole_at > WHOLE_EVERY_S:
                merged_to, whole_at = None, loop.time()
            if merged_to is None:
                merged_to = await merge(hub)
                await tighten(hub)
            else:
                merged_to = await merge(hub, merged_to)
        except DatabaseAway:
            log.info("merging waits, the database is away")
        await asyncio.sleep(PAUSE_S)


async def merge(hub: Hub, from_t: int | None = None) -> int:
    """Merge what is old enough, from a time on or from the beginning; returns up to where (µs)."""
    end = hub.clock.now_us() - MIN_AGE_US
    end -= end % LONGEST_SPAN_US
    if from_t is None:
        async with hub.db.transaction() as tx:
            from_t = await merge_queries.oldest(tx)
    place = end if from_t is None else from_t - from_t % LONGEST_SPAN_US
    while place < end:
        stop = min(place + STEP_US, end)
        async with hub.db.transaction() as tx:
            small = await merge_queries.small(tx, place, stop, slot_us=LONGEST_SPAN_US, most=MAX_SAMPLES)
        for slot, rows in groupby(small, key=lambda row: row["slot"]):
            sensors = [row["sensor_no"] for row in rows]
            for start in range(0, len(sensors), SENSORS_AT_ONCE):
                await merge_slot(hub, sensors[start : start + SENSORS_AT_ONCE], slot * LONGEST_SPAN_US)
        place = stop
    return place


async def tighten(hub: Hub) -> None:
    """Rebuild the indexes that merging has left mostly empty, day by day."""
    async with hub.db.transaction() as tx:
        listed = await days.listed(tx)
    for day in listed:
        try:
            async with hub.db.transaction() as tx:
                await merge_queries.wait_shortly(tx)
                if await merge_queries.tighten_day(tx, day):
                    log.info("index rebuilt", day=day)
        except asyncpg.LockNotAvailableError:
            log.info("an index is in use; it is rebuilt later", day=day)


async def merge_slot(hub: Hub, sensors: Sequence[int], from_t: int) -> None:
    """Replace the chunks of some sensors that begin in a slot by as few as hold the same, in one transaction."""
    to_t = from_t + LONGEST_SPAN_US
    async with hub.db.transaction() as tx:
        if not await merge_queries.become_merger(tx):
            return
        rows = await merge_queries.chunks(tx, sensors, from_t, to_t)
        written = await _write(tx, rows)
        gone = await merge_queries.delete(tx, sensors, from_t, to_t, [row["chunk_no"] for row in rows])
        if gone != (len(rows), written):
            raise MergeBroken
    log.debug("chunks merged", chunks=len(rows), samples=written)


async def _write(tx: Tx, rows: Sequence[asyncpg.Record]) -> int:
    samples, starts = await asyncio.to_thread(_merged, rows)
    if len(starts):
        await tx.copy_to_table(
            "telemetry_recent", source=source_of(copy_rows(samples, starts)), columns=COPY_COLUMNS, format="binary"
        )
    return len(samples.t_us)


def _merged(rows: Sequence[asyncpg.Record]) -> tuple[Any, Any]:
    samples = samples_of(rows)
    return samples, cut(samples, LONGEST_SPAN_US)
