"""How the writers of several processes share the shards: each process as many as the others."""

import secrets
from typing import Final

from hub.kit.db import Tx
from hub.telemetry import shard_queries

# How often a process with too many shards gives one up, and how long it rests when nobody took it.
GIVE_EVERY_S: Final = 1.0
GIVE_AGAIN_S: Final = 10.0
# A shard that nobody works on is left for so long to processes that have fewer.
OTHERS_FIRST_S: Final = 1.5


class Crew:
    """The writers of one process, and what its members know of the other processes.

    A turn at a shard is an advisory lock, and so is being there: PostgreSQL forgets both when a process dies.
    """

    def __init__(self) -> None:
        """Start with no shard."""
        self.key = secrets.randbits(31)
        self.held: set[int] = set()
        self._given: dict[int, float] = {}
        self._give_from_s = 0.0

    async def join(self, tx: Tx, shard: int) -> None:
        """Be counted as a process that can work on a shard, until the connection ends."""
        await shard_queries.join_crew(tx, self.key, shard)

    async def is_next(self, tx: Tx, shard: int) -> bool:
        """Tell whether no other process that can work on a shard has fewer than this one."""
        return len(self.held) <= await self._fewest(tx, shard)

    def take(self, shard: int, now_s: float) -> None:
        """Note that this process works on a shard."""
        self.held.add(shard)
        if shard in self._given and now_s < self._given.pop(shard) + GIVE_AGAIN_S:
            self._give_from_s = now_s + GIVE_AGAIN_S  # whoever should have taken it stands still

    def leave(self, shard: int) -> None:
        """Note that this process works on a shard no more."""
        self.held.discard(shard)

    async def should_give(self, tx: Tx, shard: int, now_s: float) -> bool:
        """Tell whether this shard is the one to be left to a process that has at least two fewer."""
        if shard != max(self.held, default=shard) or now_s < self._give_from_s:
            return False
        self._give_from_s = now_s + GIVE_EVERY_S
        if len(self.held) - await self._fewest(tx, shard) < 2:
            return False
        self._given[shard] = now_s
        return True

    async def _fewest(self, tx: Tx, shard: int) -> int:
        others = [row["shards"] for row in await shard_queries.crews(tx, shard) if row["key"] != self.key]
        return min(others, default=len(self.held))
