"""Printers of the foreign formats, the reverse of their decoders, and what tests compare."""

import json
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from contract.formats.channels import NO_CHANNEL, ChannelKey, Decoded
from contract.packets import NO_TIME

LAST_BARE_SLASH = re.compile(r"(?<!\\)/(?=(?:[^/]|(?<=\\)/)*$)")


class Sample(NamedTuple):
    """One value of a channel; t in µs since 1970."""

    key: ChannelKey
    t_us: int
    raw: float


def lines(samples: Sequence[Sample], unit_us: int = 0) -> bytes:
    """Print each sample as a line, from nothing but its channel's name; times in units of µs, 0 for nanoseconds."""
    return b"".join(_line(sample, unit_us) for sample in samples)


def _line(sample: Sample, unit_us: int) -> bytes:
    series, field = LAST_BARE_SLASH.split(sample.key.name)
    time = sample.t_us // unit_us if unit_us else sample.t_us * 1000
    suffix = "" if sample.t_us == NO_TIME else f" {time}"
    return f"{series} {field.replace(chr(92) + '/', '/')}={sample.raw!r}{suffix}\n".encode()


def senml(samples: Sequence[Sample]) -> bytes:
    """Print resolved records (RFC 8428, section 4.6); a sum's channel becomes a record's sum."""
    return json.dumps([_record(sample) for sample in samples]).encode()


def _record(sample: Sample) -> dict[str, Any]:
    name, mark, _ = sample.key.name.partition("#sum")
    unit = sample.key.unit.removesuffix("·s") if mark else sample.key.unit
    record: dict[str, Any] = {"n": name, "s" if mark else "v": sample.raw}
    if unit:
        record["u"] = unit
    if sample.t_us != NO_TIME:
        record["t"] = sample.t_us / 1e6
    return record


def thingsboard(samples: Sequence[Sample]) -> bytes:
    """Print each sample as an object of its own."""
    objects = [
        {sample.key.name: sample.raw}
        if sample.t_us == NO_TIME
        else {"ts": sample.t_us // 1000, "values": {sample.key.name: sample.raw}}
        for sample in samples
    ]
    return json.dumps(objects).encode()


def samples_of(decoded: Decoded) -> list[Sample]:
    """List what was decoded, in the order of the body (one sample an entry)."""
    found = [
        (int(at), Sample(channel.key, int(t), float(raw)))
        for channel in decoded.channels
        for at, t, raw in zip(channel.index, channel.t_us, channel.raw, strict=True)
    ]
    return [sample for _, sample in sorted(found, key=lambda pair: pair[0])]


def columns(decoded: Decoded) -> dict[str, list[tuple[int, int, float]]]:
    """Give (index, t in µs, raw) by the name of the channel, and its unit in brackets where it has one."""
    return {
        f"{channel.key.name} [{channel.key.unit}]" if channel.key.unit else channel.key.name: list(
            zip(channel.index.tolist(), channel.t_us.tolist(), channel.raw.tolist(), strict=True)
        )
        for channel in decoded.channels
    }


def refusals(decoded: Decoded) -> list[tuple[int | None, str, str | None]]:
    """Give each reject's index, code and channel."""
    return [
        (r.index, r.code, None if r.series == NO_CHANNEL else decoded.channels[r.series].key.name)
        for r in decoded.rejects
    ]
