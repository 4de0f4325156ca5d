"""How far the database is behind the stream, known while the database is away too."""

from typing import Any, Final, cast

from hub.kit.context import Hub
from hub.kit.problems import DatabaseAway
from hub.telemetry import shard_queries
from hub.telemetry.stream import START, StreamId, key_of

# A database that hangs is as good as away: what is remembered tells the lag meanwhile.
ASK_S: Final = 1.0


class Lag:
    """Remembers up to where each shard was stored when the database was last asked."""

    def __init__(self, hub: Hub) -> None:
        """Know nothing yet."""
        self._hub = hub
        self._positions: dict[int, StreamId] = {}
        self.database_away = False

    async def look(self) -> float:
        """Return for how many ms the oldest entry that is not stored has waited; raises RedisError."""
        await self._ask()
        oldest: int | None = None
        for shard, position in self._positions.items():
            found = cast("list[Any]", await self._hub.stream.xrange(key_of(shard), min=f"({position}", count=1))
            if found:
                entry = StreamId.parse(found[0][0]).ms
                oldest = entry if oldest is None else min(oldest, entry)
        if oldest is None:
            return 0.0
        # The stream's own clock numbers the entries.
        seconds, microseconds = await self._hub.stream.time()
        return max(0.0, seconds * 1000 + microseconds / 1000 - oldest)

    async def _ask(self) -> None:
        try:
            async with self._hub.db.connection(within_s=ASK_S) as connection:
                rows = await shard_queries.positions(connection)
            found = {row["shard"]: StreamId.parse(row["last_id"]) for row in rows}
            self._positions = {shard: found.get(shard, START) for shard in range(self._hub.settings.stream_shards)}
            self.database_away = False
        except DatabaseAway:
            self.database_away = True
