"""The hash of a series of samples, which depends on the samples alone and not on how they are cut into chunks."""

import hashlib
from collections.abc import Iterable
from typing import Final, NamedTuple
from uuid import UUID

import numpy as np
import numpy.typing as npt

I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]

# What is hashed of each sample: t in µs since 1970, then raw, both little-endian.
RECORD: Final = np.dtype([("t", "<i8"), ("raw", "<f8")])


class SeriesUnsorted(ValueError):
    """The samples are not in the order of (t, raw bits), or one comes twice."""


class SeriesDigest(NamedTuple):
    """What a manifest says of one sensor: how many samples, the first and the last t (µs), and their SHA-256."""

    n: int
    first_t: int | None
    last_t: int | None
    sha256: bytes


class SeriesHash:
    """Hashes a series that is handed over piece by piece, in the order of (t, bits of raw as a signed number)."""

    def __init__(self) -> None:
        """Begin with no samples."""
        self._hash = hashlib.sha256()
        self._n = 0
        self._first_t: int | None = None
        self._last: tuple[int, int] | None = None

    def add(self, t_us: I64, raw: F64) -> None:
        """Add samples, both of shape (n,); raises SeriesUnsorted."""
        if not len(t_us):
            return
        bits = raw.view(np.int64)
        rises = (t_us[1:] > t_us[:-1]) | ((t_us[1:] == t_us[:-1]) & (bits[1:] > bits[:-1]))
        begins = (int(t_us[0]), int(bits[0]))
        if not rises.all() or (self._last is not None and begins <= self._last):
            raise SeriesUnsorted
        records = np.empty(len(t_us), RECORD)
        records["t"], records["raw"] = t_us, raw
        self._hash.update(records.tobytes())
        self._n += len(t_us)
        if self._first_t is None:
            self._first_t = begins[0]
        self._last = (int(t_us[-1]), int(bits[-1]))

    def digest(self) -> SeriesDigest:
        """Return what was hashed so far."""
        last_t = None if self._last is None else self._last[0]
        return SeriesDigest(self._n, self._first_t, last_t, self._hash.digest())


class VectorHash:
    """Hashes a series of vectors, in the order of (t, identity): of each t, then all elements, little-endian."""

    def __init__(self) -> None:
        """Begin with no vectors."""
        self._hash = hashlib.sha256()
        self._n = 0
        self._times: tuple[int, int] | None = None

    def add(self, t_us: int, elements: F64) -> None:
        """Add a vector, shape (m,)."""
        self._hash.update(t_us.to_bytes(8, "little", signed=True))
        self._hash.update(elements.astype("<f8", copy=False).tobytes())
        self._n += 1
        self._times = (t_us if self._times is None else self._times[0], t_us)

    def digest(self) -> SeriesDigest:
        """Return what was hashed so far."""
        first_t, last_t = self._times or (None, None)
        return SeriesDigest(self._n, first_t, last_t, self._hash.digest())


def digest_of(t_us: I64, raw: F64) -> SeriesDigest:
    """Hash a whole series, in any order."""
    order = np.lexsort((raw.view(np.int64), t_us))
    series = SeriesHash()
    series.add(t_us[order], raw[order])
    return series.digest()


def manifest_digest(series: Iterable[tuple[UUID, int, bytes]]) -> bytes:
    """Hash the (sensor, count, SHA-256) of a capture's sensors, in the order of the sensors' ids."""
    whole = hashlib.sha256()
    for sensor_id, count, sha256 in sorted(series, key=lambda one: one[0].bytes):
        whole.update(sensor_id.bytes + count.to_bytes(8, "little") + sha256)
    return whole.digest()
