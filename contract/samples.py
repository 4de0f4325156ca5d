"""What telemetry is made of, whichever way it comes: series of samples, the packets that carry them, and rejects."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast
from uuid import UUID

import numpy as np
import numpy.typing as npt
import orjson

NO_TIME: Final = np.iinfo(np.int64).min
MAX_SERIES: Final = 10_000
MAX_SECONDS: Final = 9e12  # what fits int64 microseconds

I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]


class PacketBroken(Exception):
    """The body is not what it was said to be (JSON, msgpack); the text says where."""


class PacketInvalid(Exception):
    """The body has another shape; `loc` names the place, the text what is wrong there."""

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


def seconds_to_us(seconds: F64) -> I64:
    """Round seconds since 1970, shape (n,), to the nearest microsecond."""
    return np.rint(seconds * 1e6).astype(np.int64)


def storable(meta: object) -> bool:
    """Tell whether a database can keep this as JSON; what it cannot keep must not cost the samples beside it."""
    try:
        text = orjson.dumps(meta)
    except TypeError:
        return False
    return b"\\u0000" not in text or not _holds_nul(meta)


def _holds_nul(value: object) -> bool:
    match value:
        case str():
            return "\0" in value
        case dict():
            return any(_holds_nul(part) for pair in cast("dict[str, object]", value).items() for part in pair)
        case list():
            return any(map(_holds_nul, cast("list[object]", value)))
        case _:
            return False
