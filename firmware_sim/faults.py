"""Faults between a device and the network: packets lost, repeated or out of order, clocks that are wrong."""

from collections import deque
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

I64 = NDArray[np.int64]
P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """How often each fault happens (share of packets, 0 … 1), and how wrong the clock is.

    A reordered packet is overtaken by the `reorder_by` packets after it.
    """

    drop: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    reorder_by: int = 3
    clock_offset_s: float = 0.0
    clock_drift_ppm: float = 0.0

    def __post_init__(self) -> None:
        for name in ("drop", "duplicate", "reorder"):
            share: float = getattr(self, name)
            if not 0.0 <= share <= 1.0:
                raise ValueError(f"{name} is a share of packets, 0 … 1, not {share}")
        if self.reorder_by < 1:
            raise ValueError("reorder_by must be at least 1")


class FaultLine(Generic[P]):
    """Pass packets on with the faults of a plan, the same ones for the same seed; counts what it did."""

    def __init__(self, plan: FaultPlan, seed: int) -> None:
        self._plan = plan
        self._rng = np.random.default_rng(seed)
        self._held: deque[tuple[int, P]] = deque()
        self.dropped = 0
        self.duplicated = 0
        self.reordered = 0

    def push(self, packet: P) -> list[P]:
        """Return what leaves now: nothing, this packet, this packet twice, and any held one that is due."""
        # Three draws per packet, used or not, so that one fault's rate does not move another's instants.
        drop, duplicate, reorder = self._rng.random(3).tolist()
        due = self._overtaken()
        if drop < self._plan.drop:
            self.dropped += 1
            return due
        if reorder < self._plan.reorder:
            self.reordered += 1
            self._held.append((self._plan.reorder_by, packet))
            return due
        if duplicate < self._plan.duplicate:
            self.duplicated += 1
            return [packet, packet, *due]
        return [packet, *due]

    def flush(self) -> list[P]:
        """Return the packets still held, oldest first."""
        held = [packet for _, packet in self._held]
        self._held.clear()
        return held

    def _overtaken(self) -> list[P]:
        waiting = [(left - 1, packet) for left, packet in self._held]
        self._held = deque((left, packet) for left, packet in waiting if left > 0)
        return [packet for left, packet in waiting if left <= 0]


def skewed(t_us: I64, plan: FaultPlan, since_us: int) -> I64:
    """Return what a wrong clock shows at the true times `t_us` (int64 µs): an offset, plus a drift since `since_us`."""
    drift_us = np.round((t_us - since_us) * (plan.clock_drift_ppm * 1e-6)).astype(np.int64)
    return t_us + drift_us + round(plan.clock_offset_s * 1e6)
