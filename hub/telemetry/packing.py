"""Packs the good samples of a body into a stream entry, converted by the hub."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from contract import vectors
from contract.conversion.convert import Converted, convert_at, convert_each
from contract.packets import NO_TIME, Reject, Series
from hub.telemetry import entries
from hub.telemetry.entries import F64, I64, Entry, PacketNumber, Vector
from hub.telemetry.registry import SensorEntry
from hub.telemetry.stream import Held

Bools = npt.NDArray[np.bool_]

# What contract/conversion promises of functions between types of processor.
ULPS: Final = 4


@dataclass(slots=True)
class Part:
    """The samples of one series of a packet; `place` is the series' place there."""

    sensor: SensorEntry
    series: Series
    place: int


def times_of(parts: Sequence[Part]) -> I64:
    """Return the times of all parts, one after the other."""
    return np.concatenate([part.series.t_us for part in parts]) if parts else np.empty(0, np.int64)


def repeats(parts: Sequence[Part], t_us: I64) -> int:
    """Count the samples that repeat an earlier one of their sensor; `t_us` are the times of all parts."""
    falls = np.flatnonzero(t_us[1:] <= t_us[:-1])
    if not len(falls):
        return 0
    # Of most bodies times rise in each part, and from one part of a sensor to its next.
    if len(falls) < len(parts):
        ends = list(accumulate([len(part.series.t_us) for part in parts]))
        borders = set(ends)
        if all(place + 1 in borders for place in falls.tolist()) and _follow(parts, ends, t_us):
            return 0
    of_sensors: dict[int, list[Series]] = {}
    for part in parts:
        of_sensors.setdefault(part.sensor.no, []).append(part.series)
    return sum(_repeats(series) for series in of_sensors.values())


def _follow(parts: Sequence[Part], ends: Sequence[int], t_us: I64) -> bool:
    """Tell whether each part begins after the end of the one before of its sensor; within them times rise."""
    newest: dict[int, int] = {}
    full = [(part.sensor.no, end - len(part.series.t_us), end) for part, end in zip(parts, ends, strict=True)]
    full = [one for one in full if one[1] < one[2]]
    firsts = t_us[[start for _, start, _ in full]].tolist()
    lasts = t_us[[end - 1 for _, _, end in full]].tolist()
    for (no, _, _), first, last in zip(full, firsts, lasts, strict=True):
        if no in newest and newest[no] >= first:
            return False
        newest[no] = last
    return True


def _repeats(series: Sequence[Series]) -> int:
    t = np.concatenate([one.t_us for one in series])
    bits = np.concatenate([vectors.identities(one.raw, one.vectors) for one in series])
    order = np.lexsort((bits, t))
    return int(((np.diff(t[order]) == 0) & (np.diff(bits[order]) == 0)).sum())


def pack(parts: Sequence[Part], refused: Sequence[tuple[int, Reject]], now_us: int) -> tuple[Entry, Held]:
    """Convert the samples and pack them, with what must be known should the entry be lost.

    All samples go through one conversion: a few operations on long arrays cost a fraction of many on short ones. The
    hub's own conversion is what is stored. `refused` are the sensors' numbers and what was refused of theirs.
    """
    full = [part for part in parts if len(part.series.raw)]
    counts = np.array([len(part.series.raw) for part in full], np.int64)
    numbers = np.array([part.sensor.no for part in full], np.int32)
    t_us = times_of(full)
    raw = np.concatenate([part.series.raw for part in full]) if full else np.empty(0)
    converted = convert_each([part.sensor.profiles for part in full], counts, t_us, raw)
    codes = sorted({reject.code for _, reject in refused})
    packets = [
        PacketNumber(part.sensor.no, part.series.boot, part.series.seq) for part in parts if part.series.seq is not None
    ]
    entry = Entry(
        received_at_us=now_us,
        series=_groups(numbers, counts, converted.version),
        t_us=t_us,
        raw=raw,
        physical=converted.physical,
        status=converted.status,
        rejects=np.array(
            [
                (no, codes.index(reject.code), NO_TIME if reject.t_us is None else reject.t_us)
                for no, reject in refused
                for _ in range(reject.count)
            ],
            dtype=entries.REJECTS,
        ),
        codes=codes,
        packets=packets,
        differing=_differing(full, counts, converted),
        meta=_meta(full),
        vectors=_vectors(full),
        mixed=_mixed(parts, packets),
    )
    return entry, Held.of(numbers, counts, t_us)


