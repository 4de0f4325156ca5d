"""A sensor's MQTT message, JSON batch or bare number, read into arrays."""

import re
from typing import Any, Final, NamedTuple
from uuid import UUID

import numpy as np
import numpy.typing as npt

from contract.conversion.convert import F64, I64
from contract.packets import NO_TIME, Packet, PacketBroken, PacketInvalid, Series, decode

_NUMBER: Final = re.compile(rb"\s*(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*")

Mask = npt.NDArray[np.bool_]


class Unreadable(ValueError):
    """The message is no JSON batch and no number."""


class Reading(NamedTuple):
    """Samples of one sensor in the message's order, shape (n,), n > 0.

    t_us: µs since 1970. v: raw values, NaN where the sample could not be read (the hub rejects and counts it). meta: by
    the sample's place. seq and boot number the packet. vectors: by the sample's place, whose v is then a headline.
    """

    t_us: I64
    v: F64
    meta: dict[int, Any]
    seq: int | None = None
    boot: str = ""
    vectors: dict[int, F64] = {}  # noqa: RUF012 - never changed


def parse(
    payload: bytes, sensor_id: UUID, now_us: int, *, replayed: bool = False, clockless: bool = False
) -> list[Reading]:
    """Read a message from a sensor's own topic; raise `Unreadable` where its samples cannot be told apart.

    A single sample without t gets now_us. Several without t, unreadable ones and those in another sensor's name stay in
    place as unreadable values. replayed: the broker repeats a retained message; its samples without t are from an
    unknown time and left out. clockless: the sensor has no clock, its samples count as those without t.
    """
    if (number := _NUMBER.fullmatch(payload)) is not None:
        return [] if replayed else [Reading(np.array([now_us]), _finite([float(number[1])]), {})]
    try:
        packet = decode(payload)
    except PacketBroken as error:
        raise Unreadable(f"no JSON: {error}") from None
    except PacketInvalid as error:
        raise Unreadable(f"{'.'.join(map(str, error.loc)) or 'body'}: {error}") from None
    if clockless:
        for series in packet.series:
            series.t_us = np.full(len(series.t_us), NO_TIME, np.int64)
    ambiguous = sum(int(np.count_nonzero(series.t_us == NO_TIME)) for series in packet.series) > 1
    readings = [_reading(packet, i, now_us) for i in range(len(packet.series))]
    for i, (series, (reading, timeless)) in enumerate(zip(packet.series, readings, strict=True)):
        # Nobody may speak for another sensor, whatever the agent's own token covers.
        if series.sensor_id not in {None, sensor_id}:
            readings[i] = (reading._replace(v=np.full(len(reading.v), np.nan)), timeless)
        elif ambiguous:
            readings[i] = (reading._replace(v=np.where(timeless, np.nan, reading.v)), timeless)
        if replayed and timeless.any():
            readings[i] = (_only(readings[i][0], ~timeless), timeless)
    return [reading for reading, _ in readings if len(reading.v)]


def _reading(packet: Packet, place: int, now_us: int) -> tuple[Reading, Mask]:
    """Put good and unreadable samples of a series back in order; also tell which good ones have no time."""
    series: Series = packet.series[place]
    if not packet.rejects:
        timeless = series.t_us == NO_TIME
        t_us = np.where(timeless, now_us, series.t_us) if timeless.any() else series.t_us
        return Reading(t_us, series.raw, series.meta, series.seq, series.boot, series.vectors), timeless
    bad = [reject for reject in packet.rejects if reject.series == place and reject.index is not None]
    n = len(series.raw) + len(bad)
    v = np.full(n, np.nan)
    t_us = np.full(n, now_us, dtype=np.int64)
    timeless = np.zeros(n, dtype=np.bool_)
    v[series.index] = series.raw
    timeless[series.index] = series.t_us == NO_TIME
    t_us[series.index] = np.where(series.t_us == NO_TIME, now_us, series.t_us)
    for reject in bad:
        if reject.index is not None and reject.t_us is not None:
            t_us[reject.index] = reject.t_us
    meta = {int(series.index[i]): value for i, value in series.meta.items()}
    vectors = {int(series.index[i]): vector for i, vector in series.vectors.items()}
    return Reading(t_us, v, meta, series.seq, series.boot, vectors), timeless


def _only(reading: Reading, kept: Mask) -> Reading:
    places = {int(old): new for new, old in enumerate(np.flatnonzero(kept))}
    meta = {places[i]: value for i, value in reading.meta.items() if i in places}
    vectors = {places[i]: vector for i, vector in reading.vectors.items() if i in places}
    return reading._replace(t_us=reading.t_us[kept], v=reading.v[kept], meta=meta, vectors=vectors)


def _finite(values: list[float]) -> F64:
    array = np.array(values, dtype=np.float64)
    array[~np.isfinite(array)] = np.nan
    return array
