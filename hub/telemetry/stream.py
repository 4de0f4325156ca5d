"""The durable stream: appending with shared fsyncs, and noticing when the server lost something."""

import asyncio
from collections import deque
from typing import Any, Final, NamedTuple, cast

import numpy as np
import structlog
from redis.asyncio import ConnectionPool
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import RedisError, ResponseError

from hub.telemetry.entries import I32, I64
from hub.telemetry.problems import StreamUnavailable

log = structlog.get_logger(__name__)

ENTRY_FIELD: Final = b"e"
LIFE_FIELD: Final = b"l"
MAX_GROUP: Final = 128
MAX_GROUP_BYTES: Final = 8 << 20
MAX_QUEUED_BYTES: Final = 64 << 20
MAX_REMEMBERED: Final = 500_000
TIMEOUT_S: Final = 10.0
FULLNESS_POLL_S: Final = 0.25

# Give a batch whose samples lack times one time for good: the first append wins, a repetition learns the first's time.
APPEND_ONCE: Final = """
if redis.call('set', KEYS[2], ARGV[1], 'NX', 'EX', 86400) then
  return redis.call('xadd', KEYS[1], '*', 'e', ARGV[2], 'l', ARGV[3])
end
return {redis.call('get', KEYS[2])}
"""


def key_of(shard: int) -> str:
    """Return the key of a shard's stream."""
    return f"telemetry:{shard}"


class StreamId(NamedTuple):
    """The id of an entry: milliseconds and a number within them; ordered as the server orders them."""

    ms: int
    seq: int

    @classmethod
    def parse(cls, text: str | bytes) -> "StreamId":
        """Read the server's form `ms-seq`."""
        ms, _, seq = (text.decode() if isinstance(text, bytes) else text).partition("-")
        return cls(int(ms), int(seq or 0))

    def __str__(self) -> str:
        return f"{self.ms}-{self.seq}"


START: Final = StreamId(0, 0)


class AlreadyTimed(Exception):
    """This batch was appended before; its samples without t got `t_us` then."""

    def __init__(self, t_us: int) -> None:
        """Keep the time that the batch was given."""
        self.t_us = t_us
        super().__init__(str(t_us))


class Held(NamedTuple):
    """What an entry holds of each series: its sensor, how many samples, between which times (µs); all of shape (n,)."""

    sensor_no: I32
    samples: I64
    first_t: I64
    last_t: I64

    @classmethod
    def of(cls, sensor_no: I32, samples: I64, t_us: I64) -> "Held":
        """Describe consecutive series, none of them empty, by the times of their samples."""
        if not len(samples):
            return cls(sensor_no, samples, samples, samples)
        starts = np.cumsum(samples) - samples
        return cls(sensor_no, samples, np.minimum.reduceat(t_us, starts), np.maximum.reduceat(t_us, starts))


class Acknowledged(NamedTuple):
    """An entry that was acknowledged: its id, its server life, and what it held."""

    id: StreamId
    life: str
    held: Held


class _Waiting(NamedTuple):
    entry: bytes
    once: tuple[str, int] | None
    held: Held
    done: "asyncio.Future[StreamId]"


