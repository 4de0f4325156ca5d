"""Buckets that are drawn from without waiting: each process keeps a view of them, and settles with Valkey after it.

For what comes too often to ask for each time. A process may be ahead of the others by a twentieth of a bucket; in the
long run nobody gets more than the rate. While Valkey is away each process goes by its own view.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, cast

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from hub.kit.limits import ANSWER_S, AWAY_S, MOST_LOCAL, PREFIX, Rate

log = structlog.get_logger(__name__)

SETTLED_PART: Final = 20
MOST_AT_ONCE: Final = 200
PAUSE_S: Final = 0.05
# By Valkey's own clock. Takes what was drawn in the last seconds, into the red if need be, and tells what is left.
# A full bucket gets no fuller; but what flowed in while it was drawn from counts, however late that is told.
_SETTLE: Final = """
local now = redis.call('TIME')
now = tonumber(now[1]) + tonumber(now[2]) / 1e6
local lefts = {}
for i, key in ipairs(KEYS) do
  local per_s, burst = tonumber(ARGV[4 * i - 3]), tonumber(ARGV[4 * i - 2])
  local drawn, for_s = tonumber(ARGV[4 * i - 1]), tonumber(ARGV[4 * i])
  local held = redis.call('HMGET', key, 'left', 'at')
  local left = burst
  if held[1] then
    local passed = math.max(0, now - tonumber(held[2]))
    for_s = math.min(for_s, passed)
    left = math.min(burst, tonumber(held[1]) + (passed - for_s) * per_s)
  end
  left = math.min(burst, left + for_s * per_s - drawn)
  redis.call('HSET', key, 'left', tostring(left), 'at', string.format('%.6f', now))
  redis.call('PEXPIRE', key, math.ceil((burst - left) / per_s * 1000) + 1000)
  lefts[i] = tostring(left)
end
return lefts
"""


# What is to be drawn: the bucket's key, its rate, and the cost. A plain tuple, for thousands are made in a second.
Draw = tuple[str, Rate, float]


class Refusal(NamedTuple):
    """Which of several draws was refused, and how many seconds its bucket is in the red."""

    place: int
    wait_s: float


@dataclass(slots=True)
class _Bucket:
    rate: Rate
    left: float
    at_s: float
    unsettled: float = 0.0
    unsettled_since_s: float = 0.0

    @property
    def owes(self) -> bool:
        return self.unsettled * SETTLED_PART >= self.rate.burst

    def fill(self, now_s: float) -> None:
        self.left = min(self.rate.burst, self.left + (now_s - self.at_s) * self.rate.per_s)
        self.at_s = now_s


class Allowances:
    """Draws from buckets; never waits and never fails."""

    def __init__(self, url: str) -> None:
        """Settle with the Valkey at `url`."""
        self._redis = Redis.from_url(url, socket_timeout=ANSWER_S, socket_connect_timeout=ANSWER_S)
        self._settle_script = self._redis.register_script(_SETTLE)
        self._buckets: dict[str, _Bucket] = {}
        self._owing: dict[str, None] = {}
        self._wake = asyncio.Event()

    def draw(self, key: str, rate: Rate, cost: float) -> float:
        """Draw `cost` and return 0, or draw nothing and return how many seconds the bucket is in the red.

        Whatever the cost, it is granted while anything is left: the next ones wait for it. A negative cost gives back.
        """
        refusal = self.draw_all([(key, rate, cost)])
        return 0.0 if refusal is None else refusal.wait_s

    def draw_all(self, draws: Sequence[Draw]) -> Refusal | None:
        """Draw as `draw` does, all or nothing; returns which one is refused first."""
        buckets = self._buckets
        for place, (key, rate, cost) in enumerate(draws):
            bucket = buckets.get(key)
            # The usual case needs no clock: what has flowed in meanwhile is reckoned when it is needed.
            if bucket is None or bucket.left < cost or bucket.rate is not rate:
                bucket = self._filled(key, rate)
                if bucket.left <= 0 < cost:
                    for earlier, its_rate, its_cost in draws[:place]:
                        self._take(self._filled(earlier, its_rate), earlier, -its_cost)
                    return Refusal(place, -bucket.left / rate.per_s + 0.001)
            unsettled = bucket.unsettled
            if not unsettled or (unsettled + cost) * SETTLED_PART >= rate.burst:
                self._take(bucket, key, cost)
            else:
                bucket.left -= cost
                bucket.unsettled = unsettled + cost
        return None

    def _take(self, bucket: _Bucket, key: str, cost: float) -> None:
        if not bucket.unsettled:
            bucket.unsettled_since_s = time.monotonic()
        bucket.left -= cost
        bucket.unsettled += cost
        if bucket.owes:
            self._owing[key] = None
            self._wake.set()

    async def run(self) -> None:
        """Settle until cancelled."""
        try:
            while True:
                await self._wake.wait()
                try:
                    async with asyncio.timeout(2 * ANSWER_S):
                        await self._settle()
                except (RedisError, OSError, TimeoutError) as error:
                    log.warning("allowances are kept by this process alone", why=type(error).__name__)
                    await asyncio.sleep(AWAY_S)
                await asyncio.sleep(PAUSE_S)
        finally:
            await self._redis.aclose()

    def _filled(self, key: str, rate: Rate) -> _Bucket:
        now_s = time.monotonic()
        bucket = self._buckets.get(key)
        if bucket is None:
            while len(self._buckets) >= MOST_LOCAL:
                del self._buckets[next(iter(self._buckets))]
            bucket = self._buckets[key] = _Bucket(rate, rate.burst, now_s)
        bucket.rate = rate
        bucket.fill(now_s)
        return bucket

    async def _settle(self) -> None:
        keys = [key for key in list(self._owing)[:MOST_AT_ONCE] if key in self._buckets]
        buckets = [self._buckets[key] for key in keys]
        asked_s = time.monotonic()
        drawn = [bucket.unsettled for bucket in buckets]
        arguments = [
            number
            for bucket, cost in zip(buckets, drawn, strict=True)
            for number in (*bucket.rate, cost, asked_s - bucket.unsettled_since_s)
        ]
        lefts = cast("list[Any]", await self._settle_script(keys=[PREFIX + key for key in keys], args=arguments))
        for bucket, cost, left in zip(buckets, drawn, lefts, strict=True):
            bucket.unsettled -= cost  # what was drawn while Valkey answered is still owed
            bucket.unsettled_since_s = asked_s
            bucket.left = float(left) - bucket.unsettled
            bucket.at_s = asked_s
        self._owing = {key: None for key in self._owing if key in self._buckets and self._buckets[key].owes}
        if not self._owing:
            self._wake.clear()
