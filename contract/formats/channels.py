"""What every foreign format is decoded into: samples by device channel, and each entry that was refused."""

import re
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from contract.packets import F64, I64, NO_TIME, Reject

MAX_SAMPLES: Final = 10_000
MAX_NAME: Final = 1_000  # characters; long enough for the tags of a container orchestrator
NO_CHANNEL: Final = -1
_UNPRINTABLE: Final = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


class TooManySamples(Exception):
    """The body holds more than one request may; nothing of it was taken."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"more than {limit} samples; send them in several requests")


class Refused(Exception):
    """An entry, or one value of it, that cannot be taken: a stable code, and what to do about it."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class ChannelKey(NamedTuple):
    """What tells two series of a device apart. SenML gives several quantities one name, told apart by their unit."""

    name: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Channel:
    """A device's series: t in µs since 1970 (NO_TIME where the sender gave none) and raw values, both of shape (n,).

    `index` is the place of each sample's line, record or object in the body, from 0, rising. n is 0 where every value
    was refused.
    """

    key: ChannelKey
    t_us: I64
    raw: F64
    index: I64


@dataclass(frozen=True, slots=True)
class Decoded:
    """A decoded body: channels sorted by key, and rejects sorted by the place in the body.

    A reject's `series` is its channel's place in `channels`, or NO_CHANNEL where the entry names none; its `index` is
    the entry's place in the body. `count` is all samples, taken and refused.
    """

    channels: list[Channel]
    rejects: list[Reject]
    count: int


class Harvest:
    """Gathers a body's samples and rejects in any order; raises TooManySamples beyond `limit` of them."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._count = 0
        self._numbers: dict[ChannelKey, int] = {}
        self._rows: list[tuple[int, int, int, float]] = []
        self._columns: list[tuple[I64, I64, I64, F64]] = []
        self._refusals: list[tuple[int, int, str, str, int]] = []

    def take(self, key: ChannelKey, index: int, t_us: int, raw: float) -> None:
        """Take a sample of the body's entry `index`."""
        number = self._numbers.get(key)
        self._rows.append((self._number(key) if number is None else number, index, t_us, raw))
        self._count += 1
        if self._count > self._limit:
            raise TooManySamples(self._limit)

    def take_columns(self, keys: list[ChannelKey], which: I64, index: I64, t_us: I64, raw: F64) -> None:
        """Take many samples at once, arrays of shape (n,); `which` points into `keys`."""
        self._add(len(raw))
        numbers = np.array([self._number(key) for key in keys], np.int64)
        self._columns.append((numbers[which], index, t_us, raw))

    def refuse(self, index: int, why: Refused, key: ChannelKey | None = None, t_us: int = NO_TIME) -> None:
        """Refuse the body's entry `index`, or of it the value of one channel."""
        # Not the exception itself: it would hold on to the frames it passed, and to every text in them.
        number = NO_CHANNEL if key is None else self._number(key)
        self._refusals.append((index, number, why.code, why.detail, t_us))
        self._add(1)

    def decoded(self) -> Decoded:
        """Sort everything by channel and place. Of several values of a channel in one entry the last one stays."""
        keys = sorted(self._numbers)
        place = np.empty(len(keys), np.int64)
        place[[self._numbers[key] for key in keys]] = np.arange(len(keys))
        number, index, t_us, raw = self._joined()
        order = np.lexsort((index, place[number]))
        channel, index, t_us, raw = place[number][order], index[order], t_us[order], raw[order]
        repeated = np.zeros(len(raw), np.bool_)
        repeated[:-1] = (channel[1:] == channel[:-1]) & (index[1:] == index[:-1])
        rejects = [
            Reject(NO_CHANNEL if no == NO_CHANNEL else int(place[no]), at, code, detail, _known(t))
            for at, no, code, detail, t in self._refusals
        ]
        if repeated.any():
            detail = "the entry gives this channel another value further on; send one value for each time"
            rejects += [
                Reject(int(channel[i]), int(index[i]), "value-repeated", detail, _known(int(t_us[i])))
                for i in np.flatnonzero(repeated)
            ]
            channel, index, t_us, raw = channel[~repeated], index[~repeated], t_us[~repeated], raw[~repeated]
        rejects.sort(key=lambda reject: (reject.index, reject.series, reject.code))
        ends = np.searchsorted(channel, np.arange(1, len(keys) + 1)).tolist()
        channels = [
            Channel(key, t_us[start:end], raw[start:end], index[start:end])
            for key, start, end in zip(keys, [0, *ends], ends, strict=False)
        ]
        return Decoded(channels, rejects, self._count)

    def _joined(self) -> tuple[I64, I64, I64, F64]:
        numbers, indices, times, values = zip(*self._rows, strict=True) if self._rows else ((), (), (), ())
        rows = (np.array(numbers, np.int64), np.array(indices, np.int64), np.array(times, np.int64))
        parts = [*self._columns, (*rows, np.array(values, np.float64))]
        number, index, t_us, raw = (np.concatenate(column) for column in zip(*parts, strict=True))
        return number, index, t_us, raw

    def _number(self, key: ChannelKey) -> int:
        return self._numbers.setdefault(key, len(self._numbers))

    def _add(self, count: int) -> None:
        self._count += count
        if self._count > self._limit:
            raise TooManySamples(self._limit)


def checked_name(text: str, what: str) -> str:
    """Return a name that every program can keep; raises Refused for an empty, overlong or unprintable one."""
    if not text:
        raise Refused("name-missing", f"{what} is empty; name what was measured")
    if len(text) > MAX_NAME:
        raise Refused("name-invalid", f"{what} is longer than {MAX_NAME} characters; shorten it")
    if _UNPRINTABLE.search(text):
        raise Refused("name-invalid", f"{what} has control characters; leave them out")
    return text


def excerpt(text: str) -> str:
    """Quote the beginning of what a sender wrote."""
    return repr(text if len(text) <= 40 else f"{text[:40]}…")


def _known(t_us: int) -> int | None:
    return None if t_us == NO_TIME else t_us
