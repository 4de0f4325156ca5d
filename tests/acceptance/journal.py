"""What the senders of a test sent and what of it was acknowledged to them, written down by themselves."""

import os
import random
import time
from collections.abc import Iterator, Set
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

# What makes two samples the same: the sensor's id, t in µs since 1970, and the bits of raw.
Sample = tuple[str, int, int]


@dataclass(slots=True)
class Sent:
    """A numbered packet of one sensor that has left at least once: t in µs int64[n], raw values float64[n]."""

    sensor: str
    boot: str
    seq: int
    t_us: NDArray[np.int64]
    v: NDArray[np.float64]
    acknowledged: bool = False
    acknowledged_at_s: float = 0.0

    def samples(self) -> Iterator[Sample]:
        """Return the packet's samples."""
        return samples_of(self.sensor, self.t_us, self.v)


def samples_of(sensor: str, t_us: Any, v: Any) -> Iterator[Sample]:
    """Make samples of columns: t in µs, values float64."""
    bits = np.asarray(v, np.float64).view(np.int64).tolist()
    return zip(repeat(sensor), np.asarray(t_us, np.int64).tolist(), bits, strict=False)


class Journal:
    """The packets of many senders, by sensor, boot and number."""

    def __init__(self) -> None:
        self.packets: dict[tuple[str, str, int], Sent] = {}
        self.acknowledged_count = 0

    def note_sent(self, packet: Sent) -> Sent:
        """Write a packet down before it leaves."""
        return self.packets.setdefault((packet.sensor, packet.boot, packet.seq), packet)

    def note_acknowledged(self, packet: Sent) -> None:
        """Note that a packet was acknowledged."""
        if not packet.acknowledged:
            packet.acknowledged = True
            packet.acknowledged_at_s = time.monotonic()
            self.acknowledged_count += packet.t_us.size

    def sensors(self) -> set[str]:
        """Return the ids of all sensors that sent something."""
        return {sensor for sensor, _, _ in self.packets}

    def sent(self) -> set[Sample]:
        """Return every sample that was sent."""
        return {sample for packet in self.packets.values() for sample in packet.samples()}

    def acknowledged(self) -> set[Sample]:
        """Return every sample that was acknowledged."""
        return {sample for packet in self.packets.values() if packet.acknowledged for sample in packet.samples()}

    def gaps(self, stored: Set[Sample]) -> dict[str, int]:
        """Count for each sensor the numbers missing between its first and its last packet in `stored`."""
        arrived: dict[tuple[str, str], list[int]] = {}
        for packet in self.packets.values():
            there = [sample in stored for sample in packet.samples()]
            assert all(there) or not any(there), f"a packet is taken whole or not at all: {packet}"
            if there[0]:
                arrived.setdefault((packet.sensor, packet.boot), []).append(packet.seq)
        found = dict.fromkeys(self.sensors(), 0)
        for (sensor, _), numbers in arrived.items():
            found[sensor] += max(numbers) - min(numbers) + 1 - len(numbers)
        return found


def seeded() -> tuple[int, random.Random]:
    """Return the seed of this run (ETP_TEST_SEED, else 2), which a failure shows, and its random numbers."""
    seed = int(os.environ.get("ETP_TEST_SEED", "2"))
    print(f"ETP_TEST_SEED={seed}")
    return seed, random.Random(seed)


def say(event: str) -> None:
    """Write down when something was done, for the report of a failure."""
    print(f"{time.strftime('%H:%M:%S')} {event}")
