"""Messages that cannot be read: counted by sensor and fault beside what is put aside, until the hub has the counts."""

from collections.abc import Iterable
from typing import Final, NamedTuple
from uuid import UUID, uuid4

import aiosqlite
import msgspec

MAX_KINDS: Final = 10_000  # of sensor and fault that wait for a report; the oldest give way
_MAX_AT_ONCE: Final = 1000  # of one report
_LONGEST_DETAIL: Final = 500


class Fault(NamedTuple):
    """What was wrong with one message of a sensor."""

    sensor_id: UUID
    code: str
    detail: str


class Unreadable(msgspec.Struct):
    """Messages of one sensor that could not be read: how many, the code of their fault, and the last one's in words."""

    sensor_id: UUID
    code: str
    messages: int
    detail: str


class Report(msgspec.Struct):
    """Counts under an id, neither of which ever changes, so that a repeat is recognised as one."""

    report_id: UUID
    unreadable: list[Unreadable]

    @property
    def messages(self) -> int:
        """Count the messages of all sensors."""
        return sum(part.messages for part in self.unreadable)


async def count(db: aiosqlite.Connection, faults: Iterable[Fault]) -> None:
    """Add messages to the counts that no report holds yet."""
    await db.executemany(
        """
        insert into unreadable (sensor, code, messages, detail)
        values (?, ?, 1, ?)
        on conflict (sensor, code) where report is null do update
        set messages = messages + 1, detail = excluded.detail
        """,
        [(str(fault.sensor_id), fault.code, fault.detail[:_LONGEST_DETAIL]) for fault in faults],
    )
    await db.execute(
        "delete from unreadable where report is null and id <= (select max(id) from unreadable) - ?", (MAX_KINDS,)
    )


async def next_report(db: aiosqlite.Connection) -> Report | None:
    """Return the report that was begun, or begin one of what no report holds yet; None when there is nothing to say."""
    rows = list(
        await db.execute_fetchall(
            """
            select report, sensor, code, messages, detail from unreadable
            where report = (select report from unreadable where report is not null limit 1)
            order by id
            """
        )
    )
    if rows:
        return Report(UUID(rows[0][0]), [Unreadable(UUID(row[1]), row[2], row[3], row[4]) for row in rows])
    begun = await db.execute(
        "update unreadable set report = ? where id in (select id from unreadable order by id limit ?)",
        (str(uuid4()), _MAX_AT_ONCE),
    )
    return await next_report(db) if begun.rowcount else None


async def settle(db: aiosqlite.Connection, report: Report) -> None:
    """Forget a report that the hub has taken."""
    await db.execute("delete from unreadable where report = ?", (str(report.report_id),))


async def unreported(db: aiosqlite.Connection) -> int:
    """Count the messages that the hub has not heard of."""
    async with db.execute("select coalesce(sum(messages), 0) from unreadable") as cursor:
        row = await cursor.fetchone()
    return row[0] if row else 0
