"""What is made of a series for those who look back on it: windows of time, and where it has gaps."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from hub.telemetry.entries import F64, I64, U8
from hub.telemetry.reading import Column

Aggregate = Literal["min", "max", "mean", "count"]

# Neighbours further apart than so many median intervals have a gap between them.
GAP_INTERVALS: Final = 5
MAX_GAPS: Final = 1000


@dataclass(frozen=True)
class Windows:
    """Windows that hold samples, columns of shape (w,): t_us is where each begins, `status` its worst code.

    raw and physical are aggregates of what is finite, NaN where nothing is; `count` counts all samples.
    """

    t_us: I64
    raw: F64
    physical: F64
    status: U8
    count: I64


def gaps(t_us: I64, *, interval_us: int) -> list[tuple[int, int]]:
    """Return the gaps between rising times, each from the last sample before to the first after; the longest 1000.

    The sensor's expected interval stands for the median one where too few samples tell it.
    """
    steps = np.diff(t_us)
    rising = steps[steps > 0]
    usual = float(np.median(rising)) if len(rising) > 2 else float(interval_us)
    found = np.flatnonzero(steps > GAP_INTERVALS * usual)
    if len(found) > MAX_GAPS:
        found = np.sort(found[np.argsort(steps[found])[-MAX_GAPS:]])
    return list(zip(t_us[found].tolist(), t_us[found + 1].tolist(), strict=True))


def windows(column: Column, aggregate: Aggregate, window_us: int) -> Windows:
    """Aggregate sorted samples over windows that begin at whole multiples of `window_us` since 1970."""
    slot = column.t_us // window_us
    starts = np.flatnonzero(np.diff(slot, prepend=slot[:1] - 1))
    if not len(starts):
        none = np.empty(0)
        return Windows(column.t_us, none, none, column.status, column.t_us)
    return Windows(
        slot[starts] * window_us,
        _over(column.raw, starts, aggregate),
        _over(column.physical, starts, aggregate),
        np.maximum.reduceat(column.status, starts),
        np.diff(np.append(starts, len(slot))),
    )


def _over(values: F64, starts: I64, aggregate: Aggregate) -> F64:
    finite = np.isfinite(values)
    count = np.add.reduceat(finite.astype(np.float64), starts)
    if aggregate == "count":
        return count
    if aggregate == "mean":
        # Around the first value of the window, so that sums of great values lose nothing of small differences.
        first = np.repeat(values[starts], np.diff(np.append(starts, len(values))))
        base = np.where(np.isfinite(first), first, 0.0)
        total = np.add.reduceat(np.where(finite, values - base, 0.0), starts)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(count > 0, base[starts] + total / count, np.nan)
    fill, least = (np.inf, np.minimum) if aggregate == "min" else (-np.inf, np.maximum)
    found = least.reduceat(np.where(finite, values, fill), starts)
    return np.where(count > 0, found, np.nan)
