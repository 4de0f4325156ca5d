"""What a full spool dropped: counted by sensor in the very transaction that drops it, until the hub has the counts."""

from typing import Final, NamedTuple
from uuid import UUID, uuid4

import aiosqlite
import msgspec

_MAX_SENSORS: Final = 1000  # of one report


class Dropped(msgspec.Struct):
    """Samples of one sensor that are gone: how many, and from when to when they were taken (µs since 1970)."""

    sensor_id: UUID
    samples: int
    first_us: int
    last_us: int


class Report(msgspec.Struct):
    """Counts under an id, neither of which ever changes, so that a repeat is recognised as one."""

    report_id: UUID
    dropped: list[Dropped]

    @property
    def samples(self) -> int:
        """Count the samples of all sensors."""
        return sum(part.samples for part in self.dropped)


class Freed(NamedTuple):
    """What was removed from the spool."""

    samples: int
    size: int


async def drop_oldest(db: aiosqlite.Connection, size: int, overhead: int) -> Freed:
    """Delete the oldest entries until `size` bytes are free, each counting `overhead` bytes beside its body.

    Entries of a frozen batch stay: the hub may have them already, and they would be counted as gone and be there.
    """
    samples = freed = last = 0
    async with db.execute(
        """
        select id, samples, length(body) from entry
        where id > (select coalesce(max(last_entry), 0) from batch)
        order by id
        """
    ) as rows:
        async for entry_id, entry_samples, entry_size in rows:
            if freed >= size:
                break
            samples, freed, last = samples + entry_samples, freed + entry_size + overhead, entry_id
    await db.execute(
        """
        insert into dropped (sensor, samples, first_us, last_us)
        select sensor, sum(samples), min(first_us), max(last_us) from entry
        where id > (select coalesce(max(last_entry), 0) from batch) and id <= ?
        group by sensor
        on conflict (sensor) where report is null do update
        set samples = samples + excluded.samples,
          first_us = min(first_us, excluded.first_us),
          last_us = max(last_us, excluded.last_us)
        """,
        (last,),
    )
    await db.execute(
        "delete from entry where id > (select coalesce(max(last_entry), 0) from batch) and id <= ?", (last,)
    )
    return Freed(samples, freed)


async def next_report(db: aiosqlite.Connection) -> Report | None:
    """Return the report that was begun, or begin one of what no report holds yet; None when there is nothing to say."""
    rows = list(
        await db.execute_fetchall(
            """
            select report, sensor, samples, first_us, last_us from dropped
            where report = (select report from dropped where report is not null limit 1)
            order by id
            """
        )
    )
    if rows:
        return Report(UUID(rows[0][0]), [Dropped(UUID(row[1]), row[2], row[3], row[4]) for row in rows])
    begun = await db.execute(
        "update dropped set report = ? where id in (select id from dropped order by id limit ?)",
        (str(uuid4()), _MAX_SENSORS),
    )
    return await next_report(db) if begun.rowcount else None


async def settle(db: aiosqlite.Connection, report: Report) -> None:
    """Forget a report that the hub has taken."""
    await db.execute("delete from dropped where report = ?", (str(report.report_id),))


async def unreported(db: aiosqlite.Connection) -> int:
    """Count the dropped samples that the hub has not heard of."""
    async with db.execute("select coalesce(sum(samples), 0) from dropped") as cursor:
        row = await cursor.fetchone()
    return row[0] if row else 0
