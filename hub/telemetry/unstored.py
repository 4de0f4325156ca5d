"""What a shard's stream holds behind its position, counted from look to look so that each entry is read once."""

from collections import Counter, deque
from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, cast

from redis.asyncio import Redis

from hub.telemetry import entries
from hub.telemetry.stream import ENTRY_FIELD, LIFE_FIELD, START, StreamId, entries_of, key_of

PAGE: Final = 200
# A look reads no more than this, however much waits; the next one goes on from there.
MAX_BYTES: Final = 16 << 20
MAX_ENTRIES: Final = 50_000


class Waiting(NamedTuple):
    """An entry that is not stored yet, with its samples counted by sensor; rejected ones are among them.

    `unnumbered` are the sensors of which some came in a packet without a number.
    """

    id: StreamId
    life: str
    size: int
    samples: Mapping[int, int]
    unnumbered: Set[int]


@dataclass(frozen=True)
class Unstored:
    """How far a shard's writer is behind; not `whole` when more waits than was counted so far."""

    entries: int
    bytes: int
    age_s: float
    samples: Mapping[int, int]
    unnumbered: Set[int]
    whole: bool


class UnstoredWatch:
    """Follows one shard."""

    def __init__(self, shard: int) -> None:
        """Start with nothing seen."""
        self.shard = shard
        self._life = ""
        self._seen = START
        self._whole = True
        self._forget()

    def _forget(self) -> None:
        self._waiting: deque[Waiting] = deque()
        self._bytes = 0
        self._samples: Counter[int] = Counter()
        self._unnumbered: Counter[int] = Counter()

    async def look(self, stream: Redis, run_id: str, position: StreamId) -> None:
        """Read what came since the last look; storing stood at `position` of the server's life `run_id`.

        Raises RedisError and OSError while the stream is away.
        """
        life = cast("Any", await stream.info("server"))["run_id"]
        if life != self._life:
            self._life, self._seen = life, START
            self._forget()
        if life == run_id and position > self._seen:
            self._seen = position
            self._forget()
        budget = MAX_BYTES
        while budget > 0 and len(self._waiting) < MAX_ENTRIES:
            page = entries_of(await stream.xrange(key_of(self.shard), min=f"({self._seen}", count=PAGE))
            for entry_id, fields in page:
                data = fields.get(ENTRY_FIELD, b"")
                budget -= len(data)
                self._take(Waiting(entry_id, fields.get(LIFE_FIELD, b"").decode(), len(data), *_count(data)))
            if len(page) < PAGE:
                self._whole = True
                return
        self._whole = False

    def settle(self, stored: Mapping[str, StreamId]) -> None:
        """Leave out what is stored by now; `stored` says up to where each life is."""
        while self._waiting and self._waiting[0].id <= stored.get(self._waiting[0].life, START):
            gone = self._waiting.popleft()
            self._bytes -= gone.size
            self._samples.subtract(gone.samples)
            self._unnumbered.subtract(gone.unnumbered)

    def lag(self, now_us: int) -> Unstored:
        """Return what was seen and is not stored."""
        oldest_s = self._waiting[0].id.ms / 1000 if self._waiting else now_us / 1e6
        return Unstored(
            entries=len(self._waiting),
            bytes=self._bytes,
            age_s=max(0.0, now_us / 1e6 - oldest_s),
            samples={no: n for no, n in self._samples.items() if n},
            unnumbered={no for no, n in self._unnumbered.items() if n},
            whole=self._whole,
        )

    def _take(self, one: Waiting) -> None:
        self._seen = one.id
        self._waiting.append(one)
        self._bytes += one.size
        self._samples.update(one.samples)
        self._unnumbered.update(one.unnumbered)


def _count(data: bytes) -> tuple[Mapping[int, int], Set[int]]:
    try:
        entry = entries.decode(data)
    except entries.EntryBroken:
        return {}, frozenset()  # the writer sets it aside and books nothing for it
    samples = Counter[int]()
    for no, count, _version in entry.series.tolist():
        samples[no] += count
    samples.update(entry.rejects["sensor_no"].tolist())
    return samples, samples.keys() - entry.numbered
