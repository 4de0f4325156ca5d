"""The samples that the hub has not yet confirmed, in SQLite on disk."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple, Self
from uuid import uuid4

import aiosqlite

from edge import dropped, spool_schema, unreadable
from edge.clock import now_us

MAX_REFUSED: Final = 10_000
ENTRY_OVERHEAD_BYTES: Final = 64  # a row's share of SQLite's pages, so that many tiny entries fill the spool as well


class SpoolInUse(RuntimeError):
    """Another program has the spool open."""


class Entry(NamedTuple):
    """One series entry of a batch, as JSON: how many samples it holds, whose, and from when to when (µs since 1970)."""

    body: bytes
    samples: int
    sensor: str
    first_us: int
    last_us: int


class Refused(NamedTuple):
    """What nobody will take, kept for a person to look at: where it came from, the answer, and its bytes.

    fault: what the hub is to be told of it.
    """

    at_us: int
    source: str
    answer: str
    content: bytes
    status: int | None = None
    fault: unreadable.Fault | None = None


class Batch(NamedTuple):
    """A frozen batch: its id and content never change, so that a repeat is recognised as one."""

    batch_id: str
    first_entry: int
    last_entry: int
    entries: int
    samples: int
    content: bytes


def _new_batch_id() -> str:
    return uuid4().hex


class Spool:
    """A bounded queue on disk. `append` returns once the entries survive a loss of power; order is that of appending.

    One program at a time: a second one that opens the same file gets `SpoolInUse`.
    """

    def __init__(
        self, db: aiosqlite.Connection, max_bytes: int, new_batch_id: Callable[[], str], clock_us: Callable[[], int]
    ) -> None:
        self._db = db
        self.max_bytes = max_bytes
        self._new_batch_id = new_batch_id
        self._clock_us = clock_us
        self._lock = asyncio.Lock()
        self._changed = asyncio.Condition()
        self.samples = 0
        self.bytes = 0
        self.refused = 0
        self.unreported = 0  # dropped samples that the hub has not heard of
        self.unreadable = 0  # messages that could not be read, of which the hub has not heard
        self.oldest_us: int | None = None  # when the oldest entry was appended

    @classmethod
    async def open(
        cls,
        path: Path,
        max_bytes: int,
        new_batch_id: Callable[[], str] = _new_batch_id,
        clock_us: Callable[[], int] = now_us,
    ) -> Self:
        """Open or create the spool; max_bytes bounds its content. Raises `SpoolInUse`."""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.parent.chmod(0o700)  # raw values are not for everybody who uses this machine
        db = await aiosqlite.connect(path, isolation_level=None, timeout=1.0, iter_chunk_size=500)
        try:
            # Exclusive: two agents on one spool would send everything twice.
            await db.execute("pragma locking_mode = exclusive")
            await db.execute("pragma journal_mode = wal")
            await db.execute("pragma synchronous = full")
            await db.execute("pragma journal_size_limit = 16777216")
            await spool_schema.prepare(db)
            spool = cls(db, max_bytes, new_batch_id, clock_us)
            await spool._count()
        except sqlite3.OperationalError as error:
            await db.close()
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            raise SpoolInUse(f"another agent uses {path}: stop it, or give this one a folder of its own") from error
        except BaseException:
            await db.close()
            raise
        return spool

    async def aclose(self) -> None:
        """Close the file after a transaction that is still under way."""
        async with self._lock:
            await self._db.close()

    def fits(self, size: int) -> bool:
        """Tell whether entries of size bytes in all fit; into an empty spool anything does."""
        return not self.bytes or self.bytes + size <= self.max_bytes

    async def room(self, size: int) -> None:
        """Wait until entries of size bytes in all fit."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.fits(size))

    async def drop_oldest(self, size: int) -> int:
        """Make room for size bytes where the oldest entries are not being sent; returns how many samples are gone."""
        return await asyncio.shield(self._drop_oldest(size))

    async def next_report(self) -> dropped.Report | None:
        """Return the oldest counts of dropped samples that the hub has not confirmed."""
        return await asyncio.shield(self._next_report())

    async def settle_report(self, report: dropped.Report) -> None:
        """Forget counts that the hub has confirmed."""
        await asyncio.shield(self._settle_report(report))

    async def next_unreadable(self) -> unreadable.Report | None:
        """Return the oldest counts of unreadable messages that the hub has not confirmed."""
        return await asyncio.shield(self._next_unreadable())

    async def settle_unreadable(self, report: unreadable.Report) -> None:
        """Forget counts of unreadable messages that the hub has confirmed."""
        await asyncio.shield(self._settle_unreadable(report))

    async def filled(self) -> None:
        """Wait until there is something to send."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.bytes > 0)

    async def emptied(self) -> None:
        """Wait until the hub has confirmed everything, dropped samples and unreadable messages too."""
        async with self._changed:
            await self._changed.wait_for(lambda: not self.bytes and not self.unreported and not self.unreadable)

    async def append(self, entries: Sequence[Entry], refused: Sequence[Refused] = ()) -> None:
        """Store entries and refusals durably, all or none of them."""
        # Shielded: a caller that goes away must leave neither an open transaction nor wrong totals.
        await asyncio.shield(self._append(entries, refused))

    async def next_batch(self, max_samples: int, max_bytes: int) -> Batch | None:
        """Return the oldest batch, freezing a new one if none is frozen; at least one entry; None when empty."""
        return await asyncio.shield(self._next_batch(max_samples, max_bytes))

    async def settle(self, batch: Batch) -> None:
        """Delete a batch that the hub has confirmed."""
        await asyncio.shield(self._remove(batch, None))

    async def refuse(self, batch: Batch, refusal: Refused) -> None:
        """Move a batch that the hub will never take out of the way."""
        await asyncio.shield(self._remove(batch, refusal))

    async def split(self, batch: Batch) -> None:
        """Freeze the two halves of a batch of several entries in its place, each under an id of its own."""
        await asyncio.shield(self._split(batch))

    async def _append(self, entries: Sequence[Entry], refused: Sequence[Refused]) -> None:
        async with self._transaction():
            if entries:
                now = self._clock_us()
                await self._db.executemany(
                    "insert into entry (body, samples, sensor, first_us, last_us, at_us) values (?, ?, ?, ?, ?, ?)",
                    [(*entry, now) for entry in entries],
                )
                self.oldest_us = self.oldest_us or now
            if refused:
                await self._insert_refused(refused)
        await self._account(sum(e.samples for e in entries), size_of(entries), len(refused))

    async def _drop_oldest(self, size: int) -> int:
        # A hundredth more than needed, so that not every message costs a deletion.
        wanted = self.bytes + size - self.max_bytes + self.max_bytes // 100
        async with self._transaction():
            freed = await dropped.drop_oldest(self._db, wanted, ENTRY_OVERHEAD_BYTES)
            self.oldest_us = await self._oldest()
        self.unreported += freed.samples
        await self._account(-freed.samples, -freed.size, 0)
        return freed.samples

    async def _next_report(self) -> dropped.Report | None:
        async with self._transaction():
            return await dropped.next_report(self._db)

    async def _settle_report(self, report: dropped.Report) -> None:
        async with self._transaction():
            await dropped.settle(self._db, report)
        self.unreported -= report.samples
        await self._account(0, 0, 0)

    async def _next_unreadable(self) -> unreadable.Report | None:
        async with self._transaction():
            return await unreadable.next_report(self._db)

    async def _settle_unreadable(self, report: unreadable.Report) -> None:
        async with self._transaction():
            await unreadable.settle(self._db, report)
            self.unreadable = await unreadable.unreported(self._db)
        await self._account(0, 0, 0)

    async def _next_batch(self, max_samples: int, max_bytes: int) -> Batch | None:
        async with self._transaction():
            frozen = await self._frozen() or await self._freeze(max_samples, max_bytes)
            if frozen is None:
                return None
            batch_id, first_entry, last_entry = frozen
            rows = list(
                await self._db.execute_fetchall(
                    "select samples, body from entry where id between ? and ? order by id", (first_entry, last_entry)
                )
            )
        content = b'{"batch_id":"%s","series":[%s]}' % (batch_id.encode(), b",".join(body for _, body in rows))
        return Batch(batch_id, first_entry, last_entry, len(rows), sum(samples for samples, _ in rows), content)

    async def _frozen(self) -> tuple[str, int, int] | None:
        async with self._db.execute(
            "select batch_id, first_entry, last_entry from batch order by first_entry limit 1"
        ) as cursor:
            row = await cursor.fetchone()
        return None if row is None else (row[0], row[1], row[2])

    async def _freeze(self, max_samples: int, max_bytes: int) -> tuple[str, int, int] | None:
        first = last = None
        samples = size = 0
        async with self._db.execute("select id, samples, length(body) from entry order by id") as rows:
            async for entry_id, entry_samples, entry_size in rows:
                samples += entry_samples
                size += entry_size + 1
                if first is None:
                    first = entry_id
                elif samples > max_samples or size > max_bytes:
                    break
                last = entry_id
        if first is None or last is None:
            return None
        frozen = (self._new_batch_id(), first, last)
        await self._db.execute("insert into batch (batch_id, first_entry, last_entry) values (?, ?, ?)", frozen)
        return frozen

    async def _remove(self, batch: Batch, refusal: Refused | None) -> None:
        async with self._transaction():
            total = await self._row(
                """
                select coalesce(sum(samples), 0), coalesce(sum(length(body)), 0), count(*) from entry
                where id between ? and ?
                """,
                (batch.first_entry, batch.last_entry),
            )
            await self._db.execute("delete from entry where id between ? and ?", (batch.first_entry, batch.last_entry))
            await self._db.execute("delete from batch where first_entry = ?", (batch.first_entry,))
            if refusal is not None:
                await self._insert_refused([refusal])
            self.oldest_us = await self._oldest()
        samples, size, entries = total or (0, 0, 0)
        await self._account(-samples, -(size + entries * ENTRY_OVERHEAD_BYTES), 0 if refusal is None else 1)

    async def _split(self, batch: Batch) -> None:
        async with self._transaction():
            ids = [
                row[0]
                for row in await self._db.execute_fetchall(
                    "select id from entry where id between ? and ? order by id", (batch.first_entry, batch.last_entry)
                )
            ]
            middle = len(ids) // 2
            await self._db.execute("delete from batch where first_entry = ?", (batch.first_entry,))
            await self._db.executemany(
                "insert into batch (batch_id, first_entry, last_entry) values (?, ?, ?)",
                [(self._new_batch_id(), half[0], half[-1]) for half in (ids[:middle], ids[middle:])],
            )

    async def _insert_refused(self, refused: Sequence[Refused]) -> None:
        await self._db.executemany(
            "insert into refused (at_us, source, answer, content, status) values (?, ?, ?, ?, ?)",
            [(one.at_us, one.source, one.answer, one.content, one.status) for one in refused],
        )
        faults = [one.fault for one in refused if one.fault is not None]
        if faults:
            await unreadable.count(self._db, faults)
            self.unreadable = await unreadable.unreported(self._db)
        # The newest tell what is wrong now; without a bound a broken device would fill the disk.
        await self._db.execute("delete from refused where id <= (select max(id) from refused) - ?", (MAX_REFUSED,))

    async def _count(self) -> None:
        total = await self._row("select coalesce(sum(samples), 0), coalesce(sum(length(body)), 0), count(*) from entry")
        refused = await self._row("select count(*) from refused")
        samples, size, entries = total or (0, 0, 0)
        self.samples, self.bytes = samples, size + entries * ENTRY_OVERHEAD_BYTES
        self.refused = refused[0] if refused else 0
        self.unreported = await dropped.unreported(self._db)
        self.unreadable = await unreadable.unreported(self._db)
        self.oldest_us = await self._oldest()

    async def _oldest(self) -> int | None:
        row = await self._row("select at_us from entry order by id limit 1")
        return row[0] if row else None

    async def _account(self, samples: int, size: int, refused: int) -> None:
        async with self._changed:
            self.samples += samples
            self.bytes += size
            self.refused += refused
            self._changed.notify_all()

    async def _row(self, sql: str, values: Iterable[int] = ()) -> tuple[int, ...] | None:
        async with self._db.execute(sql, tuple(values)) as cursor:
            row = await cursor.fetchone()
        return None if row is None else tuple(row)

    @contextlib.asynccontextmanager
    async def _transaction(self) -> AsyncGenerator[None]:
        async with self._lock:
            try:
                await self._db.execute("begin immediate")
                yield
                await self._db.execute("commit")
            except BaseException:
                await self._db.rollback()
                raise


def size_of(entries: Iterable[Entry]) -> int:
    """Tell what entries take of the spool's bound, in bytes."""
    return sum(len(e.body) + ENTRY_OVERHEAD_BYTES for e in entries)
