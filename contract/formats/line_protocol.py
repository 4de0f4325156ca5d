"""InfluxDB line protocol, as `/write` (version 1) and `/api/v2/write` take it.

A channel is named `measurement,tag=value/field`, its tags sorted. One bad line never costs the others: what was good is
returned beside the rejects, for an answer like InfluxDB's partial write (400 with the good lines written). Of the codes
only `value-not-a-number` says nothing against the sender: strings are good line protocol, but no sensor keeps them.

For the answer: Telegraf's output `influxdb` drops a body for good after any 4xx, 413 and 429 too; `influxdb_v2` sends
it again after 401, 403 and 429, and in smaller parts after 413.
"""

import re
from typing import Final

import numpy as np

from contract.formats import lines, plain_lines
from contract.formats.channels import MAX_SAMPLES, ChannelKey, Decoded, Harvest, Refused, TooManySamples

PRECISIONS_NS: Final = {
    "ns": 1,
    "n": 1,
    "us": 1_000,
    "u": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_COMMENT: Final = rb"#[^\n]*+"
_HEAD: Final = rb"(?:[^ \n]|(?<=\\) )*+"
_STRING: Final = rb'(?<!\\)="(?:[^"\\]++|\\[\s\S])*+"(?=[, \t\r\n]|\Z)'
# A line with the line breaks inside its strings. A quote that closes nowhere spoils its own line only.
_LINE: Final = re.compile(rb"^[ \t]*+(?:%b|%b(?:[^=\n]++|%b|=)*+)" % (_COMMENT, _HEAD, _STRING), re.MULTILINE)


class PrecisionUnknown(Exception):
    """The parameter 'precision' names no unit of time."""

    def __init__(self, precision: str) -> None:
        super().__init__(f"'precision' is one of {', '.join(PRECISIONS_NS)}, not {precision[:20]!r}")


def decode(body: bytes, precision: str = "ns", limit: int = MAX_SAMPLES) -> Decoded:
    """Decode lines; `index` is a line's number from 0. Raises PrecisionUnknown and TooManySamples.

    Lines of the usual build are taken as columns, the others one by one and strictly; both ways give the same.
    """
    unit_ns = PRECISIONS_NS.get(precision)
    if unit_ns is None:
        raise PrecisionUnknown(precision)
    # Comments and empty lines are no samples, but a body of nothing else must not fill the memory either.
    if body.count(b"\n") > 2 * limit:
        raise TooManySamples(limit)
    text = body.removesuffix(b"\n")
    quoted = b'"' in text
    rows: list[bytes] = _LINE.findall(text) if quoted else text.split(b"\n")
    numbers = np.arange(len(rows))
    if quoted:
        numbers += np.cumsum([0, *(row.count(b"\n") for row in rows[:-1])])
    harvest = Harvest(limit)
    shown = [b'"' if b'"' in row else row for row in rows] if quoted else rows
    names: dict[bytes, str] = {}
    for i in plain_lines.take(harvest, shown, numbers, unit_ns, limit):
        line = rows[i].strip(b" \t\r")
        if line and not line.startswith(b"#"):
            _take_line(harvest, line, int(numbers[i]), unit_ns, names)
    return harvest.decoded()


def _take_line(harvest: Harvest, line: bytes, index: int, unit_ns: int, names: dict[bytes, str]) -> None:
    try:
        head, fields, time = lines.split(line)
        series = names.get(head)
        if series is None:
            series = names[head] = lines.series(head)
        t_us = lines.time_us(time, unit_ns)
    except Refused as why:
        harvest.refuse(index, why)
        return
    for key, value in fields:
        channel = None
        try:
            channel = ChannelKey(f"{series}/{lines.field_key(key)}")
            harvest.take(channel, index, t_us, lines.number(value))
        except Refused as why:
            harvest.refuse(index, why, channel, t_us)
