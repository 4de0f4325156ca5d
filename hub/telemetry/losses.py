"""Counts what was acknowledged and then lost with the stream's files, so that nothing is ever gone silently."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final, cast

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from hub.kit.context import Hub
from hub.kit.db import Tx
from hub.kit.problems import DatabaseAway
from hub.telemetry import queries
from hub.telemetry.stream import LIFE_FIELD, START, Acknowledged, Appender, StreamId, key_of

log = structlog.get_logger(__name__)

POLL_S: Final = 2.0
PAGE: Final = 200


async def watch(hub: Hub, appender: Appender) -> None:
    """Compare what this process acknowledged with stream and database, until cancelled."""
    while True:
        try:
            await check(hub, appender)
        except (RedisError, OSError, DatabaseAway, TimeoutError) as error:
            log.debug("the check for losses waits", shard=appender.shard, error=str(error))
        await asyncio.sleep(POLL_S)


async def check(hub: Hub, appender: Appender) -> int:
    """Forget what is stored, count what is neither stored nor in the stream any more; returns how many samples."""
    if not appender.remembered:
        return 0
    life = await _life(hub.stream)
    oldest = await _first(hub.stream, appender.shard)
    suspicious = [item for item in list(appender.remembered) if _may_be_gone(item, oldest, appender.life)]
    present = await _present(hub.stream, appender.shard, suspicious)
    # The stream was asked first: what is trimmed in between has its position committed by now.
    async with hub.db.transaction() as tx:
        position = await queries.position(tx, appender.shard)
        stored = {r["run_id"]: StreamId.parse(r["last_id"]) for r in await queries.lives(tx, appender.shard)}
        gone = [
            item
            for item in suspicious
            if item.id > stored.get(item.life, START) and (item.id, item.life) not in present
        ]
        # Until the position belongs to the new life, a writer may still store what it has read of the old one.
        if position is None or position["run_id"] != life:
            gone = []
        total = await _count(tx, appender.shard, gone)
    # Forgotten only once it is counted: when the database goes in between, the next check counts it.
    _forget(appender, stored, gone)
    if gone:
        log.error(
            "acknowledged samples are gone from the stream", shard=appender.shard, entries=len(gone), samples=total
        )
    return total


def _may_be_gone(item: Acknowledged, oldest: StreamId | None, life: str | None) -> bool:
    return oldest is None or item.id < oldest or item.life != life


def _forget(appender: Appender, stored: Mapping[str, StreamId], gone: list[Acknowledged]) -> None:
    lost = {(item.id, item.life) for item in gone}
    for _ in range(len(appender.remembered)):
        item = appender.remembered.popleft()
        if item.id > stored.get(item.life, START) and (item.id, item.life) not in lost:
            appender.remembered.append(item)


async def _life(stream: Redis) -> str:
    return cast("Any", await stream.info("server"))["run_id"]


async def _first(stream: Redis, shard: int) -> StreamId | None:
    found = cast("list[Any]", await stream.xrange(key_of(shard), count=1))
    return StreamId.parse(found[0][0]) if found else None


async def _present(stream: Redis, shard: int, items: list[Acknowledged]) -> set[tuple[StreamId, str]]:
    """Return which ids and lives between the first and the last of `items` the stream holds."""
    found: set[tuple[StreamId, str]] = set()
    if not items:
        return found
    start, end = min(item.id for item in items), max(item.id for item in items)
    while True:
        page = cast("list[Any]", await stream.xrange(key_of(shard), min=str(start), max=str(end), count=PAGE))
        for entry_id, fields in page:
            found.add((StreamId.parse(entry_id), dict(fields).get(LIFE_FIELD, b"").decode()))
        if len(page) < PAGE:
            return found
        last = StreamId.parse(page[-1][0])
        start = StreamId(last.ms, last.seq + 1)


async def _count(tx: Tx, shard: int, gone: list[Acknowledged]) -> int:
    rows = [
        (shard, item.life, no, samples, first_t, last_t)
        for item in gone
        for no, samples, first_t, last_t in zip(*(column.tolist() for column in item.held), strict=True)
    ]
    if rows:
        await queries.note_lost(tx, rows)
    return sum(samples for _, _, _, samples, _, _ in rows)
