"""Reading a packet sample by sample: slower, but each fault is named and costs nothing that stands beside it."""

import math
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, cast
from uuid import UUID

import msgspec
import numpy as np

from contract import vectors
from contract.packet_shapes import datetime_us, times_of_bytes, values_of_bytes
from contract.reasons import LONGEST_DETAIL, SAMPLE_INVALID, TOLD, VALUE_MISSING, VALUE_NOT_FINITE, Reason
from contract.samples import F64, MAX_SECONDS, MAX_SERIES, NO_TIME, Packet, PacketInvalid, Reject, Series, storable


def read(document: object) -> Packet:
    """Read a packet out of what a body decoded to; raises PacketInvalid where its parts cannot be told."""
    if not isinstance(document, dict):
        raise PacketInvalid([], "expected an object with 'samples' or 'series'")
    fields = cast("dict[str, Any]", document)
    if ("samples" in fields) == ("series" in fields):
        raise PacketInvalid([], "expected either 'samples' (rows) or 'series' (columns)")
    batch_id = _text(fields, "batch_id", 200)
    rejects: list[Reject] = []
    rows = "samples" in fields
    if rows:
        series = [_rows(fields, _list(fields, ["samples"]), rejects)]
    else:
        entries = _list(fields, ["series"])
        if len(entries) > MAX_SERIES:
            raise PacketInvalid(["series"], f"at most {MAX_SERIES} series")
        series = [_column(fields, entry, i, rejects) for i, entry in enumerate(entries)]
    return Packet(batch_id, rows, series, rejects, sum(len(one.raw) for one in series) + len(rejects))


class _Kept(NamedTuple):
    """A good sample, with its place in the packet."""

    place: int
    t_us: int
    raw: float
    vector: F64 | None
    meta: Any


@dataclass
class _Samples:
    """The good samples of one series as they are found, and the rejects of the whole packet."""

    series: int
    rejects: list[Reject]
    kept: list[_Kept] = field(default_factory=list[_Kept])

    def take(self, index: int, t: object, v: object, meta: object, told: Reason | None = None) -> None:
        """Keep a sample, or say what is wrong with it; `told`: what the sender found wrong where it sends null."""
        t_us = _time(t)
        if isinstance(t_us, str):
            self.rejects.append(Reject(self.series, index, "time-invalid", t_us))
            return
        value = _value(v) if v is not None or told is None else told
        fault = value if isinstance(value, Reason) else _meta_fault(meta)
        if fault is not None:
            self.rejects.append(Reject(self.series, index, *fault, t_us=None if t_us == NO_TIME else t_us))
        elif isinstance(value, float):
            self.kept.append(_Kept(index, t_us, value, None, meta))
        else:
            vector = cast("F64", value)
            self.kept.append(_Kept(index, t_us, vectors.headline(vector), vector, meta))


def _rows(fields: dict[str, Any], rows: list[Any], rejects: list[Reject]) -> Series:
    samples = _Samples(0, rejects)
    for i, row in enumerate(rows):
        if isinstance(row, dict):
            sample = cast("dict[str, Any]", row)
            samples.take(i, sample.get("t"), sample.get("v"), sample.get("meta"))
        else:
            rejects.append(Reject(0, i, *SAMPLE_INVALID))
    return _series(fields, fields, [], samples.kept, None)


def _column(fields: dict[str, Any], entry: object, place: int, rejects: list[Reject]) -> Series:
    if not isinstance(entry, dict):
        raise PacketInvalid(["series", place], "expected an object with 't' and 'v'")
    column = cast("dict[str, Any]", entry)
    times, values = _numbers(column, ["series", place, "t"]), _numbers(column, ["series", place, "v"])
    if len(times) != len(values):
        raise PacketInvalid(["series", place], f"'t' has {len(times)} entries and 'v' has {len(values)}")
    physical = None if column.get("p") is None else _numbers(column, ["series", place, "p"])
    if physical is not None and len(physical) != len(values):
        raise PacketInvalid(["series", place, "p"], f"'p' has {len(physical)} entries and 'v' has {len(values)}")
    metas = column.get("meta") or {}
    if not isinstance(metas, dict):
        raise PacketInvalid(["series", place, "meta"], "'meta' maps a sample's index to an object")
    by_index = cast("dict[str, Any]", metas)
    told = _told(column, place)
    samples = _Samples(place, rejects)
    for i, (t, v) in enumerate(zip(times, values, strict=True)):
        samples.take(i, t, v, by_index.get(str(i)), told.get(str(i)))
    return _series(fields, column, ["series", place], samples.kept, physical)


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
        edge = np.array([p if isinstance(p := _value(each), float) else math.nan for each in physical], np.float64)[
            index
        ]
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


