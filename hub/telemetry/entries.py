"""Stream entries: one accepted body as typed arrays, self-describing and readable without the database."""

import struct
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, cast

import numpy as np
import numpy.typing as npt
import orjson

I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]
I32 = npt.NDArray[np.int32]
U8 = npt.NDArray[np.uint8]

MAGIC: Final = b"ETS1"
_HEAD: Final = struct.Struct("<4sIIIIIq")
SERIES: Final = np.dtype([("sensor_no", "<i4"), ("count", "<i4"), ("version", "<i4")])
_COLUMNS: Final = tuple(np.dtype(kind) for kind in ("<i8", "<f8", "<f8", "u1"))
REJECTS: Final = np.dtype([("sensor_no", "<i4"), ("code", "<i4"), ("t", "<i8")])
_VECTORS: Final = np.dtype([("place", "<i4"), ("size", "<i4")])


class EntryBroken(Exception):
    """The bytes are no stream entry."""


class Vector(NamedTuple):
    """A vector sample: raw, physical (NaN where there is none) and status codes of its elements, all of shape (m,)."""

    raw: F64
    physical: F64
    status: U8


class PacketNumber(NamedTuple):
    """A device's number of a packet, within one boot of the device."""

    sensor_no: int
    boot: str
    seq: int


@dataclass(frozen=True)
class Entry:
    """An accepted body.

    `series` says how the samples are grouped: count consecutive samples of one sensor under one profile version.
    t in µs since 1970, physical NaN where there is none. `codes` names the reject codes that REJECTS counts by index.
    `differing` counts by sensor the samples whose physical value an edge agent computed otherwise. `vectors` is keyed
    by the place of their headlines in the columns. `mixed` are sensors with numbered series beside others.
    """

    received_at_us: int
    series: npt.NDArray[np.void]
    t_us: I64
    raw: F64
    physical: F64
    status: U8
    rejects: npt.NDArray[np.void]
    codes: list[str]
    packets: list[PacketNumber] = field(default_factory=list[PacketNumber])
    differing: dict[int, int] = field(default_factory=dict[int, int])
    meta: dict[int, Any] = field(default_factory=dict[int, Any])
    vectors: dict[int, Vector] = field(default_factory=dict[int, Vector])
    mixed: list[int] = field(default_factory=list[int])

    @property
    def numbered(self) -> set[int]:
        """Return the sensors all of whose samples came in numbered packets."""
        return {packet.sensor_no for packet in self.packets}.difference(self.mixed)

    @property
    def sensor_no(self) -> I32:
        """Return the sensor of each sample."""
        return np.repeat(self.series["sensor_no"], self.series["count"])

    @property
    def version(self) -> I32:
        """Return the profile version of each sample."""
        return np.repeat(self.series["version"], self.series["count"])


def encode(entry: Entry) -> bytes:
    """Write an entry as bytes: header, series, rejects, extra JSON, the columns, then the vectors."""
    extra = b""
    if entry.packets or entry.differing or entry.meta or entry.codes:
        extra = orjson.dumps(
            {
                "packets": [tuple(packet) for packet in entry.packets],  # orjson takes no subclass of tuple
                "differing": entry.differing,
                "meta": entry.meta,
                "codes": entry.codes,
                "mixed": entry.mixed,
            },
            option=orjson.OPT_NON_STR_KEYS,
        )
    head = _HEAD.pack(
        MAGIC,
        len(entry.series),
        len(entry.t_us),
        len(entry.rejects),
        len(extra),
        len(entry.vectors),
        entry.received_at_us,
    )
    return b"".join(
        (
            head,
            entry.series.tobytes(),
            entry.rejects.tobytes(),
            extra,
            entry.t_us.tobytes(),
            entry.raw.tobytes(),
            entry.physical.tobytes(),
            entry.status.tobytes(),
            *_written(entry.vectors),
        )
    )


def decode(data: bytes) -> Entry:
    """Read an entry; raises EntryBroken for anything that `encode` did not write."""
    try:
        magic, n_series, n, n_rejects, n_extra, n_vectors, received_at_us = _HEAD.unpack_from(data)
        if magic != MAGIC:
            raise EntryBroken("wrong magic")
        at = _HEAD.size
        series = np.frombuffer(data, SERIES, n_series, at)
        at += series.nbytes
        rejects = np.frombuffer(data, REJECTS, n_rejects, at)
        at += rejects.nbytes
        extra = cast("dict[str, Any]", orjson.loads(data[at : at + n_extra])) if n_extra else {}
        at += n_extra
        columns: list[Any] = []
        for kind in _COLUMNS:
            column = np.frombuffer(data, kind, n, at)
            columns.append(column)
            at += column.nbytes
        vectors: dict[int, Vector] = {}
        if n_vectors:
            vectors, at = _read(data, n_vectors, at)
        if at != len(data) or int(series["count"].sum()) != n:
            raise EntryBroken("lengths do not add up")
        t_us, raw, physical, status = columns
        return Entry(
            received_at_us=received_at_us,
            series=series,
            t_us=t_us,
            raw=raw,
            physical=physical,
            status=status,
            rejects=rejects,
            codes=extra.get("codes", []),
            packets=[PacketNumber(*packet) for packet in extra.get("packets", ())],
            differing={int(no): count for no, count in extra.get("differing", {}).items()},
            meta={int(i): meta for i, meta in extra.get("meta", {}).items()},
            vectors=vectors,
            mixed=extra.get("mixed", []),
        )
    except (struct.error, ValueError, TypeError) as error:
        raise EntryBroken(str(error)) from error


def _written(vectors: dict[int, Vector]) -> list[bytes]:
    if not vectors:
        return []
    heads = np.array([(place, len(vector.raw)) for place, vector in vectors.items()], _VECTORS)
    return [heads.tobytes(), *(column.tobytes() for vector in vectors.values() for column in vector)]


def _read(data: bytes, count: int, at: int) -> tuple[dict[int, Vector], int]:
    """Read `count` vectors from `at` on; also return where they end."""
    heads = np.frombuffer(data, _VECTORS, count, at)
    at += heads.nbytes
    vectors: dict[int, Vector] = {}
    for place, size in heads.tolist():
        columns: list[Any] = []
        for kind in _COLUMNS[1:]:
            column = np.frombuffer(data, kind, size, at)
            columns.append(column)
            at += column.nbytes
        vectors[place] = Vector(*columns)
    return vectors, at


def sensor_counts(data: bytes, sensor_no: int) -> tuple[I64, int]:
    """Return the times of one sensor's samples in an entry (µs), and how many of its samples were rejected."""
    entry = decode(data)
    return entry.t_us[entry.sensor_no == sensor_no], int((entry.rejects["sensor_no"] == sensor_no).sum())
