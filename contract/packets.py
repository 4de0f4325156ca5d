"""Telemetry packets: what devices and edge agents send, decoded from JSON into arrays."""

import json
import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple, NoReturn, cast
from uuid import UUID

import msgspec
import numpy as np
import numpy.typing as npt

from contract import vectors

NO_TIME: Final = np.iinfo(np.int64).min
MAX_SERIES: Final = 10_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_SECONDS: Final = 9e12  # what fits int64 microseconds

I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]


class PacketBroken(Exception):
    """The body is not JSON; the text says where."""


class PacketInvalid(Exception):
    """The body is JSON of another shape; `loc` names the place, the text what is wrong there."""

    def __init__(self, loc: Sequence[str | int], msg: str) -> None:
        """Name the place and the fault."""
        self.loc = list(loc)
        super().__init__(msg)


@dataclass(frozen=True)
class Reject:
    """A sample that cannot be taken. `index` counts within its series; None means the whole series."""

    series: int
    index: int | None
    code: str
    detail: str
    t_us: int | None = None
    count: int = 1


@dataclass(slots=True)
class Series:
    """One sensor's samples of a packet: t in µs since 1970 (NO_TIME where absent), raw values, both of shape (n,).

    `index` holds each sample's place in the packet; `physical` (NaN for null) and `profile_version` are what an edge
    agent computed; `meta` and `vectors` are keyed by position in these arrays. The raw value of a vector sample is its
    headline.
    """

    sensor_id: UUID | None
    t_us: I64
    raw: F64
    index: I64
    physical: F64 | None = None
    profile_version: int | None = None
    seq: int | None = None
    boot: str = ""
    meta: dict[int, Any] = field(default_factory=dict[int, Any])
    vectors: dict[int, F64] = field(default_factory=dict[int, F64])


@dataclass
class Packet:
    """A decoded body: the good samples by series, and the rejects. `count` is all of them."""

    batch_id: str | None
    rows: bool
    series: list[Series]
    rejects: list[Reject]
    count: int


class _Kept(NamedTuple):
    """A good sample of the slow path, with its place in the packet."""

    place: int
    t_us: int
    raw: float
    vector: F64 | None
    meta: Any


class _Sample(msgspec.Struct, gc=False):
    v: float
    t: float | datetime | None = None
    meta: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET


class _Rows(msgspec.Struct, gc=False):
    samples: list[_Sample]
    sensor_id: UUID | None = None
    batch_id: str | None = None
    seq: int | None = None
    boot: str | None = None
    series: msgspec.UnsetType = msgspec.UNSET


class _Column(msgspec.Struct, gc=False):
    t: list[float]
    v: list[float]
    sensor_id: UUID | None = None
    p: list[float | None] | None = None
    profile_version: int | None = None
    seq: int | None = None
    boot: str | None = None
    meta: dict[str, Any] | None = None


class _Columns(msgspec.Struct, gc=False):
    series: list[_Column]
    batch_id: str | None = None
    seq: int | None = None
    boot: str | None = None
    samples: msgspec.UnsetType = msgspec.UNSET


_FAST_ROWS: Final = msgspec.json.Decoder(_Rows)
_FAST_COLUMNS: Final = msgspec.json.Decoder(_Columns)


def decode(body: bytes) -> Packet:
    """Decode a JSON body in row or column form (contract, "Telemetry in").

    The usual packet takes a fast typed path; one with any fault is read again sample by sample, so that a bad sample is
    named and never costs the others. Raises PacketBroken and PacketInvalid.
    """
    columns_first = b'"series"' in body[:400]
    for decoder in (_FAST_COLUMNS, _FAST_ROWS) if columns_first else (_FAST_ROWS, _FAST_COLUMNS):
        try:
            packet = decoder.decode(body)
        except msgspec.ValidationError:
            continue
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise PacketBroken(str(error)) from error
        fast = _rows(packet) if isinstance(packet, _Rows) else _columns(packet)
        if fast is not None:
            return fast
    return _slow(body)


def seconds_to_us(seconds: F64) -> I64:
    """Round seconds since 1970, shape (n,), to the nearest microsecond."""
    return np.rint(seconds * 1e6).astype(np.int64)


def _datetime_us(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1)


