"""The writer of one shard: reads the stream by position and stores it, exactly once whatever happens."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any, Final, cast

import asyncpg
import numpy as np
import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from hub.kit.context import Hub
from hub.kit.db import APPLICATION_ROLE, prepare_connection, session_settings
from hub.telemetry import entries, queries, shard_queries, store
from hub.telemetry.batch import NO_MARK, Read
from hub.telemetry.crew import OTHERS_FIRST_S, Crew
from hub.telemetry.entries import EntryBroken
from hub.telemetry.stream import ENTRY_FIELD, LIFE_FIELD, START, StreamId, key_of, page_of, parse_info

log = structlog.get_logger(__name__)

READ_COUNT: Final = 256
MAX_READ_BYTES: Final = 24 << 20
STANDBY_POLL_S: Final = 0.5
STANDBY_PATIENCE_S: Final = 2.0
RESUME_MS: Final = 60_000
BLOCK_MS: Final = 500
TRANSACTION_BUCKETS_S: Final = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 20.0)

RawEntry = tuple[StreamId, dict[bytes, bytes]]


class TurnOver(Exception):
    """This writer stands by again, and everything that it cached for the shard is void."""


class Outrun(TurnOver):
    """Another writer moved this shard's position."""


class Given(TurnOver):
    """A process with fewer shards may take this one."""


