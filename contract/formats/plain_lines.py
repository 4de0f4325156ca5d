"""Lines of line protocol in their usual build, taken all at once as columns.

A line's skeleton is its delimiters alone. Where that is plain and nothing is quoted or escaped, the line can be cut at
every delimiter without thought; each distinct head and key is then judged once, and all numbers together.
"""

import contextlib
import re
from array import array
from collections.abc import Callable, Sequence
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from contract.formats import lines
from contract.formats.channels import ChannelKey, Harvest, Refused, TooManySamples
from contract.packets import F64, I64, NO_TIME

_DELIMITERS: Final = b' ,="\\\x7f' + bytes(range(32))
_ORDINARY: Final = bytes(set(range(256)) - set(_DELIMITERS))
_PLAIN: Final = re.compile(rb"(?:,=){0,50} =(?:,=){0,199} ")  # tags, fields, time
_NUMBERS: Final = re.compile(rb"(?:(?!-0[i,])-?(?:0|[1-9][0-9]{0,17}+)(?:i|(?:\.[0-9]++)?+(?:[eE][+-]?[0-9]++)?+),)*+")
_FLOATS: Final = msgspec.json.Decoder(list[float])
_INTEGERS: Final = msgspec.json.Decoder(list[int])

Bools = npt.NDArray[np.bool_]


def take(harvest: Harvest, rows: Sequence[bytes], index: I64, unit_ns: int, limit: int) -> list[int]:
    """Take the plain lines; returns the places of all others, and of those with any fault, for the strict reading.

    `rows` holds no line break within a row, `index` the number of each. Raises TooManySamples.
    """
    text = b"\n".join(rows)
    skeletons = text.translate(None, _ORDINARY).split(b"\n")
    fields_of = {skeleton: _field_count(skeleton) for skeleton in set(skeletons)}
    counts = np.array([fields_of[skeleton] for skeleton in skeletons], np.int64)
    if max(map(len, rows), default=0) > lines.MAX_LINE_BYTES:
        counts[np.array([len(row) for row in rows]) > lines.MAX_LINE_BYTES] = 0
    if counts.sum() > limit:
        raise TooManySamples(limit)
    fit = np.flatnonzero(counts)
    if not len(fit):
        return list(range(len(rows)))
    if len(fit) < len(rows):
        text = b"\n".join([rows[i] for i in fit.tolist()])
    good = np.zeros(len(rows), np.bool_)
    good[fit] = _take_columns(harvest, text, counts[fit], index[fit], unit_ns)
    return np.flatnonzero(~good).tolist()


def _field_count(skeleton: bytes) -> int:
    """Return the fields of a plain line, 0 for any other."""
    return skeleton.rpartition(b" =")[2].count(b",") + 1 if _PLAIN.fullmatch(skeleton) else 0


def _take_columns(harvest: Harvest, text: bytes, counts: I64, index: I64, unit_ns: int) -> Bools:
    cut = text.replace(b"\n", b" ").split(b" ")
    parts = b",".join(cut[1::3]).replace(b"=", b",").split(b",")
    series, series_no, good = _judged(cut[::3], lines.series)
    keys, key_no, known = _judged(parts[::2], lines.field_key)
    raw = _values(parts[1::2])
    t_us = _times(cut[2::3], unit_ns)
    line = np.repeat(np.arange(len(counts)), counts)
    good &= t_us != NO_TIME
    good[line[~known | ~np.isfinite(raw)]] = False
    code = series_no[line] * len(keys) + key_no
    if not good.all():
        taken = good[line]
        code, line, raw = code[taken], line[taken], raw[taken]
    code, which = np.unique(code, return_inverse=True)
    channels = [ChannelKey(f"{series[c // len(keys)]}/{keys[c % len(keys)]}") for c in code.tolist()]
    harvest.take_columns(channels, which, index[line], t_us[line], raw)
    return good


def _judged(parts: Sequence[bytes], judge: Callable[[bytes], str]) -> tuple[list[str], I64, Bools]:
    """Return the distinct names among the parts, for each part the place of its name, and whether it is good."""
    places = {part: place for place, part in enumerate(dict.fromkeys(parts))}
    names: list[str] = []
    good = np.ones(len(places), np.bool_)
    for part, place in places.items():
        try:
            names.append(judge(part))
        except Refused:
            names.append("")
            good[place] = False
    which = np.frombuffer(array("q", map(places.__getitem__, parts)), np.int64)
    return names, which, good[which]


def _values(texts: Sequence[bytes]) -> F64:
    """Return the fields' values, NaN where the strict reading has something to say."""
    joined = b",".join(texts)
    if _NUMBERS.fullmatch(joined + b","):
        with contextlib.suppress(msgspec.ValidationError):  # a number beyond float64
            return np.frombuffer(array("d", _FLOATS.decode(b"[%b]" % joined.replace(b"i", b""))))
    values = np.full(len(texts), np.nan)
    for i, text in enumerate(texts):
        with contextlib.suppress(Refused):
            values[i] = lines.number(text)
    return values


def _times(texts: Sequence[bytes], unit_ns: int) -> I64:
    """Return the lines' times in µs, NO_TIME where the strict reading has something to say."""
    joined = b",".join(texts)
    if joined and not joined.translate(None, b"0123456789-,"):
        with contextlib.suppress(msgspec.DecodeError, OverflowError):
            units = np.frombuffer(array("q", _INTEGERS.decode(b"[%b]" % joined)), np.int64)
            longest = lines.MAX_TIME_NS // unit_ns - 500
            if units.min() >= -longest and units.max() <= longest:
                return (units * unit_ns + 500) // 1_000 if unit_ns < 1_000 else units * (unit_ns // 1_000)
    t_us = np.full(len(texts), NO_TIME)
    for i, text in enumerate(texts):
        with contextlib.suppress(Refused):
            t_us[i] = lines.time_us(text, unit_ns)
    return t_us
