"""How many shards there are: the database says so, and `etp admin reshard` alone changes it."""

import asyncio
from typing import Any, Final, cast

from redis.asyncio import Redis

from hub.kit.context import Hub
from hub.kit.db import Database
from hub.ledger.service import Fact, record_for_system
from hub.telemetry import shard_queries
from hub.telemetry.stream import START, StreamId, entries_of, key_of

# Every api has heard by then that the shards are closed, and what was on its way has arrived.
QUIET_S: Final = 3.0
DRAIN_S: Final = 60.0
POLL_S: Final = 0.1


class ShardsDiffer(Exception):
    """This hub is set to another number of shards than the database."""

    def __init__(self, *, found: int, wanted: int) -> None:
        """Say what can be done."""
        super().__init__(
            f"The samples lie in {found} shards, ETP_STREAM_SHARDS says {wanted}: set it to {found}, "
            f"or change their number with `etp admin reshard {wanted}`."
        )


class NotDrained(Exception):
    """Samples still wait in the stream; nothing was changed."""

    def __init__(self, shards: list[int]) -> None:
        """Name the shards."""
        super().__init__(
            f"Samples still wait in {'shard' if len(shards) == 1 else 'shards'} {', '.join(map(str, shards))}; "
            "nothing was changed. Does a writer run, with the old number of shards?"
        )


async def check(hub: Hub) -> None:
    """Make the shards where there are none yet; raises ShardsDiffer, or DatabaseAway when that cannot be known."""
    wanted = hub.settings.stream_shards
    async with hub.db.transaction() as tx:
        await shard_queries.create_shards(tx, wanted)
        found = len(await shard_queries.positions(tx))
    if found != wanted:
        raise ShardsDiffer(found=found, wanted=wanted)


async def reshard(db: Database, stream: Redis, shards: int, *, drain_s: float = DRAIN_S) -> int:
    """Close the shards, wait until all is stored, and change their number; returns what it was.

    Two writers may not store one sensor: a shard is closed so that no api appends to it, and everything in it is
    stored, before its sensors go to another. Raises NotDrained.
    """
    async with db.transaction() as tx:
        await shard_queries.close_shards(tx, closed=True)
    try:
        await _drained(db, stream, drain_s)
        async with db.transaction() as tx:
            rows = await shard_queries.lock_shards(tx)
            if waiting := await _waiting(stream, rows):
                raise NotDrained(waiting)
            await shard_queries.change_shards(tx, shards)
            await record_for_system(tx, Fact("stream.resharded", details={"shards": shards}), by="operator")
        # What is left of them is stored; a later shard of this number begins anew.
        for row in rows:
            if row["shard"] >= shards:
                await stream.delete(key_of(row["shard"]))
    finally:
        async with db.transaction() as tx:
            await shard_queries.close_shards(tx, closed=False)
    return len(rows)


async def _drained(db: Database, stream: Redis, drain_s: float) -> None:
    """Wait until nothing has waited for a while."""
    loop = asyncio.get_running_loop()
    deadline, since = loop.time() + drain_s, loop.time()
    while loop.time() < since + QUIET_S:
        async with db.connection() as connection:
            waiting = await _waiting(stream, await shard_queries.positions(connection))
        if waiting:
            since = loop.time()
            if since > deadline:
                raise NotDrained(waiting)
        await asyncio.sleep(POLL_S)


async def _waiting(stream: Redis, rows: Any) -> list[int]:
    """List the shards with entries that are not stored."""
    life = cast("Any", await stream.info("server"))["run_id"]
    found: list[int] = []
    for row in rows:
        start = StreamId.parse(row["last_id"]) if row["run_id"] == life else START
        if entries_of(await stream.xrange(key_of(row["shard"]), min=f"({start}", count=1)):
            found.append(row["shard"])
    return found