def _mixed(parts: Sequence[Part], packets: Sequence[PacketNumber]) -> list[int]:
    numbered = {packet.sensor_no for packet in packets}
    return sorted({part.sensor.no for part in parts if part.series.seq is None and part.sensor.no in numbered})


def _groups(numbers: entries.I32, counts: I64, version: entries.I32) -> Any:
    """Group consecutive samples of one series under one profile version."""
    ends = np.cumsum(counts)
    changes = np.flatnonzero(version[1:] != version[:-1]) + 1
    if len(changes):
        borders = np.union1d(ends, changes)
        numbers = numbers[np.searchsorted(ends, borders)]
        ends, counts = borders, np.diff(borders, prepend=0)
    groups = np.empty(len(ends), entries.SERIES)
    groups["sensor_no"], groups["count"], groups["version"] = numbers, counts, version[ends - 1]
    return groups


def _differing(parts: Sequence[Part], counts: I64, converted: Converted) -> dict[int, int]:
    """Count by sensor the samples whose physical value an edge agent computed otherwise.

    Of expressions the last bits are the processor's: up to `ULPS` between two of them count as the same.
    """
    if all(part.series.physical is None for part in parts):
        return {}
    physical = converted.physical
    ends = np.cumsum(counts)
    theirs = [
        physical[end - count : end] if part.series.physical is None else part.series.physical
        for part, count, end in zip(parts, counts.tolist(), ends.tolist(), strict=True)
    ]
    edge = np.concatenate(theirs)
    differs = edge.view(np.int64) != physical.view(np.int64)
    differs &= ~(np.isnan(edge) & np.isnan(physical))
    places = np.flatnonzero(differs)
    far = _far(edge[places], physical[places])
    found: dict[int, int] = {}
    for place, at, is_far in zip(
        np.searchsorted(ends, places, side="right").tolist(), places.tolist(), far.tolist(), strict=True
    ):
        sensor = parts[place].sensor
        if is_far or int(converted.version[at]) not in sensor.expressions:
            found[sensor.no] = found.get(sensor.no, 0) + 1
    return found


def _far(one: F64, other: F64) -> Bools:
    """Tell where more than `ULPS` steps from number to number lie between, or only one is NaN; shape (n,)."""
    steps = _ordered(one) - _ordered(other)  # between the ends of all numbers it wraps around, but not to so little
    return np.isnan(one) | np.isnan(other) | (steps > ULPS) | (steps < -ULPS)


def _ordered(values: F64) -> I64:
    bits = values.view(np.int64)
    return np.where(bits < 0, np.iinfo(np.int64).min - bits, bits)


def _meta(parts: Sequence[Part]) -> dict[int, Any]:
    meta: dict[int, Any] = {}
    at = 0
    for part in parts:
        if part.series.meta:
            meta |= {at + i: value for i, value in part.series.meta.items()}
        at += len(part.series.raw)
    return meta


def _vectors(parts: Sequence[Part]) -> dict[int, Vector]:
    """Convert the vectors element by element, each by the version that is valid at its t."""
    found: dict[int, Vector] = {}
    at = 0
    for part in parts:
        for i, raw in part.series.vectors.items():
            times = np.full(len(raw), part.series.t_us[i])
            converted = convert_at(part.sensor.profiles, times, raw)
            found[at + i] = Vector(raw, converted.physical, converted.status)
        at += len(part.series.raw)
    return found
