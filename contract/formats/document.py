"""A JSON body as the formats read it: one document, bounded before it is taken apart."""

import json
import math
from typing import Any, Final, NoReturn, cast

import msgspec

from contract.formats.channels import Refused, TooManySamples
from contract.packets import PacketBroken

MAX_SECONDS: Final = 9e12  # what fits int64 microseconds
_PARTS_PER_SAMPLE: Final = 32
Record = dict[str, Any]


def read(body: bytes, limit: int) -> Any:
    """Read JSON. Raises PacketBroken, and TooManySamples for more parts than `limit` samples can have."""
    if body.count(b",") + body.count(b"{") + body.count(b"[") > _PARTS_PER_SAMPLE * limit:
        raise TooManySamples(limit)
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _read_leniently(body)


def record(entry: object, what: str = "the entry") -> Record:
    """Return an entry that has to be an object; raises Refused."""
    if not isinstance(entry, dict):
        raise Refused("record-invalid", f"{what} is {kind_of(entry)}; send an object")
    return cast("Record", entry)


def number(value: object, what: str) -> float:
    """Return a JSON number as a float; raises Refused for anything else and for what float64 cannot hold."""
    if not isinstance(value, float):
        if value is None:
            raise Refused("value-missing", f"{what} is null; send a number or leave it out")
        if not isinstance(value, int) or isinstance(value, bool):
            raise Refused("value-not-a-number", f"{what} is {kind_of(value)}, which no sensor keeps; send a number")
        value = _float(value)
    if not math.isfinite(value):
        raise Refused("value-not-finite", f"{what} is too large for a float64; leave it out")
    return value


def seconds(value: object, what: str) -> float:
    """Return a JSON number of seconds; raises Refused for anything else."""
    if not isinstance(value, float):
        if not isinstance(value, int) or isinstance(value, bool):
            raise Refused("time-invalid", f"{what} is {kind_of(value)}; send a number")
        value = _float(value)
    return value


def micros(seconds_: float) -> int:
    """Return seconds since 1970 as whole µs; raises Refused where they are out of range."""
    if not -MAX_SECONDS < seconds_ < MAX_SECONDS:
        raise Refused("time-invalid", "the time is out of range; mind its unit")
    return round(seconds_ * 1e6)


def kind_of(value: object) -> str:
    """Name a JSON value's type."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case str():
            return "a text"
        case dict():
            return "an object"
        case list():
            return "a list"
        case _:
            return "a number"


def _float(whole: int) -> float:
    try:
        return float(whole)
    except OverflowError:
        return math.inf


def _read_leniently(body: bytes) -> Any:
    """Read once more, so that a number beyond float64 costs only its own sample, and a fault says where it is."""
    try:
        return json.loads(body.decode(), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise PacketBroken(str(error)) from error


def _no_constant(name: str) -> NoReturn:
    raise PacketBroken(f"{name} is no JSON value; leave the sample out or send null")
