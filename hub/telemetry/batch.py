"""What the writer makes of some stream entries: sorted samples, each known to be new or a repeat, and their counts."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from contract.packets import NO_TIME
from contract.vectors import identities
from hub.telemetry.chunks import Samples
from hub.telemetry.entries import Entry, Vector
from hub.telemetry.stream import StreamId

NO_MARK: Final = NO_TIME
Mask = npt.NDArray[np.bool_]


class Read(NamedTuple):
    """A decoded stream entry: `known` when its life's position says that it was stored before."""

    id: StreamId
    life: str
    entry: Entry
    known: bool


class Span(NamedTuple):
    """A stretch of one sensor's times, both ends included, in µs."""

    sensor_no: int
    first_t: int
    last_t: int


@dataclass
class Counts:
    """What is to be booked for the sensors of a batch.

    accepted_at: when samples came that were not refused, in µs; they alone tell that a sensor is alive.
    """

    received: Counter[int] = field(default_factory=Counter[int])
    stored: Counter[int] = field(default_factory=Counter[int])
    duplicates: Counter[int] = field(default_factory=Counter[int])
    rejected: Counter[int] = field(default_factory=Counter[int])
    late: Counter[int] = field(default_factory=Counter[int])
    differing: Counter[int] = field(default_factory=Counter[int])
    accepted_at: dict[int, int] = field(default_factory=dict[int, int])
    unnumbered_at: dict[int, int] = field(default_factory=dict[int, int])
    packets_sent: Counter[int] = field(default_factory=Counter[int])
    packets_seen: Counter[int] = field(default_factory=Counter[int])

    @property
    def sensors(self) -> list[int]:
        """List every sensor that something is to be booked for."""
        return sorted(self.received.keys() | self.packets_sent.keys() | self.packets_seen.keys())


class Batch:
    """The samples of some entries, sorted by (sensor, t, raw bits) and free of repeats among themselves.

    `known` marks samples of entries that were stored before: they are compared with the database and only what is
    missing there is stored and booked.
    """

    def __init__(self, reads: Sequence[Read]) -> None:
        """Sort the samples of the entries and set repeats among them aside."""
        self.counts = Counts()
        self.refused: dict[tuple[int, str], list[int]] = defaultdict(list)
        self._book_arrivals(reads)
        samples, known, counts = _joined(reads)
        order = _order_of_runs(samples, counts)
        if order is not None:
            self.samples, self.known = samples.take(order), known[order]
            return
        order = np.lexsort((~known, samples.identity, samples.t_us, samples.sensor_no))
        samples, known = samples.take(order), known[order]
        repeat = np.zeros(len(known), np.bool_)
        repeat[1:] = (np.diff(samples.sensor_no) == 0) & (np.diff(samples.t_us) == 0) & (np.diff(samples.identity) == 0)
        self._refuse_duplicates(samples, repeat & ~known)
        self.samples = samples.take(~repeat)
        self.known: Mask = known[~repeat]

    def doubtful(self, marks: npt.NDArray[np.int64]) -> Mask:
        """Mark the samples that the database may already hold: at or below their sensor's newest t, or known."""
        return (self.samples.t_us <= marks[self.samples.sensor_no]) | self.known

    def drop_stored(self, held: Mask) -> None:
        """Leave out the samples that the database holds already; those of new entries count as duplicates."""
        self._refuse_duplicates(self.samples, held & ~self.known)
        self.samples = self.samples.take(~held)
        self.known = self.known[~held]

    def book_stored(self, marks: npt.NDArray[np.int64]) -> None:
        """Count what is left as stored, and what of it lies below its sensor's newest t as late."""
        sensors = self.samples.sensor_no
        self.counts.stored.update(_count(sensors))
        late = self.samples.t_us < marks[sensors]
        if late.any():
            self.counts.late.update(_count(sensors[late]))
        if self.known.any():
            found = _count(sensors[self.known])
            self.counts.received.update(found)
            for no in found:
                self.counts.accepted_at.setdefault(no, int(self.samples.received_at_us.max()))

    def _book_arrivals(self, reads: Sequence[Read]) -> None:
        counts = self.counts
        for read in reads:
            if read.known:
                continue
            entry = read.entry
            numbered = entry.numbered
            for no, count, _version in entry.series.tolist():
                counts.received[no] += count
                counts.accepted_at[no] = entry.received_at_us
                if no not in numbered:
                    counts.unnumbered_at[no] = entry.received_at_us
            if not len(entry.rejects) and not entry.differing:
                continue
            for no, code, t in entry.rejects.tolist():
                counts.received[no] += 1
                counts.rejected[no] += 1
                if no not in numbered:
                    counts.unnumbered_at[no] = entry.received_at_us
                self.refused[no, entry.codes[code]].append(t)
            counts.differing.update(entry.differing)

    def _refuse_duplicates(self, samples: Samples, which: Mask) -> None:
        if not which.any():
            return
        self.counts.duplicates.update(_count(samples.sensor_no[which]))
        for no, t in zip(samples.sensor_no[which].tolist(), samples.t_us[which].tolist(), strict=True):
            self.refused[no, "duplicate"].append(t)


