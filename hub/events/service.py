"""Tells events to all replicas over a channel of Valkey: bounded, rarely enough for people, never in anybody's way."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, Final, cast
from uuid import UUID

import orjson
import structlog
from aiohttp import web
from redis.asyncio import Redis
from redis.exceptions import RedisError

from hub.events.models import Event, EventKind, Told
from hub.kit.clock import Clock

log = structlog.get_logger(__name__)

CHANNEL: Final = "events"
MOST_WAITING: Final = 2_000
MOST_SUBJECTS: Final = 20_000
PUBLISHED_AT_ONCE: Final = 200
LISTEN_S: Final = 1.0
# At most so many at once, and then one in so many seconds, of a kind and subject, from each process.
BURST: Final = 3.0
PACE_S: Final = 10.0
# What people wait for comes as it happens.
PROMPT: Final = frozenset(
    {EventKind.SENSOR_STATE, EventKind.CAPTURE, EventKind.BACKFILL_PROGRESS, EventKind.BACKFILL_FINISHED}
)
PROMPT_BURST: Final = 20.0
PROMPT_PACE_S: Final = 0.5


class Events:
    """Publishes a process's events; what is too much is withheld and counted."""

    def __init__(self, stream: Redis, clock: Clock) -> None:
        """Publish over `stream`; nothing is connected yet."""
        self._stream = stream
        self._clock = clock
        self._waiting: deque[bytes] = deque()
        self._wake = asyncio.Event()
        self._paces: dict[tuple[EventKind, UUID | None, UUID], _Pace] = {}
        self.dropped = 0

    def publish(self, project_id: UUID, event: Event) -> None:
        """Tell an event to the viewers of a project soon; never waits and never fails."""
        told = self._paced(project_id, event)
        if told is None:
            return
        if len(self._waiting) >= MOST_WAITING:
            self.dropped += 1
            return
        self._waiting.append(encode(told))
        self._wake.set()

    async def run(self) -> None:
        """Send what waits until cancelled; what Valkey does not take is dropped, for it would be stale later."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                some = [self._waiting.popleft() for _ in range(min(len(self._waiting), PUBLISHED_AT_ONCE))]
                try:
                    pipe = self._stream.pipeline(transaction=False)
                    for message in some:
                        pipe.publish(CHANNEL, message)
                    await pipe.execute()
                except (RedisError, OSError, TimeoutError) as error:
                    self.dropped += len(some)
                    log.info("events are lost, Valkey is away", events=len(some), error=str(error))
            if self.dropped:
                log.warning("events were dropped", events=self.dropped)
                self.dropped = 0

    def _paced(self, project_id: UUID, event: Event) -> Told | None:
        key = (event.kind, event.subject_id, project_id)
        pace = self._paces.pop(key, None) or _Pace(event.kind)
        while len(self._paces) >= MOST_SUBJECTS:
            del self._paces[next(iter(self._paces))]
        self._paces[key] = pace
        if not pace.take(time.monotonic()):
            return None
        withheld, pace.withheld = pace.withheld, 0
        return Told(project_id, self._clock.now_us() / 1e6, event, withheld)


class _Pace:
    """How often events of one kind and subject may be told."""

    __slots__ = ("_at", "_burst", "_left", "_pace_s", "withheld")

    def __init__(self, kind: EventKind) -> None:
        self._burst, self._pace_s = (PROMPT_BURST, PROMPT_PACE_S) if kind in PROMPT else (BURST, PACE_S)
        self._left = self._burst
        self._at = time.monotonic()
        self.withheld = 0

    def take(self, now: float) -> bool:
        self._left = min(self._burst, self._left + (now - self._at) / self._pace_s)
        self._at = now
        if self._left < 1:
            self.withheld += 1
            return False
        self._left -= 1
        return True


EVENTS = web.AppKey("events", Events)


def encode(told: Told) -> bytes:
    """Write an event as it travels between replicas."""
    return orjson.dumps(
        {
            "project_id": told.project_id,
            "at": told.at,
            "kind": told.event.kind,
            "subject_id": told.event.subject_id,
            "details": dict(told.event.details),
            "withheld": told.withheld,
        },
        default=str,
    )


def decode(data: bytes) -> Told:
    """Read what `encode` wrote; raises ValueError for anything else."""
    try:
        fields = cast("dict[str, Any]", orjson.loads(data))
        subject = fields["subject_id"]
        event = Event(EventKind(fields["kind"]), None if subject is None else UUID(subject), fields["details"])
        return Told(UUID(fields["project_id"]), fields["at"], event, fields["withheld"])
    except (KeyError, TypeError) as error:
        raise ValueError("no event") from error


async def listen(url: str) -> AsyncGenerator[Told | None]:
    """Yield every project's events as they come, None now and then while there are none; raises RedisError, OSError.

    The first None says that the channel is being heard.
    """
    redis = Redis.from_url(url, socket_timeout=30.0, socket_connect_timeout=5.0)
    try:
        async with aclosing(redis.pubsub()) as channel:
            await channel.subscribe(CHANNEL)
            while True:
                message = cast("Any", await channel.get_message(timeout=LISTEN_S))
                if message is None or message["type"] == "subscribe":
                    yield None
                    continue
                try:
                    yield decode(message["data"])
                except ValueError:
                    log.warning("something else than an event came over the channel of events")
    finally:
        await redis.aclose()
