"""What waits to be stored in the streams of all shards, followed from look to look for ledgers of many sensors."""

from collections import Counter
from collections.abc import Mapping

from hub.kit.context import Hub
from hub.kit.db import Tx
from hub.telemetry import shard_queries
from hub.telemetry.stream import START, StreamId
from hub.telemetry.unstored import Unstored, UnstoredWatch


class WaitingWatch:
    """Follows every shard. The stream is looked at before the database, so that what is stored in between counts once.

    A look is `note_positions`, `look`, and `settle` in the snapshot that the ledgers are read from.
    """

    def __init__(self, hub: Hub) -> None:
        """Start with nothing seen."""
        self._hub = hub
        self._shards = [UnstoredWatch(shard) for shard in range(hub.settings.stream_shards)]
        self._positions: dict[int, tuple[str, StreamId]] = {}

    async def note_positions(self) -> None:
        """Read up to where each shard is stored; while the database is away a look begins where the last one did."""
        async with self._hub.db.connection() as connection:
            rows = await shard_queries.positions(connection)
        self._positions = {row["shard"]: (row["run_id"], StreamId.parse(row["last_id"])) for row in rows}

    async def look(self) -> None:
        """Read what came since the last look; raises RedisError and OSError while the stream is away."""
        for watch in self._shards:
            await watch.look(self._hub.stream, *self._positions.get(watch.shard, ("", START)))

    async def settle(self, tx: Tx) -> None:
        """Leave out what a transaction's snapshot holds as stored."""
        lives = await shard_queries.lives(tx)
        for watch in self._shards:
            watch.settle(
                {row["run_id"]: StreamId.parse(row["last_id"]) for row in lives if row["shard"] == watch.shard}
            )

    def lags(self) -> Mapping[int, Unstored]:
        """Return by shard what was seen and is not stored."""
        now_us = self._hub.clock.now_us()
        return {watch.shard: watch.lag(now_us) for watch in self._shards}

    def samples(self) -> Counter[int]:
        """Count by sensor what was seen and is not stored."""
        return sum((Counter(lag.samples) for lag in self.lags().values()), Counter[int]())

    def unnumbered(self) -> frozenset[int]:
        """Return the sensors of which a packet without a number is among it."""
        return frozenset[int]().union(*(lag.unnumbered for lag in self.lags().values()))
