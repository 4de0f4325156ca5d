"""Readings turned into the spool's entries: the JSON that the hub gets, physical values included."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import numpy as np

from contract.conversion.convert import ProfileVersion, convert_each
from edge.parse import Reading
from edge.spool import Entry


class Taken(NamedTuple):
    """A reading, whose it is, and the published versions of that sensor's profile."""

    sensor_id: UUID
    reading: Reading
    versions: Sequence[ProfileVersion]


class _Reject(msgspec.Struct):
    """What is wrong with a sample whose value goes on as null."""

    code: str
    detail: str


class _Series(msgspec.Struct, omit_defaults=True):
    """One series of `POST /telemetry`; NaN becomes null. The elements of a vector are converted by the hub alone."""

    sensor_id: UUID
    t: list[float | None]
    v: list[float | list[float]]
    # Always there, 0 without a version: by it the hub knows that t is set already where the device has no clock.
    profile_version: int
    p: list[float] | None = None
    # Each part of a packet has its number: a part without one would look like a packet without one.
    seq: int | None = None
    boot: str | None = None
    meta: dict[str, Any] | None = None
    rejects: dict[str, _Reject] | None = None


def to_entries(taken: Sequence[Taken]) -> list[Entry]:
    """Convert and encode readings, in order; a reading across several profile versions becomes several entries."""
    if not taken:
        return []
    # All at once: most messages hold a sample or two, for which each of numpy's calls costs as much as for thousands.
    counts = np.array([len(each.reading.v) for each in taken], dtype=np.int64)
    t_us = np.concatenate([each.reading.t_us for each in taken])
    raw = np.concatenate([each.reading.v for each in taken])
    converted = convert_each([each.versions for each in taken], counts, t_us, raw)
    begins = np.cumsum(counts) - counts
    cuts = np.union1d(begins, np.flatnonzero(np.diff(converted.version)) + 1)
    first_us, last_us = np.minimum.reduceat(t_us, cuts).tolist(), np.maximum.reduceat(t_us, cuts).tolist()
    owners = (np.searchsorted(begins, cuts, side="right") - 1).tolist()
    t_s: list[float | None] = (t_us / 1e6).tolist()
    values: list[float | list[float]] = raw.tolist()
    physical: list[float] = converted.physical.tolist()
    versions: list[int] = converted.version[cuts].tolist()
    begin_of: list[int] = begins.tolist()
    stops = [*cuts[1:].tolist(), len(values)]
    entries: list[Entry] = []
    for place, start in enumerate(cuts.tolist()):
        stop, owner = stops[place], taken[owners[place]]
        reading, begin = owner.reading, begin_of[owners[place]]
        series = _Series(
            owner.sensor_id,
            t_s[start:stop],
            _with_vectors(values[start:stop], reading, start - begin) if reading.vectors else values[start:stop],
            p=physical[start:stop] if versions[place] and not reading.vectors else None,
            profile_version=versions[place],
            seq=reading.seq,
            boot=reading.boot or None,
            meta=_meta(reading, start - begin, stop - begin) if reading.meta else None,
        )
        if reading.rejects:
            _refuse(series, reading, start - begin)
        entries.append(
            Entry(msgspec.json.encode(series), stop - start, str(owner.sensor_id), first_us[place], last_us[place])
        )
    return entries


def _with_vectors(values: list[float | list[float]], reading: Reading, start: int) -> list[float | list[float]]:
    for place, vector in reading.vectors.items():
        # An unreadable sample stays unreadable, whatever it holds.
        if start <= place < start + len(values) and not np.isnan(reading.v[place]):
            values[place - start] = vector.tolist()
    return values


def _refuse(series: _Series, reading: Reading, start: int) -> None:
    """Say which samples are rejected and why; the time of those that came without one is left open, as it was."""
    rejects = {i - start: reject for i, reject in reading.rejects.items() if start <= i < start + len(series.v)}
    for i, reject in rejects.items():
        if reject.t_us is None:
            series.t[i] = None
    series.rejects = {str(i): _Reject(reject.code, reject.detail) for i, reject in rejects.items()} or None


def _meta(reading: Reading, start: int, stop: int) -> dict[str, Any] | None:
    return {str(i - start): meta for i, meta in reading.meta.items() if start <= i < stop} or None
