"""SenML in JSON (RFC 8428), with the secondary units of RFC 9100.

A channel is a resolved name and its unit: the pack of section 5.1.3 tells its quantities apart by the unit alone. A
record's sum is a channel of its own, `name#sum` in unit·s. A bad record never costs the others. A fault of the whole
pack does: a base field of another type, a version that is too new or differs between records, an unknown base field
that must be understood (sections 4.1 and 4.4).
"""

import re
from typing import Final

from contract.formats import document
from contract.formats.channels import (
    MAX_NAME,
    MAX_SAMPLES,
    ChannelKey,
    Decoded,
    Harvest,
    Refused,
    checked_name,
    excerpt,
)
from contract.formats.document import Record
from contract.packets import NO_TIME, PacketInvalid

FIRST_ABSOLUTE_S: Final = 2**28
VERSION: Final = 10
_VERSIONS: Final = frozenset((*range(1, VERSION + 1), 26))  # 26 adds the secondary units (RFC 9100, section 3)
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9\-:./_]*")
_BASE: Final = frozenset(("bn", "bt", "bu", "bv", "bs", "bver"))
_VALUES: Final = frozenset(("v", "vb", "vs", "vd"))
_REGULAR: Final = _VALUES | {"n", "u", "t", "ut", "s"}
_KNOWN: Final = _BASE | _REGULAR
_USUAL: Final = frozenset(("n", "u", "t", "v"))


class _Base:
    """The base fields in force, and the channels that records named under them."""

    def __init__(self) -> None:
        self.name = ""
        self.time_s = 0.0
        self.unit = ""
        self.value: float | None = None
        self.sum: float | None = None
        self.version: int | None = None
        self.channels: dict[tuple[str, str], ChannelKey] = {}

    def change(self, record: Record, index: int) -> None:
        """Put a record's base fields in force; raises PacketInvalid, as every later record would be read wrongly."""
        for label, value in record.items():
            if label in {"bn", "bu"}:
                if not isinstance(value, str):
                    raise PacketInvalid([index, label], f"expected a text, not {document.kind_of(value)}")
            elif label in _BASE:
                try:
                    document.number(value, label)
                except Refused as why:
                    raise PacketInvalid([index, label], why.detail) from why
        self.name = record.get("bn", self.name)
        self.unit = record.get("bu", self.unit)
        self.time_s = float(record.get("bt", self.time_s))
        self.value = record.get("bv", self.value)
        self.sum = record.get("bs", self.sum)
        self.channels.clear()
        version = record.get("bver", VERSION if self.version is None else self.version)
        if version not in _VERSIONS:
            raise PacketInvalid([index, "bver"], f"version {version} is unknown; send version {VERSION}")
        if self.version not in {None, version}:
            raise PacketInvalid([index, "bver"], f"version {version} after {self.version}; a pack has one version")
        self.version = version


def decode(body: bytes, now_us: int, limit: int = MAX_SAMPLES) -> Decoded:
    """Decode a pack; `index` is a record's place from 0, relative times count from `now_us`.

    A resolved time of zero says that the sensor knows none (section 4.5.3): it is given as NO_TIME. Raises
    PacketBroken, PacketInvalid and TooManySamples.
    """
    pack = document.read(body, limit)
    if not isinstance(pack, list):
        raise PacketInvalid([], "a SenML pack is a list of records")
    harvest = Harvest(limit)
    base = _Base()
    for i, entry in enumerate(pack):
        try:
            record = document.record(entry)
            if base.version is None or not _BASE.isdisjoint(record):
                base.change(record, i)
            if not _KNOWN.issuperset(record):
                _ignore_unknown(record, i)
            if not _REGULAR.isdisjoint(record):
                _take(harvest, base, record, i, now_us)
        except Refused as why:
            harvest.refuse(i, why)
    return harvest.decoded()


def _ignore_unknown(record: Record, index: int) -> None:
    for label in record.keys() - _KNOWN:
        if label.startswith("b") and label.endswith("_"):
            raise PacketInvalid([index, label[:40]], "an unknown base field that must be understood; leave it out")
    needed = sorted(label for label in record.keys() - _KNOWN if label.endswith("_"))
    if needed:
        raise Refused("label-unknown", f"{excerpt(needed[0])} must be understood and is not; leave it out")


def _take(harvest: Harvest, base: _Base, record: Record, index: int, now_us: int) -> None:
    key = _channel(base, record)
    t_us = _time(base, record, now_us)
    values = ["v"] if _USUAL.issuperset(record) and "v" in record else [label for label in record if label in _VALUES]
    summed = base.sum is not None or "s" in record
    if values or not summed:
        try:
            harvest.take(key, index, t_us, _value(base, record, values))
        except Refused as why:
            harvest.refuse(index, why, key, t_us)
    if summed:
        key = ChannelKey(f"{key.name}#sum", f"{key.unit}·s" if key.unit else "")
        try:
            total = (base.sum or 0.0) + document.number(record.get("s", 0.0), "s")
            harvest.take(key, index, t_us, document.number(total, "the sum with its base"))
        except Refused as why:
            harvest.refuse(index, why, key, t_us)


def _channel(base: _Base, record: Record) -> ChannelKey:
    own, unit = record.get("n", ""), record.get("u")
    if not isinstance(own, str):
        raise Refused("name-invalid", f"n is {document.kind_of(own)}; send a text")
    if not isinstance(unit, str):
        if "u" in record:
            raise Refused("unit-invalid", f"u is {document.kind_of(unit)}; send a text")
        unit = base.unit
    known = base.channels.get((own, unit))
    if known is None:
        known = ChannelKey(_name(base.name, own), checked_name(unit, "the unit") if unit else "")
        base.channels[own, unit] = known
    return known


def _name(base: str, own: str) -> str:
    # Before they are joined: a long base name times many records would fill the memory.
    if len(base) + len(own) > MAX_NAME:
        raise Refused("name-invalid", f"the name with its base name is longer than {MAX_NAME} characters; shorten it")
    name = checked_name(base + own, "the name with its base name")
    if not _NAME.fullmatch(name):
        rule = "letters, digits and -:./_, beginning with a letter or digit (RFC 8428, section 4.5.1)"
        raise Refused("name-invalid", f"{excerpt(name)} is no SenML name; use {rule}")
    return name


def _time(base: _Base, record: Record, now_us: int) -> int:
    time_s = base.time_s + document.seconds(record.get("t", 0.0), "t")
    t_us = document.micros(time_s)
    if time_s >= FIRST_ABSOLUTE_S:
        return t_us
    return now_us + t_us if time_s else NO_TIME


def _value(base: _Base, record: Record, values: list[str]) -> float:
    """Return the record's value; beside a base value a missing one counts as zero (section 4.5.4)."""
    match values:
        case ["v"]:
            own = document.number(record["v"], "v")
            return own if base.value is None else document.number(own + base.value, "v with its base value")
        case []:
            if base.value is None:
                raise Refused("value-missing", "the record has neither value nor sum; send v, vb or s")
            return document.number(base.value, "bv")
        case ["vb"]:
            if not isinstance(record["vb"], bool):
                raise Refused("value-invalid", f"vb is {document.kind_of(record['vb'])}; send true or false")
            return float(record["vb"])
        case [label]:
            raise Refused("value-not-a-number", f"{label} is kept by no sensor; send v or vb")
        case _:
            raise Refused("value-ambiguous", f"the record has {', '.join(sorted(values))}; send one of them")
