"""Compares, sensor by sensor, what devices noted with the table, the ledgers, and what the API shows."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import asyncpg
import numpy as np
from numpy.typing import NDArray

from tests.acceptance.journal import Journal, Sent
from tests.chaos.stage import Death
from tests.closing import check_adds_up

SAMPLE: Final = np.dtype([("t", np.int64), ("bits", np.int64)])
# What a broker held alone when it was killed came to it since the edge agent was last at work.
BROKER_HELD_S: Final = 60.0


@dataclass
class Found:
    """What was compared, and each thing that is not as it should be."""

    acknowledged: int = 0
    stored: int = 0
    duplicates: int = 0
    late: int = 0
    lost_by_the_broker: int = 0
    problems: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.acknowledged} acknowledged, {self.stored} stored, {self.duplicates} repeats, {self.late} late"


async def verify(
    url: str, journal: Journal, ledgers: Mapping[str, Mapping[str, Any]], broker_deaths: Sequence[Death]
) -> Found:
    """Compare everything; a packet may be missing only where the broker died with it, and then it is a gap.

    `broker_deaths` is empty for senders that use no broker. The profile is physical = 2 · raw + 1.
    """
    packets: dict[str, list[Sent]] = defaultdict(list)
    for packet in journal.packets.values():
        packets[packet.sensor].append(packet)
    found = Found()
    connection = await asyncpg.connect(url)
    try:
        for sensor, sent in packets.items():
            stored, physical = await _stored(connection, sensor)
            try:
                _check(found, sensor, sent, stored, physical, ledgers[sensor], broker_deaths)
            except AssertionError as wrong:
                found.problems.append(f"{sensor}: {wrong}")
    finally:
        await connection.close()
    return found


async def _stored(
    connection: "asyncpg.Connection[asyncpg.Record]", sensor: str
) -> tuple[NDArray[np.void], NDArray[np.float64]]:
    """Read what the table holds of a sensor, in its order, as often as it stands there."""
    rows = await connection.fetch(
        "select first_t, t_offset, raw, physical from telemetry_recent join sensor on no = sensor_no"
        " where sensor.id = $1 order by first_t",
        sensor,
    )
    if not rows:
        return np.empty(0, SAMPLE), np.empty(0)
    t = np.concatenate([row["first_t"] + np.array(row["t_offset"], np.int64) for row in rows])
    raw = np.concatenate([np.array(row["raw"]) for row in rows])
    return _samples(t, raw), np.concatenate([np.array(row["physical"]) for row in rows])


def _samples(t_us: NDArray[np.int64], raw: NDArray[np.float64]) -> NDArray[np.void]:
    made = np.empty(len(t_us), SAMPLE)
    made["t"], made["bits"] = t_us, raw.view(np.int64)
    return made


def _joined(packets: Sequence[Sent]) -> NDArray[np.void]:
    return np.concatenate([np.empty(0, SAMPLE), *(_samples(packet.t_us, packet.v) for packet in packets)])


def _whole(packets: Sequence[Sent], stored: NDArray[np.void]) -> list[bool]:
    """Tell of each packet, none of them empty, whether all its samples are among those stored."""
    held = np.isin(_joined(packets), stored)
    sizes = np.array([packet.t_us.size for packet in packets])
    return np.logical_and.reduceat(held, np.cumsum(sizes) - sizes).tolist() if packets else []


def _check(
    found: Found,
    sensor: str,
    sent: Sequence[Sent],
    stored: NDArray[np.void],
    physical: NDArray[np.float64],
    ledger: Mapping[str, Any],
    broker_deaths: Sequence[Death],
) -> None:
    acknowledged = [packet for packet in sent if packet.acknowledged]
    found.acknowledged += sum(packet.t_us.size for packet in acknowledged)
    found.stored += len(stored)
    found.duplicates += ledger["duplicates"]
    found.late += ledger["late"]
    once = np.unique(stored)
    assert len(once) == len(stored), f"{len(stored) - len(once)} samples are stored twice"
    foreign = np.setdiff1d(once, _joined(sent))
    assert not len(foreign), f"{len(foreign)} samples were never sent"
    assert (np.diff(stored["t"]) > 0).all(), "chunks overlap"
    raw = stored["bits"].view(np.float64)
    assert np.array_equal(physical, 2.0 * raw + 1.0), "physical values differ"
    whole = _whole(sent, once)
    missing = [packet for packet, held in zip(sent, whole, strict=True) if packet.acknowledged and not held]
    found.lost_by_the_broker += len(missing)
    for packet in missing:
        at_s = packet.acknowledged_at_s
        excused = any(death.at_s - BROKER_HELD_S <= at_s <= death.until_s for death in broker_deaths)
        since_s = ", ".join(f"{at_s - death.at_s:+.2f} s" for death in broker_deaths)
        assert excused, f"packet {packet.seq} was acknowledged and is not stored; {since_s} after the broker's deaths"
    arrived = [packet.seq for packet, held in zip(sent, whole, strict=True) if held]
    gaps = max(arrived) - min(arrived) + 1 - len(arrived) if arrived else 0
    check_adds_up(ledger)
    assert (ledger["stored"], ledger["pending"], ledger["rejected"], ledger["lost"]) == (len(stored), 0, 0, 0), ledger
    assert ledger["gaps"] == gaps, f"gaps: {ledger['gaps']}, by the packets that came {gaps}; {sensor}"
