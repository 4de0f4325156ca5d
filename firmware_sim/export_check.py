"""Compare a capture's CSV export with what was acknowledged: every sample once, raw bit for bit."""

import csv
import struct
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import msgspec

from firmware_sim.device import Identity
from firmware_sim.outbox import Packet

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Sensor, t in µs, the bytes of raw or of all of a vector: what makes two samples the same.
Sample = tuple[UUID, int, bytes]


def to_us(at: datetime) -> int:
    """Return µs since 1970."""
    return (at - _EPOCH) // timedelta(microseconds=1)


class Acknowledged:
    """A device's witness: pass `note` as `on_acknowledged`."""

    def __init__(self) -> None:
        self.samples: set[Sample] = set()

    def note(self, who: Identity, packet: Packet) -> None:
        """Remember a packet's samples."""
        for t_us, v in zip(packet.t_us.tolist(), packet.v, strict=True):
            self.samples.add((who.sensor_id, t_us, v.tobytes()))

    def between(self, start_us: int, stop_us: int) -> set[Sample]:
        """Return the samples with start ≤ t < stop."""
        return {sample for sample in self.samples if start_us <= sample[1] < stop_us}


def read_export(path: Path) -> Counter[Sample]:
    """Read an export's samples with how often each stands there."""
    with path.open(newline="", encoding="utf-8") as file:
        return Counter(
            (UUID(row["sensor_id"]), to_us(datetime.fromisoformat(row["timestamp"])), _bits(row["raw_value"]))
            for row in csv.DictReader(file)
        )


@dataclass(frozen=True, slots=True)
class Comparison:
    """Samples acknowledged but not exported, exported twice, and exported though nobody here sent them."""

    missing: int
    repeated: int
    foreign: int
    matched: int


def compare(acknowledged: Iterable[Sample], exported: Counter[Sample]) -> Comparison:
    """Compare what should be there with what is."""
    wanted = set(acknowledged)
    return Comparison(
        missing=len(wanted - exported.keys()),
        repeated=sum(count - 1 for count in exported.values()),
        foreign=len(exported.keys() - wanted),
        matched=len(wanted & exported.keys()),
    )


def _bits(text: str) -> bytes:
    values = msgspec.json.decode(text, type=list[float]) if text.startswith("[") else [float(text)]
    return struct.pack(f"<{len(values)}d", *values)