def _told(column: dict[str, Any], place: int) -> dict[str, Reason]:
    """Return by index what an edge agent found wrong with samples for which it sends null; what is none is left out."""
    rejects = column.get("rejects") or {}
    if not isinstance(rejects, dict):
        raise PacketInvalid(["series", place, "rejects"], "'rejects' maps a sample's index to code and detail")
    reasons: dict[str, Reason] = {}
    for index, reject in cast("dict[str, Any]", rejects).items():
        match reject:
            case {"code": str(code), "detail": str(detail)} if code in TOLD and storable(detail):
                reasons[index] = Reason(code, detail[:LONGEST_DETAIL])
            case _:
                pass
    return reasons


def _value(v: object) -> float | F64 | Reason:
    """Return a value, a number or a vector's elements, or what is wrong with it."""
    if v is None:
        return VALUE_MISSING
    if isinstance(v, list | bytes):
        return _vector(cast("list[Any] | bytes", v))
    if isinstance(v, bool) or not isinstance(v, int | float):
        return Reason("value-not-a-number", f"a {type(v).__name__} is no number")
    if not _finite(v):
        return VALUE_NOT_FINITE
    return float(v)


def _vector(elements: list[Any] | bytes) -> F64 | Reason:
    """Return a vector's elements, which may come as bytes of float64, or what is wrong with it."""
    if isinstance(elements, bytes):
        if len(elements) % 8:
            return Reason("vector-invalid", f"{len(elements)} bytes are no multiple of eight")
        elements = cast("list[Any]", values_of_bytes(elements).tolist())
    if not 0 < len(elements) <= vectors.MAX_SIZE:
        return Reason("vector-invalid", f"a vector has 1 to {vectors.MAX_SIZE} elements")
    for i, element in enumerate(elements):
        if isinstance(element, bool) or not isinstance(element, int | float):
            return Reason("vector-invalid", f"element {i} is no number")
        if not _finite(element):
            return Reason("vector-invalid", f"element {i} is no finite float64")
    return np.array(elements, dtype=np.float64)


def _meta_fault(meta: object) -> Reason | None:
    if meta is None:
        return None
    if not isinstance(meta, dict):
        return Reason("meta-invalid", "'meta' is an object")
    if not storable(meta):
        why = "'meta' holds what cannot be stored: a number of over 64 bits, U+0000 or the like"
        return Reason("meta-invalid", why)
    return None


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
        return round(t * 1e6) if _finite(t) and abs(t) < MAX_SECONDS else "seconds since 1970 are out of range"
    if not isinstance(t, str | datetime):
        return "expected RFC 3339 or seconds since 1970"
    try:
        at = msgspec.convert(t, datetime)
    except msgspec.ValidationError:
        return "expected RFC 3339 or seconds since 1970"
    return datetime_us(at) if at.tzinfo is not None else "a time needs its offset, e.g. …Z"


def _list(fields: dict[str, Any], loc: list[str | int]) -> list[Any]:
    value = fields.get(str(loc[-1]))
    if not isinstance(value, list):
        raise PacketInvalid(loc, "expected a list")
    return cast("list[Any]", value)


def _numbers(fields: dict[str, Any], loc: list[str | int]) -> list[Any]:
    """Return a column as a list: of seconds or values, also where they come as bytes (t in µs)."""
    column = fields.get(str(loc[-1]))
    if not isinstance(column, bytes):
        return _list(fields, loc)
    if len(column) % 8:
        raise PacketInvalid(loc, f"{len(column)} bytes are no multiple of eight")
    if loc[-1] == "t":
        return [None if t == NO_TIME else t / 1e6 for t in times_of_bytes(column).tolist()]
    return values_of_bytes(column).tolist()


def _text(fields: dict[str, Any], name: str, longest: int) -> str | None:
    value = fields.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not 0 < len(value) <= longest or not storable(value):
        raise PacketInvalid([name], f"expected a text of 1 to {longest} characters, U+0000 not among them")
    return value


def _uuid(fields: dict[str, Any], loc: list[str | int]) -> UUID | None:
    value = fields.get("sensor_id")
    if value is None:
        return None
    try:
        return UUID(bytes=value) if isinstance(value, bytes) else UUID(str(value))
    except ValueError as error:
        raise PacketInvalid([*loc, "sensor_id"], "expected a UUID") from error
