"""What another profile changes in samples: how many, by how much, and in which states."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from hub.telemetry.entries import F64, U8
from hub.telemetry.models import STATUS_NAMES
from hub.telemetry.preview_models import Difference

# Values at both ends of what numbers can tell are farther apart than any number tells; JSON has no infinity.
MOST: Final = float(np.finfo(np.float64).max)


class Tally:
    """Counts differences, piece by piece."""

    def __init__(self) -> None:
        """Start with no samples."""
        self.samples = 0
        self.changed = 0
        self._compared = 0
        self._largest = 0.0
        self._sum = 0.0
        self._before = np.zeros(len(STATUS_NAMES), np.int64)
        self._after = np.zeros(len(STATUS_NAMES), np.int64)

    @classmethod
    def of(cls, written: Mapping[str, Any] | None) -> "Tally":
        """Go on from what `written` gave; None is the beginning."""
        tally = cls()
        if written is not None:
            tally.samples, tally.changed = written["samples"], written["changed"]
            tally._compared, tally._largest, tally._sum = written["compared"], written["largest"], written["sum"]
            tally._before, tally._after = np.array(written["before"]), np.array(written["after"])
        return tally

    def written(self) -> dict[str, Any]:
        """Return the counts as JSON."""
        return {
            "samples": self.samples,
            "changed": self.changed,
            "compared": self._compared,
            "largest": self._largest,
            "sum": self._sum,
            "before": self._before.tolist(),
            "after": self._after.tolist(),
        }

    def add(self, before: F64, before_status: U8, after: F64, after_status: U8) -> None:
        """Compare physical values (NaN for none) and status codes, all of shape (n,)."""
        same = before.view(np.int64) == after.view(np.int64)
        with np.errstate(invalid="ignore", over="ignore"):
            distance = np.abs(after - before)
        both = ~np.isnan(distance)
        if not both.all():
            same |= np.isnan(before) & np.isnan(after)
            distance = distance[both]
        distance = np.minimum(distance, MOST)
        self.samples += len(before)
        self.changed += int(np.count_nonzero(~same | (before_status != after_status)))
        self._compared += len(distance)
        if len(distance):
            self._largest = max(self._largest, float(distance.max()))
            with np.errstate(over="ignore"):
                self._sum = min(self._sum + float(distance.sum()), MOST)
        self._before += np.bincount(before_status, minlength=len(STATUS_NAMES))
        self._after += np.bincount(after_status, minlength=len(STATUS_NAMES))

    def difference(self) -> Difference:
        """Return what was counted."""
        return Difference(
            samples=self.samples,
            changed=self.changed,
            largest=self._largest if self._compared else None,
            mean=self._sum / self._compared if self._compared else None,
            status_before=dict(zip(STATUS_NAMES, self._before.tolist(), strict=True)),
            status_after=dict(zip(STATUS_NAMES, self._after.tolist(), strict=True)),
        )
