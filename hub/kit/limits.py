"""Token buckets in Valkey, shared by all replicas; while it is away each process keeps buckets of its own."""

import asyncio
import math
import time
from typing import Any, Final, NamedTuple, Self, TypeVar, cast

import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)

PREFIX: Final = "limit:"
MOST_LOCAL: Final = 20_000
LEASE_S: Final = 5.0
LEASED_PART: Final = 20
ANSWER_S: Final = 0.5
AWAY_S: Final = 2.0
# Valkey's own clock, so that replicas agree. Takes `most`, or as much as there is when that is at least `least`.
_TAKE: Final = """
local now = redis.call('TIME')
now = tonumber(now[1]) + tonumber(now[2]) / 1e6
local per_s, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local least, most = tonumber(ARGV[3]), tonumber(ARGV[4])
local held = redis.call('HMGET', KEYS[1], 'left', 'at')
local left = burst
if held[1] then
  left = math.min(burst, tonumber(held[1]) + math.max(0, now - tonumber(held[2])) * per_s)
end
local allowed, taken = 0, 0
if left >= least then
  allowed, taken = 1, most
  if left < most then taken = math.floor(left) end
  left = math.min(burst, left - taken)
end
redis.call('HSET', KEYS[1], 'left', tostring(left), 'at', string.format('%.6f', now))
redis.call('PEXPIRE', KEYS[1], math.ceil((burst - left) / per_s * 1000) + 1000)
return {allowed, tostring(taken), tostring(left)}
"""

T = TypeVar("T")


class Rate(NamedTuple):
    """A bucket of `burst` that fills by `per_s` each second."""

    per_s: float
    burst: float


class Verdict(NamedTuple):
    """Whether it was taken, what is left, and how long until as much can be taken and until the bucket is full."""

    allowed: bool
    left: float
    wait_s: float
    full_s: float


class _Lease(NamedTuple):
    left: float
    shared: float
    until_s: float


class Limiter:
    """Takes from buckets; never fails, for a limit that cannot be asked for must not stop the lab."""

    def __init__(self, redis: Redis) -> None:
        """Keep the buckets in `redis`, which must answer or fail within a fraction of a second."""
        self._redis = redis
        self._take_script = redis.register_script(_TAKE)
        self._away_until_s = -math.inf
        self._local: dict[str, tuple[float, float]] = {}
        self._leases: dict[str, _Lease] = {}
        self._empty_until_s: dict[str, float] = {}
        self._asking: dict[str, asyncio.Event] = {}

    @classmethod
    def at(cls, url: str) -> Self:
        """Make a limiter with connections of its own, on which nobody waits for long."""
        retry = Retry(NoBackoff(), retries=1)  # once: a connection that went stale is opened again
        return cls(Redis.from_url(url, socket_timeout=ANSWER_S, socket_connect_timeout=ANSWER_S, retry=retry))

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()

    async def take(self, key: str, rate: Rate, cost: float = 1.0) -> Verdict:
        """Take `cost` from the bucket `key`, or nothing when it holds less; a negative cost gives back."""
        allowed, _, left = await self._take(key, rate, cost, cost)
        return _verdict(rate, cost, allowed=allowed, left=left)

    async def take_one(self, key: str, rate: Rate) -> Verdict:
        """Take one, as `take` does, asking Valkey for a twentieth of the bucket at a time.

        A process holds what it asked for up to five seconds; what it does not use by then is lost to the bucket. That
        a bucket was empty is remembered until it can hold one again.
        """
        while True:
            now = time.monotonic()
            empty_until_s = self._empty_until_s.get(key, -math.inf)
            if empty_until_s > now:
                left = 1.0 - (empty_until_s - now) * rate.per_s
                return _verdict(rate, 1.0, allowed=False, left=left)
            lease = self._leases.get(key)
            if lease is not None and lease.left >= 1 and lease.until_s >= now:
                self._leases[key] = lease = lease._replace(left=lease.left - 1)
                return _verdict(rate, 1.0, allowed=True, left=lease.left + lease.shared)
            asked = self._asking.get(key)
            # One asks for all who wait: each for itself would empty the bucket into leases that replace each other.
            await (self._lease(key, rate) if asked is None else asked.wait())

    async def _lease(self, key: str, rate: Rate) -> None:
        asked = self._asking[key] = asyncio.Event()
        try:
            most = max(1.0, math.floor(rate.burst / LEASED_PART))
            allowed, taken, left = await self._take(key, rate, 1.0, most)
            now = time.monotonic()
            if allowed:
                _put(self._leases, key, _Lease(taken, left, now + LEASE_S))
            else:
                self._leases.pop(key, None)
                _put(self._empty_until_s, key, now + (1.0 - left) / rate.per_s)
        finally:
            del self._asking[key]
            asked.set()

    async def _take(self, key: str, rate: Rate, least: float, most: float) -> tuple[bool, float, float]:
        now = time.monotonic()
        if now < self._away_until_s:
            return self._take_locally(key, rate, least, most)
        try:
            arguments = [rate.per_s, rate.burst, least, most]
            reply = cast("list[Any]", await self._take_script(keys=[PREFIX + key], args=arguments))
        except (RedisError, OSError, TimeoutError) as error:
            if self._away_until_s == -math.inf:
                log.warning("limits are kept by this process alone", why=type(error).__name__)
            self._away_until_s = time.monotonic() + AWAY_S
            return self._take_locally(key, rate, least, most)
        if self._away_until_s != -math.inf:
            log.info("limits are shared again")
            self._away_until_s = -math.inf
        return bool(reply[0]), float(reply[1]), float(reply[2])

    def _take_locally(self, key: str, rate: Rate, least: float, most: float) -> tuple[bool, float, float]:
        now = time.monotonic()
        held, at = self._local.get(key, (rate.burst, now))
        left = min(rate.burst, held + (now - at) * rate.per_s)
        taken = 0.0
        allowed = left >= least
        if allowed:
            taken = most if left >= most else float(math.floor(left))
            left = min(rate.burst, left - taken)
        _put(self._local, key, (left, now))
        return allowed, taken, left


def _put(memory: dict[str, T], key: str, value: T) -> None:
    """Remember the newest; the oldest is forgotten first."""
    memory.pop(key, None)
    while len(memory) >= MOST_LOCAL:
        del memory[next(iter(memory))]
    memory[key] = value


def _verdict(rate: Rate, cost: float, *, allowed: bool, left: float) -> Verdict:
    wait_s = 0.0 if allowed else max(0.0, (cost - left) / rate.per_s)
    return Verdict(allowed, left, wait_s, max(0.0, (rate.burst - left) / rate.per_s))
