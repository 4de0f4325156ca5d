"""The edge agent's clock."""

import time


def now_us() -> int:
    """Read the clock, µs since 1970."""
    return time.time_ns() // 1000
