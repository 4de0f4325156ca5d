"""The way out: chunks of one sensor's range put together, sorted, and thinned where that was asked for."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import asyncpg
import numpy as np
import numpy.typing as npt
from tsdownsample import M4Downsampler

from contract.conversion.convert import convert
from hub.kit.db import Tx
from hub.telemetry import read_queries
from hub.telemetry.chunks import LONGEST_SPAN_US, names_of, offsets_of, read_array
from hub.telemetry.entries import F64, I32, I64, U8
from hub.telemetry.problems import RangeTooLarge
from hub.telemetry.revisions import FIRST, Revision

if TYPE_CHECKING:
    from asyncpg.cursor import Cursor

MAX_SAMPLES: Final = 2_000_000
PAGE_CHUNKS: Final = 500


@dataclass(frozen=True)
class Column:
    """One sensor's samples, all of shape (n,), sorted by (t, bits): t in µs since 1970, physical NaN for null.

    `identity` tells vectors apart, of which raw and physical are the headlines; None where the bits of raw do.
    """

    t_us: I64
    raw: F64
    physical: F64
    status: U8
    version: I32
    total: int
    decimated: bool = False
    identity: I64 | None = None

    @property
    def bits(self) -> I64:
        """Return what tells samples of one t apart."""
        return self.raw.view(np.int64) if self.identity is None else self.identity

    def take(self, places: Any) -> "Column":
        """Return the samples at these places; `total` stays."""
        return Column(
            self.t_us[places],
            self.raw[places],
            self.physical[places],
            self.status[places],
            self.version[places],
            self.total,
            self.decimated,
            None if self.identity is None else self.identity[places],
        )


async def read(
    tx: Tx,
    *,
    sensor_no: int,
    from_us: int,
    to_us: int,
    capture_id: UUID | None = None,
    revision: Revision = FIRST,
) -> Column:
    """Read a sensor's samples with from ≤ t < to; what a sealed capture holds of it when it is named.

    Needs a transaction (it uses a cursor). Raises RangeTooLarge for more samples than one answer may hold.
    """
    cursor = await read_queries.chunks(
        tx, sensor_no, from_us, to_us, span_us=LONGEST_SPAN_US, capture_id=capture_id, revision=revision.own
    )
    rows: list[asyncpg.Record] = []
    held = 0
    while page := await cursor.fetch(PAGE_CHUNKS):
        rows += page
        held += sum(row["n"] for row in page)
        if held > MAX_SAMPLES:
            total = await read_queries.upper_count(
                tx, sensor_no, from_us, to_us, span_us=LONGEST_SPAN_US, capture_id=capture_id
            )
            raise RangeTooLarge(total=total, limit=MAX_SAMPLES)
        if len(page) < PAGE_CHUNKS:
            break
    sealed, recent = _by_origin(rows)
    return within(_united(sealed, _revised(recent, revision)), from_us, to_us)


async def stream(
    tx: Tx,
    *,
    sensor_no: int,
    from_us: int,
    to_us: int,
    capture_id: UUID | None = None,
    revision: Revision = FIRST,
) -> AsyncIterator[Column]:
    """Yield a sensor's samples with from ≤ t < to in order, piece by piece; needs a transaction (it uses a cursor)."""
    cursor = await read_queries.chunks(
        tx, sensor_no, from_us, to_us, span_us=LONGEST_SPAN_US, capture_id=capture_id, revision=revision.own
    )
    async for piece in pieces(cursor, revision):
        ready = within(piece, from_us, to_us)
        if len(ready.t_us):
            yield ready


async def pieces(cursor: "Cursor[asyncpg.Record]", revision: Revision = FIRST) -> AsyncIterator[Column]:
    """Yield the samples of chunks that come in the order of first_t, sorted, each once, piece by piece."""
    waiting = (join([]), join([]))
    while rows := await cursor.fetch(PAGE_CHUNKS):
        # Later chunks begin no earlier than the last one read: what lies before that is complete.
        border = rows[-1]["first_t"]
        sealed, recent = (concatenate([old, new]) for old, new in zip(waiting, _by_origin(rows), strict=True))
        ready = _revised(recent.take(recent.t_us < border), revision)
        yield _united(sealed.take(sealed.t_us < border), ready)
        waiting = (sealed.take(sealed.t_us >= border), recent.take(recent.t_us >= border))
    yield _united(waiting[0], _revised(waiting[1], revision))


