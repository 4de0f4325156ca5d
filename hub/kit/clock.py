"""The clock that is handed to whoever needs the time."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time; tests hand in their own."""

    def now(self) -> datetime:
        """Return the current time in UTC."""
        ...

    def now_us(self) -> int:
        """Return the current time in microseconds since 1970."""
        ...


class SystemClock:
    """The clock of this machine."""

    def now(self) -> datetime:
        """Return the current time in UTC."""
        return datetime.now(UTC)

    def now_us(self) -> int:
        """Return the current time in microseconds since 1970."""
        return time.time_ns() // 1000
