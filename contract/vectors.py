"""Vector samples: one value is an array over a declared axis, a spectrum say.

Wherever a sample is a number its headline stands for the vector, so that vectors have times, ledgers, captures and
profiles like all samples; what tells two vectors apart is all of their elements.
"""

import hashlib
from typing import Final

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]

MAX_SIZE: Final = 16_384


def headline(vector: F64) -> float:
    """Return the number that stands for a vector, shape (n,), n > 0: its greatest element."""
    return float(vector.max())


def identity(vector: F64) -> int:
    """Return 64 bits that tell vectors apart by the bits of their elements."""
    digest = hashlib.sha256(vector.astype("<f8", copy=False).tobytes()).digest()
    return int.from_bytes(digest[:8], "little", signed=True)


def identities(raw: F64, vectors: dict[int, F64]) -> I64:
    """Return what tells samples of one sensor and time apart, shape (n,): the bits of raw, or of the vector.

    `vectors` is keyed by the sample's place in raw.
    """
    bits = raw.view(np.int64)
    if vectors:
        bits = bits.copy()
        for place, vector in vectors.items():
            bits[place] = identity(vector)
    return bits