class Writer:
    """Stores one shard. Two of them do no harm: whoever moves the position first wins, the other stands by again."""

    def __init__(self, hub: Hub, shard: int, crew: Crew | None = None) -> None:
        """Prepare to write `shard`; `crew` is shared by the writers of a process."""
        self._hub = hub
        self._crew = crew or Crew()
        self._locked = False
        self._looked_at_s = 0.0
        self.shard = shard
        self._interval_s = 1.0 / hub.settings.writer_transactions_per_s
        self._marks = np.full(1024, NO_MARK, np.int64)
        self._lives: dict[str, StreamId] = {}
        self._run_id = ""
        self._last = START
        self._days: set[int] = set()
        self._transactions = hub.meters.histogram(
            "etp_writer_transaction_seconds", "From begin to commit.", ("shard",), TRANSACTION_BUCKETS_S
        ).labels(str(shard))
        self._samples = hub.meters.counter(
            "etp_writer_samples", "Samples that this process read and brought into the database.", ("shard",)
        ).labels(str(shard))

    async def run(self) -> None:
        """Connect, wait for our turn, and store until cancelled or something breaks."""
        settings = self._hub.settings
        connection = await asyncpg.connect(
            settings.database_url,
            timeout=5.0,
            command_timeout=60.0,
            server_settings=session_settings(f"etp writer {self.shard}", APPLICATION_ROLE)
            | {
                # A writer that was paused inside a transaction must not hold the shard for good.
                "idle_in_transaction_session_timeout": "5s",
                "lock_timeout": "10s",
            },
        )
        # One connection is one life of the server: silently made anew, it would trim what another life holds unread.
        redis = Redis.from_url(
            settings.redis_url, socket_timeout=30.0, single_connection_client=True, retry=Retry(NoBackoff(), 0)
        )
        try:
            await prepare_connection(connection)
            if connection.get_server_version().major >= 17:
                await queries.bound_transactions(connection)
            await shard_queries.create_shards(connection, settings.stream_shards)
            await self._crew.join(connection, self.shard)
            self._locked = False
            while True:
                await self._wait_for_turn(connection, redis)
                self._crew.take(self.shard, asyncio.get_running_loop().time())
                try:
                    await self._store_until_over(connection, redis)
                except TurnOver as over:
                    log.info("writer stands by", shard=self.shard, why=type(over).__name__)
                finally:
                    self._crew.leave(self.shard)
                if self._locked:
                    await shard_queries.unlock_shard(connection, self.shard)
                    self._locked = False
                # Whoever was faster is still at work, or has fewer shards: the lock is theirs.
                await asyncio.sleep(OTHERS_FIRST_S)
        finally:
            connection.terminate()
            await redis.aclose()

    async def _wait_for_turn(self, connection: "asyncpg.Connection[asyncpg.Record]", redis: Redis) -> None:
        """Stand by while another writer works; take over when it holds the lock but stores nothing any more."""
        stuck_since: float | None = None
        free_since: float | None = None
        seen: tuple[str, str] | None = None
        loop = asyncio.get_running_loop()
        while True:
            if await shard_queries.shard_is_locked(connection, self.shard):
                free_since = None
            elif free_since is None:
                free_since = loop.time()
            waited = free_since is not None and loop.time() - free_since > OTHERS_FIRST_S
            if free_since is not None and (waited or await self._crew.is_next(connection, self.shard)):
                self._locked = await shard_queries.try_shard_lock(connection, self.shard)
                if self._locked:
                    return
            row = await queries.position(connection, self.shard)
            position = (row["run_id"], row["last_id"]) if row else ("", "0-0")
            behind = await self._behind(redis, StreamId.parse(position[1]))
            if position != seen or not behind:
                seen, stuck_since = position, loop.time()
            elif stuck_since is not None and loop.time() - stuck_since > STANDBY_PATIENCE_S:
                log.warning("writer takes over from one that stands still", shard=self.shard)
                return
            await asyncio.sleep(STANDBY_POLL_S)

    async def _behind(self, redis: Redis, last: StreamId) -> bool:
        newest = cast("list[Any]", await redis.xrevrange(key_of(self.shard), count=1))
        return bool(newest) and StreamId.parse(newest[0][0]) != last

    async def _store_until_over(self, connection: "asyncpg.Connection[asyncpg.Record]", redis: Redis) -> None:
        """Store until another writer should; raises TurnOver."""
        await self._load(connection)
        loop = asyncio.get_running_loop()
        while True:
            await self._look_at_others(connection, loop.time())
            await self._follow_life(connection, redis)
            began = loop.time()
            raw, more = await self._read(redis)
            if not raw:
                continue
            await self._store(connection, raw)
            await self._trim(redis)
            if not more:
                await asyncio.sleep(max(0.0, self._interval_s - (loop.time() - began)))

    async def _look_at_others(self, connection: "asyncpg.Connection[asyncpg.Record]", now_s: float) -> None:
        """Leave the shard to a process that has fewer, and take the lock of one that was taken over from."""
        if now_s < self._looked_at_s + STANDBY_POLL_S:
            return
        self._looked_at_s = now_s
        if not self._locked:
            self._locked = await shard_queries.try_shard_lock(connection, self.shard)
        elif await self._crew.should_give(connection, self.shard, now_s):
            raise Given

    async def _load(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            row = await queries.position(connection, self.shard)
            if row is None:
                raise RuntimeError(f"the database has no shard {self.shard}; set ETP_STREAM_SHARDS to what it has")
            self._run_id, self._last = row["run_id"], StreamId.parse(row["last_id"])
            self._lives = {
                r["run_id"]: StreamId.parse(r["last_id"]) for r in await queries.lives(connection, self.shard)
            }
            self._marks[:] = NO_MARK
            self._raise_marks({r["sensor_no"]: r["high_water"] for r in await queries.high_water(connection)})

    async def _follow_life(self, connection: "asyncpg.Connection[asyncpg.Record]", redis: Redis) -> None:
        """Begin at the stream's beginning when the server is another one, or holds less than was stored."""
        info = cast("Any", await redis.execute_command("INFO", "server"))
        life = str(info["run_id"]) if isinstance(info, dict) else parse_info(info)["run_id"]
        shrunk = life == self._run_id and self._last > START and await self._newest_id(redis) < self._last
        if life == self._run_id and not shrunk:
            return
        if self._run_id:
            log.warning("the stream is not the one that was read before", shard=self.shard, shrunk=shrunk)
        moved = await queries.move_position(
            connection,
            self.shard,
            old_run=self._run_id,
            old_id=str(self._last),
            new_run=life,
            new_id=str(START),
        )
        if not moved:
            raise Outrun
        self._run_id, self._last = life, START

    async def _newest_id(self, redis: Redis) -> StreamId:
        if not await redis.exists(key_of(self.shard)):
            return START
        info = await redis.xinfo_stream(key_of(self.shard))
        return StreamId.parse(cast("Any", info)["last-generated-id"])

    async def _read(self, redis: Redis) -> tuple[list[RawEntry], bool]:
        """Read what the stream holds after the position, up to a byte limit; tells whether it may hold more."""
        raw: list[RawEntry] = []
        size = 0
        last = self._last
        while size < MAX_READ_BYTES:
            reply = await redis.xread(
                {key_of(self.shard): str(last)}, count=READ_COUNT, block=None if raw else BLOCK_MS
            )
            page = page_of(reply)
            raw += page
            size += sum(len(fields.get(ENTRY_FIELD, b"")) for _, fields in page)
            if len(page) < READ_COUNT:
                return raw, False
            last = page[-1][0]
        return raw, True

    async def _store(self, connection: "asyncpg.Connection[asyncpg.Record]", raw: Sequence[RawEntry]) -> None:
        try:
            await self._store_all(connection, raw, {})
        except (EntryBroken, asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as error:
            # One of them cannot be stored: find it, keep it aside, and let the others through.
            log.warning("storing entries one by one", shard=self.shard, error=str(error))
            for one in raw:
                await self._store_one(connection, one)

    async def _store_one(self, connection: "asyncpg.Connection[asyncpg.Record]", one: RawEntry) -> None:
        # A day that was made may have been dropped since: make it within the transaction, where it cannot go.
        self._days.clear()
        try:
            await self._store_all(connection, [one], {})
        except (EntryBroken, asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as error:
            log.exception("an entry cannot be stored", shard=self.shard, entry=str(one[0]))
            await self._store_all(connection, [one], {one[0]: str(error)})

    async def _store_all(
        self, connection: "asyncpg.Connection[asyncpg.Record]", raw: Sequence[RawEntry], dead: dict[StreamId, str]
    ) -> None:
        """Store entries and move the position in one transaction; those in `dead` are set aside."""
        reads = [self._decode(entry_id, fields) for entry_id, fields in raw if entry_id not in dead]
        lives = dict(self._lives)
        for entry_id, fields in raw:
            life = _life(fields)
            lives[life] = max(lives.get(life, START), entry_id)
        newest = raw[-1][0]
        began = time.monotonic()
        async with connection.transaction():
            moved = await queries.move_position(
                connection,
                self.shard,
                old_run=self._run_id,
                old_id=str(self._last),
                new_run=self._run_id,
                new_id=str(newest),
            )
            if not moved:
                raise Outrun
            # Within the transaction: while it holds the shard's row no day is dropped.
            days = await self._ensure_days(connection, reads)
            for life, last in lives.items():
                if self._lives.get(life) != last:
                    await queries.note_life(connection, self.shard, life, str(last))
            marks = await store.store(connection, reads, self._marks) if reads else {}
            for entry_id, fields in raw:
                if entry_id in dead:
                    await self._bury(connection, entry_id, fields, dead[entry_id])
        self._transactions.observe(time.monotonic() - began)
        self._samples.inc(sum(len(read.entry.t_us) for read in reads))
        self._last, self._lives = newest, lives
        self._days |= days
        self._raise_marks(marks)

    async def _bury(
        self, connection: "asyncpg.Connection[asyncpg.Record]", entry_id: StreamId, fields: dict[bytes, bytes], why: str
    ) -> None:
        data = fields.get(ENTRY_FIELD, b"")
        await queries.note_dead(connection, self.shard, str(entry_id), data, why)
        try:
            read = self._decode(entry_id, fields)
        except EntryBroken:
            return
        if not read.known:
            await store.book_as_rejected(connection, read)

    def _decode(self, entry_id: StreamId, fields: dict[bytes, bytes]) -> Read:
        entry = entries.decode(fields.get(ENTRY_FIELD, b""))
        self._grow_marks(int(entry.series["sensor_no"].max(initial=0)))
        life = _life(fields)
        return Read(entry_id, life, entry, known=entry_id <= self._lives.get(life, StreamId(-1, 0)))

    async def _ensure_days(self, connection: "asyncpg.Connection[asyncpg.Record]", reads: Sequence[Read]) -> set[int]:
        today = self._hub.clock.now_us() // store.DAY_US
        missing = (store.days_of(reads) | {today, today + 1}) - self._days
        if missing:
            await queries.ensure_days(connection, sorted(missing))
        return missing

    def _grow_marks(self, sensor_no: int) -> None:
        if sensor_no >= len(self._marks):
            grown = np.full(max(sensor_no + 1, 2 * len(self._marks)), NO_MARK, np.int64)
            grown[: len(self._marks)] = self._marks
            self._marks = grown

    def _raise_marks(self, newest: dict[int, int]) -> None:
        for no, t in newest.items():
            self._grow_marks(no)
            self._marks[no] = max(self._marks[no], t)

    async def _trim(self, redis: Redis) -> None:
        """Drop what is stored, but for a minute of it (a quarter of the bound at most) that viewers may resume from."""
        keep_from = min(self._last, StreamId(max(0, self._last.ms - RESUME_MS), 0))
        info = cast("Any", await redis.execute_command("INFO", "memory"))
        used = int(info["used_memory"] if isinstance(info, dict) else parse_info(info)["used_memory"])
        if used > self._hub.settings.stream_max_bytes // 4:
            keep_from = self._last
        await redis.xtrim(key_of(self.shard), minid=str(keep_from), approximate=False)


def _life(fields: dict[bytes, bytes]) -> str:
    return fields.get(LIFE_FIELD, b"").decode()
