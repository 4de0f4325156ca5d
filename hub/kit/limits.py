"""Token buckets in Valkey, shared by all replicas; while it is away each process keeps buckets of its own."""

import math
import time
from typing import Any, Final, NamedTuple, cast

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)

PREFIX: Final = "limit:"
MOST_LOCAL: Final = 20_000
LEASE_S: Final = 5.0
# Valkey's own clock, so that replicas agree. Returns whether it was taken, and what is left.
_TAKE: Final = """
local now = redis.call('TIME')
now = tonumber(now[1]) + tonumber(now[2]) / 1e6
local per_s, burst, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local held = redis.call('HMGET', KEYS[1], 'left', 'at')
local left = burst
if held[1] then
  left = math.min(burst, tonumber(held[1]) + math.max(0, now - tonumber(held[2])) * per_s)
end
local taken = 0
if left >= cost then
  left = math.min(burst, left - cost)
  taken = 1
end
redis.call('HSET', KEYS[1], 'left', tostring(left), 'at', string.format('%.6f', now))
redis.call('PEXPIRE', KEYS[1], math.ceil((burst - left) / per_s * 1000) + 1000)
return {taken, tostring(left)}
"""


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
        """Keep the buckets in `redis`."""
        self._redis = redis
        self._take_script = redis.register_script(_TAKE)
        self._local: dict[str, tuple[float, float]] = {}
        self._leases: dict[str, _Lease] = {}

    async def take(self, key: str, rate: Rate, cost: float = 1.0) -> Verdict:
        """Take `cost` from the bucket `key`, or nothing when it holds less; a negative cost gives back."""
        try:
            reply = cast("list[Any]", await self._take_script(keys=[PREFIX + key], args=[rate.per_s, rate.burst, cost]))
            allowed, left = bool(reply[0]), float(reply[1])
        except (RedisError, OSError, TimeoutError) as error:
            log.info("limits are kept by this process alone", why=type(error).__name__)
            allowed, left = self._take_locally(key, rate, cost)
        return _verdict(rate, cost, allowed=allowed, left=left)

    async def take_one(self, key: str, rate: Rate) -> Verdict:
        """Take one, as `take` does, asking Valkey for a twentieth of the bucket at a time.

        A process holds what it asked for up to five seconds; what it does not use by then is lost to the bucket.
        """
        now = time.monotonic()
        lease = self._leases.get(key)
        if lease is None or lease.left < 1 or lease.until_s < now:
            size = max(1.0, math.floor(rate.burst / 20))
            verdict = await self.take(key, rate, size)
            if not verdict.allowed and size > 1:
                size = 1.0
                verdict = await self.take(key, rate, size)
            if not verdict.allowed:
                self._leases.pop(key, None)
                return verdict
            if len(self._leases) >= MOST_LOCAL:
                self._leases.clear()
            lease = _Lease(size, verdict.left, now + LEASE_S)
        lease = lease._replace(left=lease.left - 1)
        self._leases[key] = lease
        return _verdict(rate, 1.0, allowed=True, left=lease.left + lease.shared)

    def _take_locally(self, key: str, rate: Rate, cost: float) -> tuple[bool, float]:
        now = time.monotonic()
        held, at = self._local.get(key, (rate.burst, now))
        left = min(rate.burst, held + (now - at) * rate.per_s)
        allowed = left >= cost
        if allowed:
            left = min(rate.burst, left - cost)
        if len(self._local) >= MOST_LOCAL:
            self._local.clear()
        self._local[key] = (left, now)
        return allowed, left


def _verdict(rate: Rate, cost: float, *, allowed: bool, left: float) -> Verdict:
    wait_s = 0.0 if allowed else max(0.0, (cost - left) / rate.per_s)
    return Verdict(allowed, left, wait_s, max(0.0, (rate.burst - left) / rate.per_s))