def spans_of(samples: Samples, which: Mask, gap_us: int) -> list[Span]:
    """Return the stretches of time of the marked samples; a new one begins after a gap longer than `gap_us`."""
    sensors, t = samples.sensor_no[which], samples.t_us[which]
    if not len(t):
        return []
    new = np.ones(len(t), np.bool_)
    new[1:] = (np.diff(sensors) != 0) | (np.diff(t) > gap_us)
    starts = np.flatnonzero(new)
    ends = np.append(starts[1:], len(t)) - 1
    return [
        Span(no, first, last)
        for no, first, last in zip(sensors[starts].tolist(), t[starts].tolist(), t[ends].tolist(), strict=True)
    ]


def held_already(samples: Samples, which: Mask, sensor_no: Any, t_us: Any, identity: Any) -> Mask:
    """Tell which of the marked samples are among the given ones, by sensor, t and identity."""
    held = np.zeros(len(which), np.bool_)
    if not len(t_us):
        return held
    mine = np.flatnonzero(which)
    sensors = np.concatenate((sensor_no, samples.sensor_no[mine]))
    times = np.concatenate((t_us, samples.t_us[mine]))
    bits = np.concatenate((identity, samples.identity[mine]))
    candidate = np.arange(len(times)) >= len(t_us)
    order = np.lexsort((candidate, bits, times, sensors))
    same = (np.diff(sensors[order]) == 0) & (np.diff(times[order]) == 0) & (np.diff(bits[order]) == 0)
    found = order[1:][same & candidate[order][1:]]
    held[mine[found - len(t_us)]] = True
    return held


def multirange(numbers: Sequence[int]) -> str:
    """Write whole numbers as an int8multirange literal."""
    ordered = sorted(set(numbers))
    ranges: list[list[int]] = []
    for number in ordered:
        if ranges and ranges[-1][1] == number:
            ranges[-1][1] = number + 1
        else:
            ranges.append([number, number + 1])
    return "{" + ",".join(f"[{low},{high})" for low, high in ranges) + "}"


def packets_of(reads: Sequence[Read]) -> Mapping[tuple[int, str], list[int]]:
    """Group the packet numbers of some entries by sensor and boot."""
    numbers: dict[tuple[int, str], list[int]] = defaultdict(list)
    for read in reads:
        for packet in read.entry.packets:
            numbers[packet.sensor_no, packet.boot].append(packet.seq)
    return numbers


def _count(sensors: npt.NDArray[np.int32]) -> dict[int, int]:
    """Count the samples of each sensor; they are sorted by sensor."""
    if not len(sensors):
        return {}
    starts = np.append(0, np.flatnonzero(sensors[1:] != sensors[:-1]) + 1)
    return dict(zip(sensors[starts].tolist(), np.diff(starts, append=len(sensors)).tolist(), strict=True))


def _order_of_runs(samples: Samples, counts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64] | None:
    """Order the samples by moving whole series, which is ten times cheaper than sorting each sample.

    `counts` are the lengths of the series. None when that does not bring them into strictly rising order of t, as when
    a series steps back, two overlap, or a sample comes twice.
    """
    ends = np.cumsum(counts)
    starts = (ends - counts)[counts > 0]
    counts = counts[counts > 0]
    runs = np.lexsort((samples.t_us[starts], samples.sensor_no[starts]))
    starts, counts = starts[runs], counts[runs]
    order = np.arange(len(samples.t_us)) + np.repeat(starts - (np.cumsum(counts) - counts), counts)
    t, sensors = samples.t_us[order], samples.sensor_no[order]
    return order if ((t[1:] > t[:-1]) | (sensors[1:] != sensors[:-1])).all() else None


def _joined(reads: Sequence[Read]) -> tuple[Samples, Mask, npt.NDArray[np.int64]]:
    """Put the samples of entries one after the other; also tell which are known, and how long each series is."""
    counts = [len(read.entry.t_us) for read in reads]
    meta: dict[int, Any] = {}
    vectors: dict[int, Vector] = {}
    at = 0
    for read, count in zip(reads, counts, strict=True):
        meta |= {at + i: value for i, value in read.entry.meta.items()}
        vectors |= {at + i: value for i, value in read.entry.vectors.items()}
        at += count
    raw = np.concatenate([read.entry.raw for read in reads])
    series = np.concatenate([read.entry.series for read in reads])
    return (
        Samples(
            sensor_no=np.repeat(series["sensor_no"], series["count"]),
            t_us=np.concatenate([read.entry.t_us for read in reads]),
            raw=raw,
            physical=np.concatenate([read.entry.physical for read in reads]),
            status=np.concatenate([read.entry.status for read in reads]),
            version=np.repeat(series["version"], series["count"]),
            received_at_us=np.repeat(np.array([read.entry.received_at_us for read in reads], np.int64), counts),
            identity=identities(raw, {place: vector.raw for place, vector in vectors.items()}),
            meta=meta,
            vectors=vectors,
        ),
        np.repeat(np.array([read.known for read in reads], np.bool_), counts),
        series["count"].astype(np.int64),
    )
