"""The way out: chunks of one sensor's range put together, sorted, and thinned where that was asked for."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import asyncpg
import numpy as np
from tsdownsample import M4Downsampler

from hub.kit.db import Tx
from hub.telemetry import read_queries
from hub.telemetry.chunks import MAX_SPAN_US, read_array
from hub.telemetry.entries import F64, I32, I64, U8
from hub.telemetry.problems import RangeTooLarge

MAX_SAMPLES: Final = 2_000_000
PAGE_CHUNKS: Final = 500


@dataclass(frozen=True)
class Column:
    """One sensor's samples, all of shape (n,), sorted by (t, raw bits): t in µs since 1970, physical NaN for null."""

    t_us: I64
    raw: F64
    physical: F64
    status: U8
    version: I32
    total: int
    decimated: bool = False

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
        )


async def read(tx: Tx, *, sensor_no: int, from_us: int, to_us: int, max_points: int | None) -> Column:
    """Read a sensor's samples with from ≤ t < to; at most `max_points` when given, then no extreme is lost.

    Raises RangeTooLarge for more samples than one answer may hold.
    """
    total = await read_queries.upper_count(tx, sensor_no, from_us, to_us, MAX_SPAN_US)
    if total > MAX_SAMPLES:
        raise RangeTooLarge(total=total, limit=MAX_SAMPLES)
    rows = await read_queries.chunks(tx, sensor_no, from_us, to_us, MAX_SPAN_US)
    column = _sorted(_within(join(rows), from_us, to_us))
    if max_points is not None and len(column.t_us) > max_points:
        return decimate(column, max_points)
    return column


async def stream(tx: Tx, *, sensor_no: int, from_us: int, to_us: int) -> AsyncIterator[Column]:
    """Yield a sensor's samples with from ≤ t < to in order, piece by piece; needs a transaction (it uses a cursor)."""
    waiting: Column | None = None
    cursor = await read_queries.chunk_cursor(tx, sensor_no, from_us, to_us, MAX_SPAN_US)
    while rows := await cursor.fetch(PAGE_CHUNKS):
        piece = join(rows)
        column = piece if waiting is None else concatenate([waiting, piece])
        # Later chunks begin no earlier than the last one read: what lies before that is complete.
        border = rows[-1]["first_t"]
        complete = column.t_us < border
        ready = _within(column.take(complete), from_us, to_us)
        waiting = column.take(~complete)
        if len(ready.t_us):
            yield _sorted(ready)
    if waiting is not None:
        rest = _within(waiting, from_us, to_us)
        if len(rest.t_us):
            yield _sorted(rest)


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
    return Column(
        np.repeat(first, counts) + np.concatenate([read_array(row["t_offset"], ">i4") for row in rows]),
        np.concatenate([read_array(row["raw"], ">f8") for row in rows]),
        np.concatenate([read_array(row["physical"], ">f8") for row in rows]),
        status,
        np.repeat(np.array([row["profile_version"] for row in rows], np.int32), counts),
        total,
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
    )


def decimate(column: Column, max_points: int) -> Column:
    """Keep first, least, greatest and last of raw and of physical in each of max_points / 8 stretches of time (M4).

    `max_points` is 20 at least; no more samples than that are kept.
    """
    places = [np.array([0, len(column.t_us) - 1])]
    points = (max_points - 2) // 8 * 4  # for each of the two; the first and the last sample are kept besides
    for values in (column.raw, column.physical):
        real = np.flatnonzero(np.isfinite(values))
        if len(real) <= points:
            places.append(real)
            continue
        chosen = M4Downsampler().downsample(column.t_us[real], values[real], n_out=points)
        places.append(real[chosen.astype(np.int64)])
    kept = column.take(np.unique(np.concatenate(places)))
    return Column(kept.t_us, kept.raw, kept.physical, kept.status, kept.version, column.total, decimated=True)


def _within(column: Column, from_us: int, to_us: int) -> Column:
    inside = (column.t_us >= from_us) & (column.t_us < to_us)
    kept = column.take(inside)
    return Column(kept.t_us, kept.raw, kept.physical, kept.status, kept.version, int(inside.sum()))


def _sorted(column: Column) -> Column:
    if len(column.t_us) < 2 or (np.diff(column.t_us) > 0).all():
        return column
    return column.take(np.lexsort((column.raw.view(np.int64), column.t_us)))
