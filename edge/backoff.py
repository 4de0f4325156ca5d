"""How long to wait before trying again."""

import random
from collections.abc import Callable


class Backoff:
    """Waiting times that double from first_s to max_s, each between half and the whole of itself, until a success.

    The spread keeps a hall of agents from knocking in step when the hub comes back.
    """

    def __init__(
        self, max_s: float, first_s: float = 0.2, spread: Callable[[float, float], float] = random.uniform
    ) -> None:
        self._first_s = min(first_s, max_s)
        self._max_s = max_s
        self._spread = spread
        self._next_s = self._first_s

    def reset(self) -> None:
        """Begin with the shortest time again."""
        self._next_s = self._first_s

    def next_s(self, at_least_s: float | None = None) -> float:
        """Return the next waiting time; at_least_s is what the other side asked for."""
        wait_s = self._spread(self._next_s / 2, self._next_s)
        self._next_s = min(self._next_s * 2, self._max_s)
        if at_least_s is None:
            return wait_s
        return max(wait_s, at_least_s + self._spread(0.0, self._first_s))