def _rows(packet: _Rows) -> Packet | None:
    samples, n = packet.samples, len(packet.samples)
    times: list[float] | None = None
    t_us = np.empty(n, np.int64)
    try:
        times = [cast("float", s.t) for s in samples]
        seconds = np.array(times, dtype=np.float64)
        if n and not np.abs(seconds).max() < _MAX_SECONDS:
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
                    t_us[i] = _datetime_us(sample.t)
                case float() if abs(sample.t) < _MAX_SECONDS:
                    t_us[i] = round(sample.t * 1e6)
                case _:
                    return None
    series = Series(
        sensor_id=packet.sensor_id,
        t_us=t_us,
        raw=np.fromiter((s.v for s in samples), np.float64, n),
        index=np.arange(n),
        seq=packet.seq,
        boot=packet.boot or "",
        meta={i: s.meta for i, s in enumerate(samples) if s.meta},
    )
    return _checked(Packet(packet.batch_id, True, [series], [], n))


def _columns(packet: _Columns) -> Packet | None:
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
    if times and not np.abs(seconds).max() < _MAX_SECONDS:
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


def _array(values: list[float]) -> F64:
    """Make an array of many floats; three times as fast as numpy's own way, which asks each for its type."""
    return np.frombuffer(struct.pack(f"={len(values)}d", *values), np.float64)


def _checked(packet: Packet) -> Packet | None:
    """Return the packet if its small fields are in bounds; the slow path names what is wrong otherwise."""
    good = packet.batch_id is None or 0 < len(packet.batch_id) <= 200
    good = good and all((s.seq is None or 0 <= s.seq < 2**62) and len(s.boot) <= 64 for s in packet.series)
    return packet if good and len(packet.series) <= MAX_SERIES else None


def _no_constant(name: str) -> NoReturn:
    raise PacketBroken(f"{name} is no JSON value; leave the sample out or send null")


def _slow(body: bytes) -> Packet:
    try:
        document = json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise PacketBroken(str(error)) from error
    if not isinstance(document, dict):
        raise PacketInvalid([], "expected an object with 'samples' or 'series'")
    fields = cast("dict[str, Any]", document)
    if ("samples" in fields) == ("series" in fields):
        raise PacketInvalid([], "expected either 'samples' (rows) or 'series' (columns)")
    batch_id = _text(fields, "batch_id", 200)
    rejects: list[Reject] = []
    if "samples" in fields:
        rows = _list(fields, ["samples"])
        series = [_slow_rows(fields, rows, rejects)]
        return Packet(batch_id, True, series, rejects, len(rows))
    entries = _list(fields, ["series"])
    if len(entries) > MAX_SERIES:
        raise PacketInvalid(["series"], f"at most {MAX_SERIES} series")
    series = [_slow_column(fields, entry, i, rejects) for i, entry in enumerate(entries)]
    return Packet(batch_id, False, series, rejects, sum(len(cast("dict[str, list[Any]]", e)["v"]) for e in entries))


def _slow_rows(fields: dict[str, Any], rows: list[Any], rejects: list[Reject]) -> Series:
    kept: list[_Kept] = []
    for i, row in enumerate(rows):
        if not isinstance(row, dict):
            rejects.append(Reject(0, i, "sample-invalid", "a sample is an object with 't' and 'v'"))
            continue
        sample = cast("dict[str, Any]", row)
        checked = _sample(0, i, sample.get("t"), sample.get("v"), rejects)
        meta = sample.get("meta")
        if checked is not None and meta is not None and not isinstance(meta, dict):
            rejects.append(Reject(0, i, "meta-invalid", "'meta' is an object", t_us=checked[0]))
        elif checked is not None:
            kept.append(_Kept(i, *checked, meta))
    return _series(fields, fields, [], kept, None)


def _slow_column(fields: dict[str, Any], entry: object, place: int, rejects: list[Reject]) -> Series:
    if not isinstance(entry, dict):
        raise PacketInvalid(["series", place], "expected an object with 't' and 'v'")
    column = cast("dict[str, Any]", entry)
    times, values = _list(column, ["series", place, "t"]), _list(column, ["series", place, "v"])
    if len(times) != len(values):
        raise PacketInvalid(["series", place], f"'t' has {len(times)} entries and 'v' has {len(values)}")
    physical = None if column.get("p") is None else _list(column, ["series", place, "p"])
    if physical is not None and len(physical) != len(values):
        raise PacketInvalid(["series", place, "p"], f"'p' has {len(physical)} entries and 'v' has {len(values)}")
    metas = column.get("meta") or {}
    if not isinstance(metas, dict):
        raise PacketInvalid(["series", place, "meta"], "'meta' maps a sample's index to an object")
    by_index = cast("dict[str, Any]", metas)
    kept: list[_Kept] = []
    for i, (t, v) in enumerate(zip(times, values, strict=True)):
        checked = _sample(place, i, t, v, rejects)
        if checked is not None:
            kept.append(_Kept(i, *checked, by_index.get(str(i))))
    return _series(fields, column, ["series", place], kept, physical)


