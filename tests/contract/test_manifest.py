"""The hash of a series: the bytes that are documented, whatever the cuts and the order of arrival."""

import hashlib
import struct
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.manifest import SeriesHash, SeriesUnsorted, digest_of, manifest_digest

FLOATS = st.floats(allow_nan=False, allow_infinity=False)
SAMPLES = st.lists(st.tuples(st.integers(-5, 5), FLOATS), unique_by=lambda one: (one[0], struct.pack("<d", one[1])))


def hashed(samples: list[tuple[int, float]]) -> bytes:
    """Hash samples as the format is described, one by one."""
    ordered = sorted(samples, key=lambda one: (one[0], struct.unpack("<q", struct.pack("<d", one[1]))))
    return hashlib.sha256(b"".join(struct.pack("<qd", t, raw) for t, raw in ordered)).digest()


def columns(samples: list[tuple[int, float]]) -> tuple[np.ndarray, np.ndarray]:
    """Write samples as columns."""
    return np.array([t for t, _ in samples], np.int64), np.array([raw for _, raw in samples], np.float64)


@given(SAMPLES, st.lists(st.integers(0, 20)))
def test_neither_order_nor_cuts_matter(samples: list[tuple[int, float]], cuts: list[int]) -> None:
    t, raw = columns(samples)
    whole = digest_of(t, raw)
    assert whole.sha256 == hashed(samples)
    assert whole.n == len(samples)
    assert (whole.first_t, whole.last_t) == ((min(t), max(t)) if samples else (None, None))
    order = np.lexsort((raw.view(np.int64), t))
    pieces = SeriesHash()
    for part in np.split(order, sorted(min(cut, len(order)) for cut in cuts)):
        pieces.add(t[part], raw[part])
    assert pieces.digest() == whole


def test_every_bit_counts() -> None:
    t, raw = columns([(1, 0.0), (2, 0.0)])
    assert digest_of(t, raw) != digest_of(t, -raw)
    assert digest_of(t, raw).sha256 != digest_of(t + 1, raw).sha256


@pytest.mark.parametrize("samples", [[(2, 0.0), (1, 0.0)], [(1, 2.0), (1, 1.0)], [(1, 1.0), (1, 1.0)]])
def test_disorder_and_repeats_are_refused(samples: list[tuple[int, float]]) -> None:
    with pytest.raises(SeriesUnsorted):
        SeriesHash().add(*columns(samples))
    pieces = SeriesHash()
    pieces.add(*columns(samples[:1]))
    with pytest.raises(SeriesUnsorted):
        pieces.add(*columns(samples[1:]))


def test_a_manifest_is_hashed_in_the_order_of_sensors() -> None:
    first, second = (UUID(int=1), 3, b"a" * 32), (UUID(int=2), 0, b"b" * 32)
    assert manifest_digest([first, second]) == manifest_digest([second, first])
    text = first[0].bytes + struct.pack("<q", 3) + first[2] + second[0].bytes + struct.pack("<q", 0) + second[2]
    assert manifest_digest([first, second]) == hashlib.sha256(text).digest()