class Appender:
    """Appends entries to one shard. Everything that waits goes out together, so that it shares one fsync.

    The server's run id, its *life*, is asked on every new connection and written into each entry: positions of one life
    say nothing about another. `remembered` holds what was acknowledged lately, so that a loss is counted.
    """

    def __init__(self, url: str, shard: int) -> None:
        """Prepare to append to `shard` of the server at `url`."""
        self.shard = shard
        self._pool = ConnectionPool.from_url(url, socket_timeout=TIMEOUT_S, socket_connect_timeout=5.0)
        self._connection: AbstractConnection | None = None
        self._waiting: deque[_Waiting] = deque()
        self._queued_bytes = 0
        self._wake = asyncio.Event()
        self.life: str | None = None
        self.full = False
        self.remembered: deque[Acknowledged] = deque(maxlen=MAX_REMEMBERED)

    @property
    def queued(self) -> int:
        """How many entries wait to be sent."""
        return len(self._waiting)

    @property
    def queued_bytes(self) -> int:
        """How many bytes wait to be sent."""
        return self._queued_bytes

    async def append(self, entry: bytes, held: Held, once: tuple[str, int] | None = None) -> StreamId:
        """Append an entry and return once it is durable; raises StreamUnavailable when that cannot be had.

        `once` is (key, t_us) of a batch whose samples lack times; raises AlreadyTimed when the key was used before.
        """
        if self.full:
            raise StreamUnavailable("The stream is full until the writer catches up.")
        if self._queued_bytes + len(entry) > MAX_QUEUED_BYTES:
            raise StreamUnavailable("Too much is waiting for the disk.")
        done: asyncio.Future[StreamId] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(entry, once, held, done))
        self._queued_bytes += len(entry)
        self._wake.set()
        return await done

    async def run(self) -> None:
        """Send what waits, group by group, until cancelled; fails whatever is in flight when the server goes."""
        group: list[_Waiting] = []
        try:
            while True:
                await self._wake.wait()
                group = self._take()
                try:
                    async with asyncio.timeout(TIMEOUT_S):
                        await self._send(group)
                except (RedisError, OSError, TimeoutError) as error:
                    await self._drop_connection()
                    self._fail(group, f"The stream is away ({type(error).__name__}).")
                    self._fail(self._take_all(), "The stream is away.")
                    log.warning("stream append failed", shard=self.shard, error=str(error))
        finally:
            self._fail([*group, *self._take_all()], "The hub is stopping.")
            await self._drop_connection()

    async def watch_fullness(self, max_bytes: int) -> None:
        """Refuse new entries near the bound and take them again below it."""
        while True:
            try:
                async with asyncio.timeout(TIMEOUT_S):
                    self.full = await used_bytes(self._pool) > max_bytes * 0.95
            except (RedisError, OSError, TimeoutError):
                self.full = False  # being away is another fault; each append says so itself
            await asyncio.sleep(FULLNESS_POLL_S)

    def _take(self) -> list[_Waiting]:
        group: list[_Waiting] = []
        size = 0
        while self._waiting and len(group) < MAX_GROUP and size < MAX_GROUP_BYTES:
            item = self._waiting.popleft()
            size += len(item.entry)
            group.append(item)
        self._queued_bytes -= size
        if not self._waiting:
            self._wake.clear()
        return group

    def _take_all(self) -> list[_Waiting]:
        rest = list(self._waiting)
        self._waiting.clear()
        self._queued_bytes = 0
        self._wake.clear()
        return rest

    async def _send(self, group: list[_Waiting]) -> None:
        connection = await self._connected()
        life = cast("str", self.life)
        key = key_of(self.shard)
        commands: list[tuple[Any, ...]] = []
        for item in group:
            if item.once is None:
                commands.append(("XADD", key, "*", ENTRY_FIELD, item.entry, LIFE_FIELD, life))
            else:
                batch, t_us = item.once
                commands.append(("EVAL", APPEND_ONCE, 2, key, f"batch:{batch}", t_us, item.entry, life))
        await connection.send_packed_command(connection.pack_commands(commands))
        for item in group:
            try:
                reply = await connection.read_response()
            except ResponseError as error:
                _settle(item, StreamUnavailable(f"The stream refused it: {error}"))
                continue
            if isinstance(reply, list):
                _settle(item, AlreadyTimed(int(cast("list[bytes]", reply)[0])))
                continue
            entry_id = StreamId.parse(cast("bytes", reply))
            self.remembered.append(Acknowledged(entry_id, life, item.held))
            if not item.done.done():
                item.done.set_result(entry_id)

    async def _connected(self) -> AbstractConnection:
        if self._connection is None:
            connection = self._pool.make_connection()
            await connection.connect()
            self.life = await life_of(connection)
            self._connection = connection
        return self._connection

    async def _drop_connection(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.disconnect(nowait=True)

    def _fail(self, group: list[_Waiting], why: str) -> None:
        for item in group:
            _settle(item, StreamUnavailable(why))


def _settle(item: _Waiting, error: Exception) -> None:
    if not item.done.done():
        item.done.set_exception(error)


async def life_of(connection: AbstractConnection) -> str:
    """Ask the server for its run id, which changes with every start."""
    await connection.send_command("INFO", "server")
    reply = cast("bytes", await connection.read_response())
    return parse_info(reply)["run_id"]


async def used_bytes(pool: ConnectionPool) -> int:
    """Ask how much memory the server uses."""
    connection = await pool.get_connection()
    try:
        await connection.send_command("INFO", "memory")
        return int(parse_info(cast("bytes", await connection.read_response()))["used_memory"])
    finally:
        await pool.release(connection)


def parse_info(reply: bytes) -> dict[str, str]:
    """Split the server's INFO text into its fields."""
    lines = (line.partition(":") for line in reply.decode().splitlines() if ":" in line)
    return {name: value for name, _, value in lines}


def page_of(reply: Any) -> list[tuple[StreamId, dict[bytes, bytes]]]:
    """Read entries out of what XREAD answers, in either version of the protocol."""
    if not reply:
        return []
    streams = reply.values() if isinstance(reply, dict) else (part for _, part in reply)
    found: list[tuple[StreamId, dict[bytes, bytes]]] = []
    for part in streams:
        found += entries_of(part[0] if part and isinstance(part[0], list) else part)
    return found


def entries_of(items: Any) -> list[tuple[StreamId, dict[bytes, bytes]]]:
    """Read entries out of what XRANGE answers."""
    return [(StreamId.parse(entry_id), dict(fields)) for entry_id, fields in items]
