"""The grammar of one line of InfluxDB line protocol, read strictly.

After "Line protocol" in the InfluxDB reference: "Elements of line protocol", "Data types and format", "Quotes" and
"Special characters". A comma, space or equals sign is part of a name when a backslash stands right before it; no other
backslash in a name has a meaning, as in InfluxDB's own reader.
"""

import re
from typing import Final

from contract.formats.channels import Refused, checked_name, excerpt
from contract.packets import NO_TIME

MAX_LINE_BYTES: Final = 65_536
MAX_TAGS: Final = 128
MAX_FIELDS: Final = 1_000
MAX_TIME_NS: Final = 2**63 - 2
_TRUE: Final = frozenset((b"t", b"T", b"true", b"True", b"TRUE"))
_FALSE: Final = frozenset((b"f", b"F", b"false", b"False", b"FALSE"))
_HEAD: Final = re.compile(rb"((?:[^ ]|(?<=\\) )*+) *+")
_FIELD: Final = re.compile(rb'((?:[^=, ]|(?<=\\)[=, ])*+)=("(?:[^"\\]|\\[\s\S])*+"|[^, "][^, ]*+)')
_COMMA: Final = re.compile(rb"(?<!\\),")
_EQUALS: Final = re.compile(rb"(?<!\\)=")
_FLOAT: Final = re.compile(rb"-?(?:[0-9]++(?:\.[0-9]*+)?+|\.[0-9]++)(?:[eE][+-]?[0-9]++)?+")
_INTEGER: Final = re.compile(rb"(-?[0-9]++)i|([0-9]++)u")
_NOT_FINITE: Final = re.compile(rb"[+-]?(?:nan|inf(?:inity)?)", re.IGNORECASE)
_WHOLE: Final = re.compile(rb"-?[0-9]++")


def split(line: bytes) -> tuple[bytes, list[tuple[bytes, bytes]], bytes]:
    """Take a line apart: measurement and tags, the fields' keys and values, the time (empty where there is none).

    Raises Refused where the line's build is broken, so that nobody can say where a field ends.
    """
    if len(line) > MAX_LINE_BYTES:
        raise Refused("line-too-long", f"the line has {len(line)} bytes; at most {MAX_LINE_BYTES} are read")
    head = _HEAD.match(line)
    assert head is not None  # noqa: S101 - the pattern matches even nothing
    at = head.end()
    fields: list[tuple[bytes, bytes]] = []
    while True:
        field = _FIELD.match(line, at)
        if field is None:
            raise _no_field(line, at)
        fields.append((field[1], field[2]))
        if len(fields) > MAX_FIELDS:
            raise Refused("fields-too-many", f"more than {MAX_FIELDS} fields; spread them over several lines")
        at = field.end()
        if line[at : at + 1] != b",":
            break
        at += 1
    if at < len(line) and line[at : at + 1] != b" ":
        raise Refused("field-invalid", 'text follows a closing quote; escape quotes within a string as \\"')
    return head[1], fields, line[at:].strip(b" ")


def series(head: bytes) -> str:
    """Return measurement and tags in one canonical form, as line protocol writes them, tags sorted by their key."""
    measurement, *parts = _COMMA.split(head)
    if not measurement or measurement.startswith(b"#"):
        raise Refused("measurement-missing", "the line begins without a measurement; write measurement,tag=… field=…")
    if len(parts) > MAX_TAGS:
        raise Refused("tags-too-many", f"more than {MAX_TAGS} tags; send fewer")
    tags: dict[bytes, bytes] = {}
    for part in parts:
        key, *values = _EQUALS.split(part)
        if not key or len(values) != 1 or not values[0]:
            what = excerpt(part.decode(errors="replace"))
            raise Refused("tag-invalid", f"{what} is not key=value; escape commas, spaces and equals signs with \\")
        if key in tags:
            raise Refused("tag-duplicate", f"the tag {excerpt(key.decode(errors='replace'))} comes twice; send it once")
        tags[key] = values[0]
    sorted_tags = (b",%b=%b" % tag for tag in sorted(tags.items()))
    return checked_name(_text(measurement + b"".join(sorted_tags)), "the measurement with its tags")


def field_key(key: bytes) -> str:
    """Return a field's key for a channel's name; a slash within is escaped, so that the last bare one parts the two."""
    return checked_name(_text(key), "the field's key").replace("/", "\\/")


def number(value: bytes) -> float:
    """Return a field's value; raises Refused for what is no number.

    A boolean is 1 or 0, so that a switch or a running pump can be plotted. A whole number beyond 2⁵³ becomes the
    nearest float64, as in a JSON packet.
    """
    if _FLOAT.fullmatch(value):
        real = float(value)
        if real in {float("inf"), float("-inf")}:
            raise Refused("value-not-finite", f"{_quoted(value)} is too large for a float64; leave the field out")
        return real
    whole = _INTEGER.fullmatch(value)
    if whole:
        return _integer(whole)
    if value in _TRUE:
        return 1.0
    if value in _FALSE:
        return 0.0
    if value.startswith(b'"'):
        raise Refused("value-not-a-number", "a string is kept by no sensor; send a number or a boolean")
    if _NOT_FINITE.fullmatch(value):
        raise Refused("value-not-finite", f"{_quoted(value)} is no measured value; leave the field out")
    raise Refused("value-invalid", f"{_quoted(value)} is neither number nor boolean; a string stands in double quotes")


def time_us(text: bytes, unit_ns: int) -> int:
    """Return µs since 1970 of a whole number of units, rounded to the nearest, halves up; NO_TIME for an empty text."""
    if not text:
        return NO_TIME
    if not _WHOLE.fullmatch(text):
        raise Refused("time-invalid", f"{_quoted(text)} is no whole number of time units since 1970")
    units = _whole(text)
    if units is None or abs(units * unit_ns) > MAX_TIME_NS:
        raise Refused("time-invalid", f"{_quoted(text)} is out of range; name its unit in the parameter 'precision'")
    return (units * unit_ns + 500) // 1000


def _integer(text: re.Match[bytes]) -> float:
    signed, unsigned = text.groups()
    low, high = (-(2**63), 2**63 - 1) if signed else (0, 2**64 - 1)
    value = _whole(signed or unsigned)
    if value is None or not low <= value <= high:
        raise Refused("value-invalid", f"{_quoted(text[0])} needs more than 64 bits; send it as a float")
    return float(value)


def _whole(text: bytes) -> int | None:
    """Read digits with a sign or none; None for more than 64 bits have, which int() would take too long over."""
    digits = text.lstrip(b"-").lstrip(b"0")
    if len(digits) > 20:
        return None
    return -int(digits or b"0") if text.startswith(b"-") else int(digits or b"0")


def _no_field(line: bytes, at: int) -> Refused:
    if at >= len(line) and line[at - 1 : at] != b",":
        return Refused("fields-missing", "the line has no field; write measurement,tag=… field=…")
    rest = line[at:]
    if re.match(rb'(?:[^=, ]|(?<=\\)[=, ])++="', rest):
        return Refused("field-invalid", 'a string has no closing quote; escape quotes within it as \\"')
    return Refused("field-invalid", f"{_quoted(rest)} does not begin with key=value")


def _text(name: bytes) -> str:
    try:
        return name.decode()
    except UnicodeDecodeError as error:
        raise Refused("name-invalid", f"{_quoted(name)} is not UTF-8") from error


def _quoted(part: bytes) -> str:
    return excerpt(part[:200].decode(errors="replace"))
