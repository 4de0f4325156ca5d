"""Packets that a device keeps until they are acknowledged, bounded like the memory of a real one."""

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray


@dataclass(slots=True)
class Packet:
    """One numbered message: samples `t_us` int64[n], `v` float64[n] or [n, m], and their body."""

    seq: int
    t_us: NDArray[np.int64]
    v: NDArray[np.float64]
    body: bytes
    sent: bool = False
    acknowledged: bool = False


class Outbox:
    """A queue whose packets leave it only when acknowledged.

    When `limit` packets are held, `when_full` says what a new one does: "wait" until there is room, or "drop_oldest".
    """

    def __init__(self, limit: int, when_full: Literal["wait", "drop_oldest"]) -> None:
        self._limit = limit
        self._when_full = when_full
        self._waiting: deque[tuple[int, Packet]] = deque()
        self._flying: dict[int, Packet] = {}
        self._tickets = 0
        self._changed = asyncio.Condition()
        self.overflowed = 0

    def __len__(self) -> int:
        return len(self._waiting) + len(self._flying)

    async def put(self, packet: Packet) -> None:
        """Add a packet behind the others; a full outbox waits, or drops (and counts) its oldest unsent packet."""
        async with self._changed:
            if self._when_full == "wait":
                await self._changed.wait_for(lambda: len(self) < self._limit)
            elif len(self) >= self._limit and self._waiting:
                self._waiting.popleft()
                self.overflowed += 1
            self._waiting.append((self._tickets, packet))
            self._tickets += 1
            self._changed.notify_all()

    async def take(self) -> tuple[int, Packet]:
        """Return the oldest packet not on its way yet, with the ticket to acknowledge it by."""
        async with self._changed:
            await self._changed.wait_for(lambda: bool(self._waiting))
            ticket, packet = self._waiting.popleft()
            self._flying[ticket] = packet
            return ticket, packet

    async def acknowledge(self, ticket: int) -> None:
        """Forget a packet."""
        async with self._changed:
            self._flying.pop(ticket, None)
            self._changed.notify_all()

    def rewind(self) -> None:
        """Put what was on its way back in front, oldest first: the connection that carried it is gone."""
        for ticket in sorted(self._flying, reverse=True):
            self._waiting.appendleft((ticket, self._flying[ticket]))
        self._flying.clear()

    async def empty(self) -> None:
        """Wait until everything is acknowledged."""
        async with self._changed:
            await self._changed.wait_for(lambda: len(self) == 0)
