"""What is stored of the last seconds, and how far of the stream that is, so that the stream's tail joins it exactly."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import numpy as np

from hub.kit.context import Hub
from hub.telemetry import queries, read_queries, reading
from hub.telemetry.chunks import LONGEST_SPAN_US
from hub.telemetry.problems import RangeTooLarge
from hub.telemetry.reading import Column
from hub.telemetry.stream import START, StreamId

MOST_SAMPLES: Final = 500_000
FAR_FUTURE_US: Final = 1 << 62


@dataclass(frozen=True)
class Backlog:
    """The samples of some sensors from a time on, by sensor, and what of the stream they stand for.

    `reaches` holds by shard up to where the stream was stored; `lives` the same of every life of its server.
    """

    columns: Mapping[int, Column]
    reaches: Mapping[int, StreamId]
    lives: Mapping[tuple[int, str], StreamId]

    def holds(self, shard: int, entry: StreamId, life: str) -> bool:
        """Tell whether an entry of the stream is among what was stored."""
        return entry <= self.lives.get((shard, life), StreamId(-1, 0))


async def read(hub: Hub, sensors: Sequence[int], from_us: int) -> Backlog:
    """Read the stored samples of sensors with t ≥ from, in one moment; raises RangeTooLarge and RedisError."""
    shards = sorted({no % hub.settings.stream_shards for no in sensors})
    info = cast("Any", await hub.stream.info("server"))
    async with hub.db.snapshot() as tx:
        total = await read_queries.upper_count_of_all(tx, sensors, from_us, LONGEST_SPAN_US)
        if total > MOST_SAMPLES:
            raise RangeTooLarge(total=total, limit=MOST_SAMPLES)
        rows = await read_queries.chunks_of_all(tx, sensors, from_us, LONGEST_SPAN_US)
        reaches: dict[int, StreamId] = {}
        lives: dict[tuple[int, str], StreamId] = {}
        for shard in shards:
            position = await queries.position(tx, shard)
            # The position of another life of the server says nothing about the entries that it numbers now.
            known = position is not None and position["run_id"] == info["run_id"]
            reaches[shard] = StreamId.parse(position["last_id"]) if position is not None and known else START
            lives |= {(shard, row["run_id"]): StreamId.parse(row["last_id"]) for row in await queries.lives(tx, shard)}
    by_sensor: dict[int, list[Any]] = {}
    for row in rows:
        by_sensor.setdefault(row["sensor_no"], []).append(row)
    columns = {no: _from(reading.join(some), from_us) for no, some in by_sensor.items()}
    return Backlog(columns, reaches, lives)


def _from(column: Column, from_us: int) -> Column:
    kept = column.take(column.t_us >= from_us)
    return kept.take(np.lexsort((kept.bits, kept.t_us)))