def join(rows: Sequence[asyncpg.Record]) -> Column:
    """Put chunks together in the order given."""
    counts = np.array([row["n"] for row in rows], np.int64)
    total = int(counts.sum())
    if total == 0:
        return Column(np.empty(0, np.int64), np.empty(0), np.empty(0), np.empty(0, np.uint8), np.empty(0, np.int32), 0)
    status = np.zeros(total, np.uint8)
    starts = np.cumsum(counts) - counts
    for row, start in zip(rows, starts.tolist(), strict=True):
        if row["status"] is not None:
            status[start : start + row["n"]] = np.frombuffer(row["status"], np.uint8)
    first = np.array([row["first_t"] for row in rows], np.int64)
    raw = np.concatenate([read_array(row["raw"], ">f8") for row in rows])
    return Column(
        np.repeat(first, counts) + np.concatenate([offsets_of(row) for row in rows]),
        raw,
        np.concatenate([read_array(row["physical"], ">f8") for row in rows]),
        status,
        np.repeat(np.array([row["profile_version"] for row in rows], np.int32), counts),
        total,
        identity=names_of(rows, raw),
    )


def concatenate(columns: Sequence[Column]) -> Column:
    """Put columns one after the other."""
    return Column(
        np.concatenate([column.t_us for column in columns]),
        np.concatenate([column.raw for column in columns]),
        np.concatenate([column.physical for column in columns]),
        np.concatenate([column.status for column in columns]),
        np.concatenate([column.version for column in columns]),
        sum(column.total for column in columns),
        identity=None
        if all(column.identity is None for column in columns)
        else np.concatenate([column.bits for column in columns]),
    )


def decimate(column: Column, max_points: int) -> Column:
    """Keep first, least, greatest and last of raw and of physical in each of max_points / 8 stretches of time (M4).

    `max_points` is 20 at least; no more samples than that are kept.
    """
    kept = column.take(places_shown(column, max_points))
    return replace(kept, decimated=True)


def places_shown(column: Column, max_points: int) -> I64:
    """Return which samples `decimate` keeps; all of them when there are no more than `max_points`."""
    if len(column.t_us) <= max_points:
        return np.arange(len(column.t_us))
    places = [np.array([0, len(column.t_us) - 1])]
    points = (max_points - 2) // 8 * 4  # for each of the two; the first and the last sample are kept besides
    for values in (column.raw, column.physical):
        real = np.flatnonzero(np.isfinite(values))
        if len(real) <= points:
            places.append(real)
            continue
        chosen = M4Downsampler().downsample(column.t_us[real], values[real], n_out=points)
        places.append(real[chosen.astype(np.int64)])
    return np.unique(np.concatenate(places))


def within(column: Column, from_us: int, to_us: int) -> Column:
    """Return the samples of a sorted column with from ≤ t < to."""
    if len(column.t_us) and column.t_us[0] >= from_us and column.t_us[-1] < to_us:
        return column if column.total == len(column.t_us) else replace(column, total=len(column.t_us))
    inside = (column.t_us >= from_us) & (column.t_us < to_us)
    return replace(column.take(inside), total=int(inside.sum()))


def _by_origin(rows: Sequence[asyncpg.Record]) -> tuple[Column, Column]:
    """Put sealed chunks together, and those of the recent window."""
    return join([row for row in rows if row["sealed"]]), join([row for row in rows if not row["sealed"]])


def _revised(recent: Column, revision: Revision) -> Column:
    """Convert samples that no seal took in yet as the revision will have them."""
    if revision.profile is None or not len(recent.t_us):
        return recent
    physical, status = convert(revision.profile, recent.raw)
    version = np.full(len(recent.t_us), revision.version, np.int32)
    return replace(recent, physical=physical, status=status, version=version)


def _united(sealed: Column, recent: Column) -> Column:
    """Sort what a capture holds of both, a sample that is in both once."""
    if len(sealed.t_us) and len(recent.t_us):
        recent = recent.take(~held(recent.t_us, recent.bits, sealed.t_us, sealed.bits))
        return _sorted(concatenate([sealed, recent]))
    return _sorted(sealed if len(sealed.t_us) else recent)


def held(t_us: I64, bits: I64, by_t_us: I64, by_bits: I64) -> npt.NDArray[np.bool_]:
    """Tell which samples are among others, by t and what tells those of one t apart."""
    times, names = np.concatenate((by_t_us, t_us)), np.concatenate((by_bits, bits))
    mine = np.arange(len(times)) >= len(by_t_us)
    order = np.lexsort((mine, names, times))
    # Theirs come first in their group of equal ones: one of mine is held where its group begins with one of theirs.
    new = np.ones(len(order), np.bool_)
    new[1:] = (np.diff(times[order]) != 0) | (np.diff(names[order]) != 0)
    begins_with_theirs = ~mine[order][np.flatnonzero(new)][np.cumsum(new) - 1]
    found = np.zeros(len(t_us), np.bool_)
    found[order[mine[order] & begins_with_theirs] - len(by_t_us)] = True
    return found


def _sorted(column: Column) -> Column:
    if len(column.t_us) < 2 or (np.diff(column.t_us) > 0).all():
        return column
    return column.take(np.lexsort((column.bits, column.t_us)))
