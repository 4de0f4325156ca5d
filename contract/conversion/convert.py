"""Raw values to physical values, on arrays only: a single sample is an array of length 1."""

from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from contract.conversion.profile import Linear, Profile, Range, Table

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
I32 = npt.NDArray[np.int32]
U8 = npt.NDArray[np.uint8]


class Status(IntEnum):
    """What became of a sample in conversion; its code in arrays, its lower-case name on the wire."""

    OK = 0
    OUT_OF_RANGE = 1
    CONVERSION_ERROR = 2
    NO_PROFILE = 3


class ProfileVersion(NamedTuple):
    """A published profile and when it applies: valid_from_us ≤ t < valid_to_us (µs since 1970); None is without end."""

    version: int
    valid_from_us: int | None
    valid_to_us: int | None
    profile: Profile


class Converted(NamedTuple):
    """Physical values (NaN where there is none), status codes and profile versions (0 = none), all of raw's shape."""

    physical: F64
    status: U8
    version: I32


def convert(profile: Profile, raw: F64) -> tuple[F64, U8]:
    """Convert raw values, shape (n,), to physical values and status codes of the same shape.

    Outside `input_range`: `OUT_OF_RANGE`, the physical value is computed all the same. Outside a table that rejects
    extrapolation: `OUT_OF_RANGE`, physical NaN. Raw or result not finite: `CONVERSION_ERROR`, physical NaN. Elements do
    not influence each other, and only operations that IEEE 754 rounds correctly are used, so that every machine and
    every array length give the same bits.
    """
    with np.errstate(all="ignore"):
        match profile:
            case Linear():
                physical = raw * profile.slope
                physical += profile.intercept
                outside = np.zeros(raw.shape, dtype=np.bool_)
            case Table():
                physical, outside = _interpolate(profile, raw)
    failed = ~(np.isfinite(raw) & (np.isfinite(physical) | outside))
    status = _outside(profile.input_range, raw) | outside
    codes = status.astype(np.uint8)  # True is 1, OUT_OF_RANGE
    codes[failed] = Status.CONVERSION_ERROR
    physical[failed] = np.nan
    return physical, codes


def convert_at(versions: Sequence[ProfileVersion], t_us: I64, raw: F64) -> Converted:
    """Convert each sample with the version valid at its own t; t_us and raw have shape (n,).

    Version 1 is valid from the beginning; where several versions are valid the highest applies; where none is, the
    status is `NO_PROFILE`, the version 0 and the physical value NaN.
    """
    ordered = sorted(versions, key=lambda v: v.version, reverse=True)
    result = Converted(
        np.full(raw.shape, np.nan), np.full(raw.shape, Status.NO_PROFILE, dtype=np.uint8), np.zeros(raw.shape, np.int32)
    )
    waiting = np.ones(raw.shape, dtype=np.bool_)
    for version in ordered:
        valid = waiting & _valid(version, t_us)
        if not valid.any():
            continue
        if valid.all():
            physical, status = convert(version.profile, raw)
            return Converted(physical, status, np.full(raw.shape, version.version, dtype=np.int32))
        result.physical[valid], result.status[valid] = convert(version.profile, raw[valid])
        result.version[valid] = version.version
        waiting &= ~valid
        if not waiting.any():
            break
    return result


def _interpolate(table: Table, raw: F64) -> tuple[F64, npt.NDArray[np.bool_]]:
    knots = table.knots
    low, high = knots.raw[0], knots.raw[-1]
    x = np.clip(raw, low, high) if table.extrapolation == "clamp" else raw
    left = np.clip(np.searchsorted(knots.raw, x, side="right") - 1, 0, len(knots.slope) - 1)
    physical = x - knots.raw[left]
    physical *= knots.slope[left]
    physical += knots.physical[left]
    # The last knot has no interval of its own: without this it would be off by rounding, every other knot is exact.
    physical[x == high] = knots.physical[-1]
    outside = np.zeros(raw.shape, dtype=np.bool_)
    if table.extrapolation == "reject":
        outside = (raw < low) | (raw > high)
        physical[outside] = np.nan
    return physical, outside


def _outside(limits: Range | None, raw: F64) -> npt.NDArray[np.bool_]:
    if limits is None:
        return np.zeros(raw.shape, dtype=np.bool_)
    return (raw < limits[0]) | (raw > limits[1])


def _valid(version: ProfileVersion, t_us: I64) -> npt.NDArray[np.bool_]:
    valid = np.ones(t_us.shape, dtype=np.bool_)
    if version.valid_from_us is not None and version.version != 1:
        valid &= t_us >= version.valid_from_us
    if version.valid_to_us is not None:
        valid &= t_us < version.valid_to_us
    return valid
