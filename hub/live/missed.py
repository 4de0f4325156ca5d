"""Reads out of the stream what a viewer missed, page by page, and notices what the stream holds no longer."""

from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from hub.live.fanout import split
from hub.live.viewer import Piece
from hub.telemetry import entries
from hub.telemetry.stream import LIFE_FIELD, START, StreamId, entries_of, key_of

PAGE: Final = 32

Known = Callable[[int, StreamId, str], bool]


class Page(NamedTuple):
    """Pieces by sensor, in order; up to where all shards are read with them; whether something before is gone."""

    pieces: Mapping[int, Sequence[Piece]]
    positions: Sequence[StreamId]
    gap: bool


async def pages(
    stream: Redis, since: Sequence[StreamId], until: Sequence[StreamId], sensors: frozenset[int], known: Known
) -> AsyncGenerator[Page]:
    """Yield what the stream holds of sensors after `since` and not after `until`, without entries that are `known`.

    At least one page comes. Raises RedisError.
    """
    shards = {no % len(since) for no in sensors}
    positions = [since[shard] if shard in shards else until[shard] for shard in range(len(since))]
    for shard in sorted(shards):
        while True:
            found, gap = await _read(stream, shard, positions[shard], until[shard])
            pieces: dict[int, list[Piece]] = {}
            for entry_id, fields in found:
                if not known(shard, entry_id, fields.get(LIFE_FIELD, b"").decode()):
                    for no, piece in _pieces(fields):
                        if no in sensors:
                            pieces.setdefault(no, []).append(piece)
            last = len(found) < PAGE
            positions[shard] = until[shard] if last else found[-1][0]
            yield Page(pieces, list(positions), gap)
            if last:
                break


async def gone(stream: Redis, shards: Iterable[int], since: Sequence[StreamId]) -> bool:
    """Tell whether the stream holds no longer all that came after `since` in these shards; raises RedisError."""
    for shard in shards:
        _, lost = await _read(stream, shard, since[shard], since[shard])
        if lost:
            return True
    return False


async def _read(
    stream: Redis, shard: int, start: StreamId, end: StreamId
) -> tuple[list[tuple[StreamId, dict[bytes, bytes]]], bool]:
    """Read a page after `start`; also tells whether something after `start` was there and is gone."""
    # In one transaction: what is trimmed between two questions would be missed silently.
    pipe = stream.pipeline(transaction=True)
    pipe.xrange(key_of(shard), min=f"({start}", max=str(end), count=PAGE)
    pipe.xinfo_stream(key_of(shard))
    found, info = await pipe.execute(raise_on_error=False)
    if isinstance(info, ResponseError):  # there is no such stream (any more)
        return [], start > START
    for answer in (found, info):
        if isinstance(answer, Exception):
            raise answer
    return entries_of(found), _gone_after(start, info)


def _gone_after(start: StreamId, info: Mapping[str, Any]) -> bool:
    if StreamId.parse(info["last-generated-id"]) < start:
        return True  # another stream, which numbers anew
    first = info["first-entry"]
    if first is not None and StreamId.parse(first[0]) <= start:
        return False
    # Nothing was ever taken away, or it may have come after `start`: that cannot be told apart any more.
    return info.get("entries-added", -1) != info["length"]


def _pieces(fields: dict[bytes, bytes]) -> list[tuple[int, Piece]]:
    try:
        return split(fields)
    except entries.EntryBroken:
        return []  # the writer sets it aside
