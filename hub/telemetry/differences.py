"""What another profile changes in samples: how many, by how much, and in which states."""

import numpy as np

from hub.telemetry.entries import F64, U8
from hub.telemetry.models import STATUS_NAMES, Status
from hub.telemetry.preview_models import Difference


def difference(before: F64, before_status: U8, after: F64, after_status: U8) -> Difference:
    """Compare physical values (NaN for none) and status codes, all of shape (n,)."""
    same = (before.view(np.int64) == after.view(np.int64)) | (np.isnan(before) & np.isnan(after))
    with np.errstate(invalid="ignore", over="ignore"):
        distance = np.abs(after - before)
    distance = distance[np.isfinite(distance)]
    return Difference(
        samples=len(before),
        changed=int((~same | (before_status != after_status)).sum()),
        largest=float(distance.max()) if len(distance) else None,
        mean=float(distance.mean()) if len(distance) else None,
        status_before=_counted(before_status),
        status_after=_counted(after_status),
    )


def _counted(status: U8) -> dict[Status, int]:
    return dict(zip(STATUS_NAMES, np.bincount(status, minlength=len(STATUS_NAMES)).tolist(), strict=True))