def _series(
    packet: dict[str, Any],
    own: dict[str, Any],
    loc: list[str | int],
    kept: list[_Kept],
    physical: list[Any] | None,
) -> Series:
    index = np.array([each.place for each in kept], dtype=np.int64)
    seq = own.get("seq", packet.get("seq"))
    if seq is not None and (not isinstance(seq, int) or isinstance(seq, bool) or not 0 <= seq < 2**62):
        raise PacketInvalid([*loc, "seq"], "expected a whole number from 0")
    version = own.get("profile_version")
    if version is not None and (not isinstance(version, int) or isinstance(version, bool) or not 0 <= version < 2**31):
        raise PacketInvalid([*loc, "profile_version"], "expected a whole number")
    edge = None
    if physical is not None:
        numbers = [float(p) if isinstance(p, int | float) and not isinstance(p, bool) else math.nan for p in physical]
        edge = np.array(numbers, dtype=np.float64)[index]
    return Series(
        sensor_id=_uuid(own, loc),
        t_us=np.array([each.t_us for each in kept], dtype=np.int64),
        raw=np.array([each.raw for each in kept], dtype=np.float64),
        index=index,
        physical=edge,
        profile_version=version,
        seq=seq,
        boot=_text(own, "boot", 64) or _text(packet, "boot", 64) or "",
        meta={i: each.meta for i, each in enumerate(kept) if each.meta},
        vectors={i: each.vector for i, each in enumerate(kept) if each.vector is not None},
    )


def _sample(
    series: int, index: int, t: object, v: object, rejects: list[Reject]
) -> tuple[int, float, F64 | None] | None:
    t_us = _time(t)
    if isinstance(t_us, str):
        rejects.append(Reject(series, index, "time-invalid", t_us))
        return None
    known = None if t_us == NO_TIME else t_us
    if v is None:
        rejects.append(Reject(series, index, "value-missing", "the value is null", t_us=known))
    elif isinstance(v, list):
        vector = _vector(cast("list[Any]", v))
        if not isinstance(vector, str):
            return t_us, vectors.headline(vector), vector
        rejects.append(Reject(series, index, "vector-invalid", vector, t_us=known))
    elif isinstance(v, bool) or not isinstance(v, int | float):
        rejects.append(Reject(series, index, "value-not-a-number", f"a {type(v).__name__} is no number", t_us=known))
    elif not _finite(v):
        rejects.append(Reject(series, index, "value-not-finite", "the value is too large for a float64", t_us=known))
    else:
        return t_us, float(v), None
    return None


def _vector(elements: list[Any]) -> F64 | str:
    """Return a vector's elements, or what is wrong with it."""
    if not 0 < len(elements) <= vectors.MAX_SIZE:
        return f"a vector has 1 to {vectors.MAX_SIZE} elements"
    for i, element in enumerate(elements):
        if isinstance(element, bool) or not isinstance(element, int | float):
            return f"element {i} is no number"
        if not _finite(element):
            return f"element {i} is too large for a float64"
    return np.array(elements, dtype=np.float64)


def _finite(value: float) -> bool:
    try:
        return math.isfinite(float(value))
    except OverflowError:
        return False


def _time(t: object) -> int | str:
    """Return µs since 1970, NO_TIME for none, or what is wrong with it."""
    if t is None:
        return NO_TIME
    if isinstance(t, int | float) and not isinstance(t, bool):
        return round(t * 1e6) if _finite(t) and abs(t) < _MAX_SECONDS else "seconds since 1970 are out of range"
    if isinstance(t, str):
        try:
            at = msgspec.convert(t, datetime)
        except msgspec.ValidationError:
            return "expected RFC 3339 or seconds since 1970"
        return _datetime_us(at) if at.tzinfo is not None else "a time needs its offset, e.g. …Z"
    return "expected RFC 3339 or seconds since 1970"


def _list(fields: dict[str, Any], loc: list[str | int]) -> list[Any]:
    value = fields.get(str(loc[-1]))
    if not isinstance(value, list):
        raise PacketInvalid(loc, "expected a list")
    return cast("list[Any]", value)


def _text(fields: dict[str, Any], name: str, longest: int) -> str | None:
    value = fields.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not 0 < len(value) <= longest:
        raise PacketInvalid([name], f"expected a text of 1 to {longest} characters")
    return value


def _uuid(fields: dict[str, Any], loc: list[str | int]) -> UUID | None:
    value = fields.get("sensor_id")
    if value is None:
        return None
    try:
        return UUID(str(value))
    except ValueError as error:
        raise PacketInvalid([*loc, "sensor_id"], "expected a UUID") from error
