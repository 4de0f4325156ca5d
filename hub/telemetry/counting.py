"""The ledger of samples: received = stored + duplicates + rejected + pending, for a sensor and for a capture."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final, NamedTuple, cast
from uuid import UUID

import numpy as np
from redis.asyncio import Redis
from redis.exceptions import RedisError

from contract.packets import NO_TIME
from hub.kit.context import Hub
from hub.kit.db import Tx
from hub.telemetry import dropped_queries, entries, queries, read_queries
from hub.telemetry.chunks import LONGEST_SPAN_US
from hub.telemetry.models import CaptureLedger, Ledger, SensorLedger
from hub.telemetry.problems import StreamUnread
from hub.telemetry.stream import ENTRY_FIELD, LIFE_FIELD, START, StreamId, key_of

PAGE: Final = 200
FAR_FUTURE_US: Final = 1 << 62


async def of_sensor(hub: Hub, sensor_no: int) -> Ledger:
    """Return a sensor's ledger.

    The stream is asked first and one snapshot of the database after it, so that a sample that is stored in between is
    counted once.
    """
    only = [sensor_no]
    behind = await _behind(hub, only)
    async with hub.db.snapshot() as tx:
        waiting, unnumbered = await _pending(tx, behind, only, NO_TIME, FAR_FUTURE_US)
        counts = (await read_queries.sensor_counts(tx, only)).get(sensor_no)
        lost = await read_queries.lost_counts(tx, only, NO_TIME, FAR_FUTURE_US)
        dropped = await dropped_queries.counts(tx, only, NO_TIME, FAR_FUTURE_US)
    pending = waiting[sensor_no]
    received = (counts["received"] if counts else 0) + pending
    whole = sensor_no not in unnumbered and not lost[sensor_no] and not dropped[sensor_no]
    sent, gaps = packets_of(counts, received, whole=whole)
    return Ledger(
        received=received,
        stored=counts["stored"] if counts else 0,
        duplicates=counts["duplicates"] if counts else 0,
        rejected=counts["rejected"] if counts else 0,
        pending=pending,
        late=counts["late"] if counts else 0,
        differing=counts["differing"] if counts else 0,
        lost=lost[sensor_no],
        dropped=dropped[sensor_no],
        sent=sent,
        gaps=gaps,
    )


async def of_capture(hub: Hub, capture_id: UUID) -> CaptureLedger:
    """Return the ledger of a capture's range, in all and for each sensor; rejected counts those with a known time.

    Each table is asked once for all sensors: a capture may have hundreds, and its viewers see it counted every second.
    """
    async with hub.db.connection() as connection:
        sensors = await read_queries.capture_sensors(connection, capture_id)
    numbers = [sensor["no"] for sensor in sensors]
    behind = await _behind(hub, numbers)
    async with hub.db.snapshot() as tx:
        from_us, to_us = await capture_bounds(tx, capture_id)
        pending, unnumbered = await _pending(tx, behind, numbers, from_us, to_us)
        late = await read_queries.late_of_capture(tx, capture_id, numbers)
        if await read_queries.is_sealed(tx, capture_id):
            stored = await read_queries.stored_in_sealed(tx, capture_id)
        else:
            stored = await read_queries.stored_in_range(tx, numbers, from_us, to_us, LONGEST_SPAN_US)
        duplicates, rejected = await read_queries.not_stored_in_range(tx, numbers, from_us, to_us)
        lost = await read_queries.lost_counts(tx, numbers, from_us, to_us)
        dropped = await dropped_queries.counts(tx, numbers, from_us, to_us)
        counts = await read_queries.sensor_counts(tx, numbers)
    parts: list[SensorLedger] = []
    for sensor in sensors:
        no = sensor["no"]
        received = stored[no] + duplicates[no] + rejected[no] + pending[no]
        whole = no not in unnumbered and not lost[no] and not dropped[no]
        sent, gaps = _packets_in_range(counts.get(no), from_us, to_us, received, whole=whole)
        parts.append(
            SensorLedger(
                sensor_id=sensor["id"],
                received=received,
                stored=stored[no],
                duplicates=duplicates[no],
                rejected=rejected[no],
                pending=pending[no],
                late=late[no],
                lost=lost[no],
                dropped=dropped[no],
                sent=sent,
                gaps=gaps,
            )
        )
    return CaptureLedger(
        received=sum(part.received for part in parts),
        stored=sum(part.stored for part in parts),
        duplicates=sum(part.duplicates for part in parts),
        rejected=sum(part.rejected for part in parts),
        pending=sum(part.pending for part in parts),
        late=sum(part.late for part in parts),
        lost=sum(part.lost for part in parts),
        dropped=sum(part.dropped for part in parts),
        sent=_sum_if_known([part.sent for part in parts]),
        gaps=_sum_if_known([part.gaps for part in parts]),
        sensors=parts,
    )


async def capture_bounds(tx: Tx, capture_id: UUID) -> tuple[int, int]:
    """Return from and to (µs) of a capture; one that runs ends nowhere yet, a draft is empty."""
    row = await read_queries.capture_range(tx, capture_id)
    if row is None or row["from_us"] is None:
        return 0, 0
    return row["from_us"], FAR_FUTURE_US if row["to_us"] is None else row["to_us"]


def packets_of(counts: Any, received: int, *, whole: bool, since_us: int = NO_TIME) -> tuple[int | None, int | None]:
    """Return the samples sent and the missing packets of a sensor, by its booked counts; None where it is unknown.

    All that was sent came only if no packet is missing and none came without a number since `since_us`, for nobody sees
    such a packet missing; and if it is `whole`: nothing was lost, nothing dropped, nothing without a number waits.
    """
    if counts is None or not counts["packets_sent"]:
        return None, None
    gaps = counts["packets_sent"] - counts["packets_seen"]
    unnumbered = counts["unnumbered_at"] is not None and counts["unnumbered_at"] >= since_us
    return (received if whole and gaps == 0 and not unnumbered else None), gaps


def _packets_in_range(
    counts: Any, from_us: int, to_us: int, received: int, *, whole: bool
) -> tuple[int | None, int | None]:
    """Return the samples sent and the missing packets from `from_us` to `to_us`, where that is certain; else None.

    Of a missing packet nobody knows which times it held. So a capture is known to be whole only while its sensor misses
    none at all and was heard past the end.
    """
    sent, _ = packets_of(counts, received, whole=whole, since_us=from_us)
    heard_past = counts is not None and counts["high_water"] is not None and counts["high_water"] >= to_us
    return (sent, 0) if sent is not None and heard_past else (None, None)


def _sum_if_known(counts: Sequence[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known and len(known) == len(counts) else None


class Behind(NamedTuple):
    """An entry that the stream held when it was asked."""

    id: StreamId
    life: str
    data: bytes


async def _behind(hub: Hub, sensors: Sequence[int]) -> list[tuple[int, Behind]]:
    """Read, shard by shard, what the stream holds after the stored position; raises StreamUnread."""
    shards = hub.settings.stream_shards
    found: list[tuple[int, Behind]] = []
    try:
        for shard in sorted({no % shards for no in sensors}):
            found += [(shard, entry) for entry in await _entries(hub.stream, shard, await _begin(hub, shard))]
    except (RedisError, OSError) as error:
        raise StreamUnread("The ledger cannot be counted without it.") from error
    return found


async def _begin(hub: Hub, shard: int) -> StreamId:
    """Return where unstored entries may begin: after the position, or at the beginning for a server just started."""
    async with hub.db.connection() as connection:
        row = await queries.position(connection, shard)
    info = cast("Any", await hub.stream.info("server"))
    if row is None or row["run_id"] != info["run_id"]:
        return START
    return StreamId.parse(row["last_id"])


async def _entries(stream: Redis, shard: int, start: StreamId) -> list[Behind]:
    behind: list[Behind] = []
    while True:
        page = cast("list[Any]", await stream.xrange(key_of(shard), min=f"({start}", count=PAGE))
        for raw_id, raw_fields in page:
            fields = dict(raw_fields)
            behind.append(
                Behind(StreamId.parse(raw_id), fields.get(LIFE_FIELD, b"").decode(), fields.get(ENTRY_FIELD, b""))
            )
        if len(page) < PAGE:
            return behind
        start = behind[-1].id


async def _pending(
    tx: Tx, behind: Sequence[tuple[int, Behind]], sensors: Sequence[int], from_us: int, to_us: int
) -> tuple[dict[int, int], set[int]]:
    """Count by sensor what of `behind` the transaction's snapshot does not hold as stored, with from ≤ t < to.

    Over all times a sample without a known t counts too. Also returns the sensors of which a packet without a number is
    among it.
    """
    found = dict.fromkeys(sensors, 0)
    unnumbered: set[int] = set()
    stored = {
        (shard, row["run_id"]): StreamId.parse(row["last_id"])
        for shard in {shard for shard, _ in behind}
        for row in await queries.lives(tx, shard)
    }
    for place, (shard, entry) in enumerate(behind):
        if place % PAGE == 0:
            await asyncio.sleep(0)  # after an outage there may be hundreds of thousands
        if entry.id <= stored.get((shard, entry.life), START):
            continue
        try:
            content = entries.decode(entry.data)
        except entries.EntryBroken:
            continue  # the writer sets it aside and books nothing for it
        rejects, numbered = content.rejects, content.numbered
        for numbers, times in ((content.sensor_no, content.t_us), (rejects["sensor_no"], rejects["t"])):
            inside = numbers[(times >= from_us) & (times < to_us)]
            for no, count in zip(*(part.tolist() for part in np.unique(inside, return_counts=True)), strict=True):
                if no in found:
                    found[no] += count
                    if no not in numbered:
                        unnumbered.add(no)
    return found, unnumbered
