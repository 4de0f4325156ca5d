"""Tells viewers when the intake is slower than it should be: samples wait for the database, or are buffered."""

import asyncio
from enum import IntEnum
from typing import Final

import structlog
from redis.exceptions import RedisError

from hub.events.models import Event, EventKind, Told
from hub.kit.context import Hub
from hub.live.relay import Relay
from hub.telemetry.lag import Lag

log = structlog.get_logger(__name__)

LOOK_S: Final = 0.5
# One slow transaction is no news: so many looks in a row must agree.
AGREEING: Final = 2
DELAYED_MS: Final = 500.0
BUFFERING_MS: Final = 2_000.0


class Level(IntEnum):
    """How the intake does."""

    PROMPT = 0
    DELAYED = 1
    BUFFERING = 2


class IntakeWatch:
    """Looks at the lag while somebody watches, and tells every change of its level once."""

    def __init__(self, hub: Hub, relay: Relay) -> None:
        """Tell through `relay`."""
        self._hub = hub
        self._relay = relay
        self._lag = Lag(hub)
        self._level = Level.PROMPT
        self._seen: list[Level] = []

    async def run(self) -> None:
        """Look twice a second until cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            if not self._relay.projects:
                continue
            try:
                self.take(await self._lag.look())
            except RedisError as error:
                log.info("the lag of the intake is not known", error=str(error))

    def take(self, lag_ms: float) -> None:
        """Take one look's finding."""
        level = Level.BUFFERING if lag_ms > BUFFERING_MS else Level.DELAYED if lag_ms > DELAYED_MS else Level.PROMPT
        self._seen = [*self._seen, level][-AGREEING:]
        if len(self._seen) < AGREEING:
            return
        # Up once all looks say so, down to the worst of them.
        settled = max(min(self._seen), min(self._level, max(self._seen)))
        if settled != self._level:
            before, self._level = self._level, settled
            self._tell(before, lag_ms)

    def _tell(self, before: Level, lag_ms: float) -> None:
        over = self._level < before
        kind = EventKind.BUFFERING if Level.BUFFERING in {before, self._level} else EventKind.INGEST_DELAYED
        details = {"over": over, "delay_ms": round(lag_ms), "database_away": self._lag.database_away}
        at = self._hub.clock.now_us() / 1e6
        for project_id in list(self._relay.projects):
            self._relay.tell(Told(project_id, at, Event(kind, None, details)))
