"""A sensor's MQTT message, JSON batch or bare number, read into arrays."""

import math
import re
from typing import Any, Final, NamedTuple
from uuid import UUID

import numpy as np
import numpy.typing as npt

from contract import reasons
from contract.conversion.convert import F64, I64
from contract.packets import NO_TIME, Packet, PacketBroken, PacketInvalid, Reject, Series, decode

_NUMBER: Final = re.compile(rb"\s*(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*")

Mask = npt.NDArray[np.bool_]


class Unreadable(ValueError):
    """The message is no JSON batch and no number; `code` is that of the problem that the hub would answer."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


class Reading(NamedTuple):
    """Samples of one sensor in the message's order, shape (n,), n > 0.

    t_us: µs since 1970. v: raw values. meta: by the sample's place. seq and boot number the packet. vectors: by the
    sample's place, whose v is then a headline. rejects: by the sample's place, what the hub shall reject and count and
    why; its v is NaN, and its t_us the arrival where the reject has none.
    """

    t_us: I64
    v: F64
    meta: dict[int, Any]
    seq: int | None = None
    boot: str = ""
    vectors: dict[int, F64] = {}  # noqa: RUF012 - never changed
    rejects: dict[int, Reject] = {}  # noqa: RUF012 - never changed


def parse(
    payload: bytes, sensor_id: UUID, now_us: int, *, replayed: bool = False, clockless: bool = False
) -> list[Reading]:
    """Read a message from a sensor's own topic; raise `Unreadable` where its samples cannot be told apart.

    A single sample without t gets now_us. Several without t, unreadable ones and those in another sensor's name stay in
    place as rejects. replayed: the broker repeats a retained message; its samples without t are from an unknown time
    and left out. clockless: the sensor has no clock, its samples count as those without t.
    """
    if (number := _NUMBER.fullmatch(payload)) is not None:
        return [] if replayed else [_number(float(number[1]), now_us)]
    try:
        packet = decode(payload)
    except PacketBroken as error:
        raise Unreadable("telemetry-broken", f"no JSON: {error}") from None
    except PacketInvalid as error:
        raise Unreadable("invalid-payload", f"{'.'.join(map(str, error.loc)) or 'body'}: {error}") from None
    if clockless:
        for series in packet.series:
            series.t_us = np.full(len(series.t_us), NO_TIME, np.int64)
    own = [series for series in packet.series if series.sensor_id in {None, sensor_id}]
    missing = sum(int(np.count_nonzero(series.t_us == NO_TIME)) for series in own)
    readings: list[Reading] = []
    for place, series in enumerate(packet.series):
        reading, arrived = _reading(packet, place, now_us)
        if series.sensor_id is not None and series.sensor_id != sensor_id:
            # Nobody may speak for another sensor, whatever the agent's own token covers.
            reading = _refuse(
                reading, np.ones(len(reading.v), np.bool_), arrived, reasons.not_covered(series.sensor_id)
            )
        elif missing > 1:
            reading = _refuse(reading, arrived, arrived, reasons.times_missing(missing))
        if replayed and arrived.any():
            reading = _only(reading, ~arrived)
        if len(reading.v):
            readings.append(reading)
    return readings


def _reading(packet: Packet, place: int, now_us: int) -> tuple[Reading, Mask]:
    """Put good and rejected samples of a series back in order; also tell which have the time of their arrival."""
    series: Series = packet.series[place]
    if not packet.rejects:
        timeless = series.t_us == NO_TIME
        t_us = np.where(timeless, now_us, series.t_us) if timeless.any() else series.t_us
        return Reading(t_us, series.raw, series.meta, series.seq, series.boot, series.vectors), timeless
    bad = [reject for reject in packet.rejects if reject.series == place and reject.index is not None]
    n = len(series.raw) + len(bad)
    v = np.full(n, np.nan)
    t_us = np.full(n, now_us, dtype=np.int64)
    arrived = np.ones(n, dtype=np.bool_)
    v[series.index] = series.raw
    arrived[series.index] = series.t_us == NO_TIME
    t_us[series.index] = np.where(series.t_us == NO_TIME, now_us, series.t_us)
    for reject in bad:
        if reject.index is not None and reject.t_us is not None:
            t_us[reject.index], arrived[reject.index] = reject.t_us, False
    meta = {int(series.index[i]): value for i, value in series.meta.items()}
    vectors = {int(series.index[i]): vector for i, vector in series.vectors.items()}
    rejects = {reject.index: reject for reject in bad if reject.index is not None}
    return Reading(t_us, v, meta, series.seq, series.boot, vectors, rejects), arrived


def _refuse(reading: Reading, which: Mask, arrived: Mask, reason: reasons.Reason) -> Reading:
    """Reject the marked samples; what is rejected already keeps its own reason."""
    rejects = dict(reading.rejects)
    for i in np.flatnonzero(which).tolist():
        t_us = None if arrived[i] else int(reading.t_us[i])
        rejects.setdefault(i, Reject(0, i, *reason, t_us=t_us))
    return reading._replace(v=np.where(which, np.nan, reading.v), rejects=rejects)


def _only(reading: Reading, kept: Mask) -> Reading:
    places = {int(old): new for new, old in enumerate(np.flatnonzero(kept))}
    meta = {places[i]: value for i, value in reading.meta.items() if i in places}
    vectors = {places[i]: vector for i, vector in reading.vectors.items() if i in places}
    rejects = {places[i]: reject for i, reject in reading.rejects.items() if i in places}
    return reading._replace(t_us=reading.t_us[kept], v=reading.v[kept], meta=meta, vectors=vectors, rejects=rejects)


def _number(value: float, now_us: int) -> Reading:
    if math.isfinite(value):
        return Reading(np.array([now_us]), np.array([value]), {})
    return Reading(np.array([now_us]), np.array([np.nan]), {}, rejects={0: Reject(0, 0, *reasons.VALUE_NOT_FINITE)})
