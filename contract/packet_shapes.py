"""The usual packet, decoded by its type into arrays; whatever is unusual is left to the reader of documents."""

import struct
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast
from uuid import UUID

import msgspec
import numpy as np

from contract.samples import F64, I64, MAX_SECONDS, MAX_SERIES, NO_TIME, Packet, Series, seconds_to_us, storable

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Sample(msgspec.Struct, gc=False):
    """A row."""

    v: float
    t: float | datetime | None = None
    meta: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET


class Rows(msgspec.Struct, gc=False):
    """The samples of one sensor, row by row."""

    samples: list[Sample]
    sensor_id: UUID | None = None
    batch_id: str | None = None
    seq: int | None = None
    boot: str | None = None
    series: msgspec.UnsetType = msgspec.UNSET


class Column(msgspec.Struct, gc=False):
    """One series in columns."""

    t: list[float]
    v: list[float]
    sensor_id: UUID | None = None
    p: list[float | None] | None = None
    profile_version: int | None = None
    seq: int | None = None
    boot: str | None = None
    meta: dict[str, Any] | None = None


class Columns(msgspec.Struct, gc=False):
    """The series of several sensors."""

    series: list[Column]
    batch_id: str | None = None
    seq: int | None = None
    boot: str | None = None
    samples: msgspec.UnsetType = msgspec.UNSET


class Block(msgspec.Struct, gc=False):
    """One series whose columns are bytes, little-endian: t as int64 µs since 1970, v and p as float64."""

    t: bytes
    v: bytes
    sensor_id: UUID | None = None
    p: bytes | None = None
    profile_version: int | None = None
    seq: int | None = None
    boot: str | None = None
    meta: dict[str, Any] | None = None


class Blocks(msgspec.Struct, gc=False):
    """The series of several sensors in bytes."""

    series: list[Block]
    batch_id: str | None = None
    seq: int | None = None
    boot: str | None = None
    samples: msgspec.UnsetType = msgspec.UNSET


def usual(packet: Rows | Columns | Blocks) -> Packet | None:
    """Make arrays of a packet that has no fault; None where one must be looked for."""
    match packet:
        case Rows():
            return _rows(packet)
        case Columns():
            return _columns(packet)
        case Blocks():
            return _blocks(packet)


def datetime_us(at: datetime) -> int:
    """Return µs since 1970."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def _rows(packet: Rows) -> Packet | None:
    samples, n = packet.samples, len(packet.samples)
    times: list[float] | None = None
    t_us = np.empty(n, np.int64)
    try:
        times = [cast("float", s.t) for s in samples]
        seconds = np.array(times, dtype=np.float64)
        if n and not np.abs(seconds).max() < MAX_SECONDS:
            return None
        t_us = seconds_to_us(seconds)
    except TypeError:
        for i, sample in enumerate(samples):
            match sample.t:
                case None:
                    t_us[i] = NO_TIME
                case datetime() if sample.t.tzinfo is None:
                    return None
                case datetime():
                    t_us[i] = datetime_us(sample.t)
                case float() if abs(sample.t) < MAX_SECONDS:
                    t_us[i] = round(sample.t * 1e6)
                case _:
                    return None
    meta = {i: s.meta for i, s in enumerate(samples) if s.meta}
    if meta and not all(map(storable, meta.values())):
        return None
    series = Series(
        sensor_id=packet.sensor_id,
        t_us=t_us,
        raw=np.fromiter((s.v for s in samples), np.float64, n),
        index=np.arange(n),
        seq=packet.seq,
        boot=packet.boot or "",
        meta=meta,
    )
    return _checked(Packet(packet.batch_id, True, [series], [], n))


def _columns(packet: Columns) -> Packet | None:
    times: list[float] = []
    values: list[float] = []
    longest = 0
    for column in packet.series:
        count = len(column.v)
        if len(column.t) != count or (column.p is not None and len(column.p) != count) or column.meta:
            return None
        longest = max(longest, count)
        times += column.t
        values += column.v
    seconds, raw = _array(times), _array(values)
    if times and not np.abs(seconds).max() < MAX_SECONDS:
        return None
    t_us, places = seconds_to_us(seconds), np.arange(longest)
    series: list[Series] = []
    at = 0
    for column in packet.series:
        count = len(column.v)
        end = at + count
        series.append(
            Series(
                column.sensor_id,
                t_us[at:end],
                raw[at:end],
                places[:count],
                None if column.p is None else np.array(column.p, dtype=np.float64),
                column.profile_version,
                packet.seq if column.seq is None else column.seq,
                (packet.boot if column.boot is None else column.boot) or "",
                {},
            )
        )
        at = end
    return _checked(Packet(packet.batch_id, False, series, [], len(values)))


def _blocks(packet: Blocks) -> Packet | None:
    series: list[Series] = []
    for block in packet.series:
        size = len(block.v)
        if size % 8 or len(block.t) != size or (block.p is not None and len(block.p) != size) or block.meta:
            return None
        series.append(
            Series(
                block.sensor_id,
                times_of_bytes(block.t),
                values_of_bytes(block.v),
                np.arange(size // 8),
                None if block.p is None else values_of_bytes(block.p),
                block.profile_version,
                packet.seq if block.seq is None else block.seq,
                (packet.boot if block.boot is None else block.boot) or "",
                {},
            )
        )
    return _checked(Packet(packet.batch_id, False, series, [], sum(len(one.raw) for one in series)))


def times_of_bytes(column: bytes) -> I64:
    """Read µs since 1970; raises ValueError for a length that is no multiple of eight."""
    return np.frombuffer(column, "<i8").astype(np.int64, copy=False)


def values_of_bytes(column: bytes) -> F64:
    """Read float64; raises ValueError for a length that is no multiple of eight."""
    return np.frombuffer(column, "<f8").astype(np.float64, copy=False)


def _array(values: list[float]) -> F64:
    """Make an array of many floats; three times as fast as numpy's own way, which asks each for its type."""
    return np.frombuffer(struct.pack(f"={len(values)}d", *values), np.float64)


def _checked(packet: Packet) -> Packet | None:
    """Return the packet if its small fields are in bounds; a closer reading names what is wrong otherwise."""
    good = packet.batch_id is None or 0 < len(packet.batch_id) <= 200
    good = good and all(
        (s.seq is None or 0 <= s.seq < 2**62) and len(s.boot) <= 64 and "\0" not in s.boot for s in packet.series
    )
    return packet if good and len(packet.series) <= MAX_SERIES else None
