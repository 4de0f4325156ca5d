"""ThingsBoard's HTTP device API for telemetry, as `/api/v1/{token}/telemetry` takes it.

After the reference's "Telemetry": an object of keys and values, an object of `ts` (ms since 1970) and `values`, or a
list of both; without `values` beside it, `ts` is a key like any other. A channel is a key. A text that is a number
counts as one, as ThingsBoard reads it; other texts, objects and lists are refused one by one, since no sensor keeps
them. One bad entry never costs the others.
"""

import re
from typing import Final

from contract.formats import document
from contract.formats.channels import MAX_SAMPLES, ChannelKey, Decoded, Harvest, Refused, checked_name
from contract.packets import NO_TIME, PacketInvalid

# ThingsBoard takes no exponent, sign + or bare point for a number in a text.
_NUMERIC: Final = re.compile(r"-?(?:[0-9]++(?:\.[0-9]++)?+|\.[0-9]++)")
_WHOLE: Final = re.compile(r"-?[0-9]{1,16}+")


def decode(body: bytes, limit: int = MAX_SAMPLES) -> Decoded:
    """Decode telemetry; `index` is an object's place from 0. Raises PacketBroken, PacketInvalid and TooManySamples."""
    entries = document.read(body, limit)
    if isinstance(entries, dict):
        entries = [entries]
    if not isinstance(entries, list):
        raise PacketInvalid([], "expected an object of keys and values, or a list of them")
    harvest = Harvest(limit)
    for i, entry in enumerate(entries):
        try:
            values, t_us = document.record(entry), NO_TIME
            if "ts" in values and "values" in values:
                values, t_us = document.record(values["values"], "values"), _time(values["ts"])
        except Refused as why:
            harvest.refuse(i, why)
            continue
        for key, value in values.items():
            channel = None
            try:
                channel = ChannelKey(checked_name(key, "the key"))
                harvest.take(channel, i, t_us, _value(value))
            except Refused as why:
                harvest.refuse(i, why, channel, t_us)
    return harvest.decoded()


def _time(ts: object) -> int:
    if isinstance(ts, str) and _WHOLE.fullmatch(ts):
        ts = int(ts)
    if isinstance(ts, int) and not isinstance(ts, bool) and abs(ts) < document.MAX_SECONDS * 1000:
        return ts * 1000
    return document.micros(document.seconds(ts, "ts") / 1000)


def _value(value: object) -> float:
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, str) and _NUMERIC.fullmatch(value):
        return document.number(float(value), "the value")
    return document.number(value, "the value")
