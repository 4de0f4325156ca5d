"""Readings turned into the spool's entries: the JSON that the hub gets, physical values included."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any
from uuid import UUID

import msgspec
import numpy as np

from contract.conversion.convert import Converted, ProfileVersion, convert_at
from edge.parse import Reading
from edge.spool import Entry


class _Series(msgspec.Struct, omit_defaults=True):
    """One series of `POST /telemetry`; NaN becomes null. The elements of a vector are converted by the hub alone."""

    sensor_id: UUID
    t: list[float]
    v: list[float | list[float]]
    p: list[float] | None = None
    profile_version: int = 0
    seq: int | None = None
    boot: str | None = None
    meta: dict[str, Any] | None = None


def to_entries(sensor_id: UUID, readings: Iterable[Reading], versions: Sequence[ProfileVersion]) -> list[Entry]:
    """Convert and encode readings, in order; a reading across several profile versions becomes several entries."""
    return [entry for reading in readings for entry in _entries(sensor_id, reading, versions)]


def _entries(sensor_id: UUID, reading: Reading, versions: Sequence[ProfileVersion]) -> Iterable[Entry]:
    converted = convert_at(versions, reading.t_us, reading.v)
    t_s = reading.t_us / 1e6
    for start, stop in _runs(converted):
        version = int(converted.version[start])
        # The packet's number goes with its first part only: twice would look like two packets.
        first = start == 0
        series = _Series(
            sensor_id,
            t_s[start:stop].tolist(),
            _values(reading, start, stop),
            p=converted.physical[start:stop].tolist() if version and not reading.vectors else None,
            profile_version=version,
            seq=reading.seq if first else None,
            boot=(reading.boot or None) if first else None,
            meta={str(i - start): meta for i, meta in reading.meta.items() if start <= i < stop} or None,
        )
        times = reading.t_us[start:stop]
        yield Entry(msgspec.json.encode(series), stop - start, str(sensor_id), int(times.min()), int(times.max()))


def _values(reading: Reading, start: int, stop: int) -> list[float | list[float]]:
    values: list[float | list[float]] = reading.v[start:stop].tolist()
    for place, vector in reading.vectors.items():
        # An unreadable sample stays unreadable, whatever it holds.
        if start <= place < stop and not np.isnan(reading.v[place]):
            values[place - start] = vector.tolist()
    return values


def _runs(converted: Converted) -> Iterable[tuple[int, int]]:
    """Cut where the profile version changes: an entry names one version."""
    cuts: list[int] = (np.flatnonzero(np.diff(converted.version)) + 1).tolist()
    return pairwise([0, *cuts, len(converted.version)])
