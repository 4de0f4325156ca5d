"""Notes what goes wrong with sensors: at once in memory, twice a second in the database."""

import asyncio
import contextlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

import asyncpg
import orjson
import structlog
from aiohttp import web

from hub.events.models import Event, EventKind
from hub.events.service import Events
from hub.journal import queries
from hub.journal.models import Entry, Kind
from hub.kit.context import Hub
from hub.kit.problems import DatabaseAway, TryAgain

log = structlog.get_logger(__name__)

FLUSH_S: Final = 0.5
LAST_FLUSH_S: Final = 0.4
MOST_WAITING: Final = 20_000
MOST_AT_ONCE: Final = 2_000
MOST_CODES: Final = 50
MOST_DETAIL_BYTES: Final = 2_000
# What people are told at once; the other kinds are read up in the journal.
EVENTS_OF: Final = {
    Kind.RATE_LIMITED: EventKind.LIMIT_EXCEEDED,
    Kind.CONVERSION_ERROR: EventKind.CONVERSION_ERROR,
    Kind.OUT_OF_RANGE: EventKind.CONVERSION_ERROR,
    Kind.REJECTED: EventKind.REJECTED,
    Kind.TIME_FUTURE: EventKind.REJECTED,
    Kind.PACKET_REFUSED: EventKind.REJECTED,
    Kind.UNAUTHORIZED: EventKind.REJECTED,
    Kind.DROPPED: EventKind.REJECTED,
}


class _Key(NamedTuple):
    sensor_no: int
    kind: Kind
    minute: datetime


@dataclass(slots=True)
class _Row:
    first_at: datetime
    last_at: datetime
    count: int
    codes: dict[str, int]
    details: dict[str, Any]


class Journal:
    """Collects entries, those of one sensor, kind and minute as one; a process holds at most 20,000 unwritten rows."""

    def __init__(self, hub: Hub, events: Events) -> None:
        """Start with nothing noted; what is written down is also told through `events`."""
        self._hub = hub
        self._events = events
        self._waiting: dict[_Key, _Row] = {}
        self.dropped = 0

    def note(self, entry: Entry) -> None:
        """Note an entry at the hub's time; never waits and never fails, beyond its bound it is counted as dropped."""
        now = self._hub.clock.now()
        self._add(
            _Key(entry.sensor_no, entry.kind, now.replace(second=0, microsecond=0)),
            _Row(now, now, entry.count, {entry.code: entry.count} if entry.code else {}, _plain(entry.details)),
        )

    async def run(self) -> None:
        """Write down what waits twice a second until cancelled, and once more then."""
        try:
            while True:
                await asyncio.sleep(FLUSH_S)
                await self.flush()
        finally:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LAST_FLUSH_S):
                    await self.flush()

    async def flush(self) -> None:
        """Write down what waits; while the database is away it goes on waiting."""
        if self.dropped:
            log.warning("journal entries were dropped", entries=self.dropped)
            self.dropped = 0
        while self._waiting:
            some = dict(sorted(self._waiting.items())[:MOST_AT_ONCE])
            for key in some:
                del self._waiting[key]
            try:
                written = await self._write(some)
            except (DatabaseAway, TryAgain, TimeoutError):
                self._put_back(some)
                return
            except asyncio.CancelledError:
                self._put_back(some)
                raise
            except asyncpg.PostgresError as error:
                # Kept, they would stand in the way of all others for good.
                log.exception("journal entries cannot be written", entries=len(some), error=str(error))
                continue
            for row in written:
                self._tell(row)

    async def _write(self, rows: dict[_Key, _Row]) -> list[asyncpg.Record]:
        """Write rows in the order of their keys, so that replicas never wait for each other in a circle."""
        async with self._hub.db.connection() as connection:
            return await queries.write(
                connection,
                sensors=[key.sensor_no for key in rows],
                kinds=[key.kind for key in rows],
                minutes=[key.minute for key in rows],
                first_at=[row.first_at for row in rows.values()],
                last_at=[row.last_at for row in rows.values()],
                counts=[row.count for row in rows.values()],
                codes=[row.codes for row in rows.values()],
                details=[row.details for row in rows.values()],
            )

    def _tell(self, row: asyncpg.Record) -> None:
        kind = EVENTS_OF.get(Kind(row["kind"]))
        if kind is not None:
            details = {"journal": row["kind"], "entry_id": row["id"], "count": row["count"], "codes": row["codes"]}
            self._events.publish(row["project_id"], Event(kind, row["sensor_id"], details))

    def _add(self, key: _Key, row: _Row) -> None:
        there = self._waiting.get(key)
        if there is None:
            if len(self._waiting) >= MOST_WAITING:
                self.dropped += row.count
                return
            self._waiting[key] = row
            return
        there.first_at = min(there.first_at, row.first_at)
        if row.last_at >= there.last_at:
            there.last_at, there.details = row.last_at, row.details
        there.count += row.count
        for code, count in row.codes.items():
            known = code in there.codes or len(there.codes) < MOST_CODES
            name = code if known else "other"
            there.codes[name] = there.codes.get(name, 0) + count

    def _put_back(self, rows: dict[_Key, _Row]) -> None:
        for key, row in rows.items():
            self._add(key, row)


JOURNAL = web.AppKey("journal", Journal)


def _plain(details: Any) -> dict[str, Any]:
    """Return details as the database can hold them: JSON without U+0000, not too long; never fails."""
    try:
        text = orjson.dumps(dict(details), default=str, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY)
    except (TypeError, ValueError):
        return {}
    if len(text) > MOST_DETAIL_BYTES or b"\\u0000" in text:
        return {}
    return orjson.loads(text)
