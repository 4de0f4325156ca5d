"""Reads the tail of the stream once and hands each sensor's samples to those who watch it."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final, cast

import structlog
from redis.asyncio import Redis

from hub.kit.context import Hub
from hub.live.viewer import Piece, Spectrum, Viewer
from hub.telemetry import entries
from hub.telemetry.stream import ENTRY_FIELD, START, StreamId, key_of, page_of

log = structlog.get_logger(__name__)

READ_COUNT: Final = 128
BLOCK_MS: Final = 1000
REACH_S: Final = 0.01


class Fanout:
    """One reader for each shard; it rests while nobody watches."""

    def __init__(self, hub: Hub) -> None:
        """Start with nobody watching."""
        self._hub = hub
        self.shards = hub.settings.stream_shards
        self._watching: dict[int, set[Viewer]] = defaultdict(set)
        self._viewers: set[Viewer] = set()
        self._anybody = asyncio.Event()
        self.positions: list[StreamId | None] = [None] * self.shards
        self._ready = [asyncio.Event() for _ in range(self.shards)]

    async def join(self, viewer: Viewer) -> None:
        """Let a viewer watch; returns once every shard is being read."""
        self._viewers.add(viewer)
        self._anybody.set()
        for ready in self._ready:
            await ready.wait()

    def leave(self, viewer: Viewer) -> None:
        """Forget a viewer."""
        self._viewers.discard(viewer)
        for no in viewer.sensors:
            self._unwatch(viewer, no)
        if not self._viewers:
            self._anybody.clear()

    def watching(self, sensor_no: int) -> frozenset[Viewer]:
        """Return who watches a sensor."""
        return frozenset(self._watching.get(sensor_no, ()))

    def watch(self, viewer: Viewer, sensors: Sequence[int]) -> str:
        """Hand the samples of these sensors to the viewer from now on; returns the cursor of this moment."""
        for no in sensors:
            self._watching[no].add(viewer)
        return self.cursor()

    def unwatch(self, viewer: Viewer, sensors: Sequence[int]) -> None:
        """Stop handing over these sensors' samples."""
        for no in sensors:
            self._unwatch(viewer, no)

    @property
    def viewers(self) -> int:
        """How many watch."""
        return len(self._viewers)

    def cursor(self) -> str:
        """Return the cursor of what was handed over up to now."""
        return cursor_of([position or START for position in self.positions])

    async def reach(self, shard: int, position: StreamId, patience_s: float) -> bool:
        """Wait until a shard was read up to a position; False when that takes too long."""
        deadline = asyncio.get_running_loop().time() + patience_s
        while (self.positions[shard] or START) < position:
            if asyncio.get_running_loop().time() > deadline:
                return False
            await asyncio.sleep(REACH_S)
        return True

    async def read(self, shard: int) -> None:
        """Read one shard's tail until cancelled."""
        while True:
            await self._anybody.wait()
            redis = Redis.from_url(self._hub.settings.redis_url, socket_timeout=30.0, single_connection_client=True)
            try:
                await self._follow(redis, shard)
            finally:
                self._ready[shard].clear()
                if not self._anybody.is_set():
                    self.positions[shard] = None
                await redis.aclose()

    async def _follow(self, redis: Redis, shard: int) -> None:
        found = cast("list[Any]", await redis.xrevrange(key_of(shard), count=1))
        newest = StreamId.parse(found[0][0]) if found else START
        # After an interruption go on where it was; a stream that holds less than that is another one.
        last = min(self.positions[shard] or newest, newest)
        self.positions[shard] = last
        self._ready[shard].set()
        while self._anybody.is_set():
            reply = cast("Any", await redis.xread({key_of(shard): str(last)}, count=READ_COUNT, block=BLOCK_MS))
            for last, fields in page_of(reply):
                self._hand_over(fields)
                self.positions[shard] = last
            await asyncio.sleep(0)

    def _hand_over(self, fields: dict[bytes, bytes]) -> None:
        try:
            for no, piece in split(fields):
                for viewer in self._watching.get(no, ()):
                    viewer.offer(no, piece)
        except entries.EntryBroken:
            log.warning("an entry cannot be shown")

    def _unwatch(self, viewer: Viewer, no: int) -> None:
        watching = self._watching.get(no)
        if watching is not None:
            watching.discard(viewer)
            if not watching:
                del self._watching[no]


def cursor_of(positions: Sequence[StreamId]) -> str:
    """Write the positions of all shards as a cursor."""
    return ",".join(map(str, positions))


def positions_of(cursor: str, shards: int) -> list[StreamId]:
    """Read a cursor; raises ValueError for one that is none of ours."""
    positions = [StreamId.parse(part) for part in cursor.split(",")]
    if len(positions) != shards:
        raise ValueError("the cursor belongs to a hub with another number of shards")
    return positions


def split(fields: dict[bytes, bytes]) -> list[tuple[int, Piece]]:
    """Split an entry into its sensors' pieces; raises EntryBroken."""
    entry = entries.decode(fields.get(ENTRY_FIELD, b""))
    pieces: list[tuple[int, Piece]] = []
    at = 0
    for no, count, _version in entry.series.tolist():
        part = slice(at, at + count)
        at += count
        t = entry.t_us[part]
        delay_ms = (entry.received_at_us - int(t.max())) / 1000.0
        spectrum = None
        if entry.vectors and (places := [place for place in range(part.start, at) if place in entry.vectors]):
            newest = max(places, key=lambda place: entry.t_us[place])
            spectrum = Spectrum(int(entry.t_us[newest]), entry.vectors[newest])
        pieces.append((no, Piece(t, entry.raw[part], entry.physical[part], entry.status[part], delay_ms, spectrum)))
    return pieces
