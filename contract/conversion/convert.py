"""Raw values to physical values, on arrays only: a single sample is an array of length 1."""

from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from contract.conversion.profile import Custom, Linear, Profile, Range, Table

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
I32 = npt.NDArray[np.int32]
U8 = npt.NDArray[np.uint8]

_Limits: TypeAlias = tuple[F64, F64] | Range | None
_UNBOUNDED = (-np.inf, np.inf)
_NO_LINE = Linear(1.0, 0.0)


class Status(IntEnum):
    """What became of a sample in conversion; its code in arrays, its lower-case name on the wire."""

    OK = 0
    OUT_OF_RANGE = 1
    CONVERSION_ERROR = 2
    NO_PROFILE = 3


class ProfileVersion(NamedTuple):
    """A published profile and when it applies: valid_from_us ≤ t < valid_to_us (µs since 1970).

    None is the beginning and no end.
    """

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
    not influence each other: every array length gives the same bits. Lines and tables use only operations that IEEE 754
    rounds correctly, so that every machine gives the same bits too; a function in an expression may differ by 4 ulp.
    """
    match profile:
        case Linear():
            return _line(profile.slope, profile.intercept, profile.input_range, raw)
        case Table():
            with np.errstate(all="ignore"):
                physical, outside = _interpolate(profile, raw)
            failed = ~(np.isfinite(raw) & (np.isfinite(physical) | outside))
            return _coded(physical, failed, _beyond(profile.input_range, raw) | outside)
        case Custom():
            physical = profile.program(raw)
            return _coded(physical, ~(np.isfinite(raw) & np.isfinite(physical)), _beyond(profile.input_range, raw))


def convert_at(versions: Sequence[ProfileVersion], t_us: I64, raw: F64) -> Converted:
    """Convert each sample with the version valid at its own t; t_us and raw have shape (n,).

    Where several versions are valid the highest applies; where none is, the status is `NO_PROFILE`, the version 0 and
    the physical value NaN.
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


def convert_each(versions: Sequence[Sequence[ProfileVersion]], counts: I64, t_us: I64, raw: F64) -> Converted:
    """Convert consecutive series, each by its own versions: what `convert_at` gives on each, but in a few operations.

    Series i has the next counts[i] > 0 elements of t_us and raw, shape (n,).
    """
    starts = np.cumsum(counts) - counts
    sole = _sole_versions(versions, starts, t_us)
    lines = [one.profile if one is not None and isinstance(one.profile, Linear) else _NO_LINE for one in sole]
    limits = None
    if any(line.input_range is not None for line in lines):
        low, high = np.array([line.input_range or _UNBOUNDED for line in lines]).T
        limits = np.repeat(low, counts), np.repeat(high, counts)
    physical, status = _line(
        np.repeat(np.array([line.slope for line in lines], np.float64), counts),
        np.repeat(np.array([line.intercept for line in lines], np.float64), counts),
        limits,
        raw,
    )
    version = np.repeat(np.array([0 if one is None else one.version for one in sole], np.int32), counts)
    result = Converted(physical, status, version)
    for i, one in enumerate(sole):
        if one is None or not isinstance(one.profile, Linear):
            part = slice(int(starts[i]), int(starts[i] + counts[i]))
            converted = convert_at(versions[i], t_us[part], raw[part])
            result.physical[part], result.status[part], result.version[part] = converted
    return result


def _sole_versions(
    versions: Sequence[Sequence[ProfileVersion]], starts: I64, t_us: I64
) -> Sequence[ProfileVersion | None]:
    """Return the one version that applies to all of a series, for each; None where it is not one alone."""
    if all(len(history) == 1 and _endless(history[0]) for history in versions):
        return [history[0] for history in versions]
    first, last = np.minimum.reduceat(t_us, starts), np.maximum.reduceat(t_us, starts)
    return [_sole(*one) for one in zip(versions, first.tolist(), last.tolist(), strict=True)]


def _endless(version: ProfileVersion) -> bool:
    return version.valid_to_us is None and version.valid_from_us is None


def _sole(versions: Sequence[ProfileVersion], first_us: int, last_us: int) -> ProfileVersion | None:
    for version in sorted(versions, key=lambda v: v.version, reverse=True):
        start, end = version.valid_from_us, version.valid_to_us
        if (start is None or start <= first_us) and (end is None or last_us < end):
            return version
        if (start is None or start <= last_us) and (end is None or first_us < end):
            return None
    return None


def _line(
    slope: F64 | float, intercept: F64 | float, limits: tuple[F64, F64] | Range | None, raw: F64
) -> tuple[F64, U8]:
    with np.errstate(all="ignore"):
        physical = raw * slope
        physical += intercept
    # A raw value that is not finite gives no finite physical value, whatever the slope: 0 × ∞ is NaN.
    return _coded(physical, ~np.isfinite(physical), _beyond(limits, raw))


def _coded(physical: F64, failed: npt.NDArray[np.bool_], outside: npt.NDArray[np.bool_]) -> tuple[F64, U8]:
    codes = outside.astype(np.uint8)  # True is 1, OUT_OF_RANGE
    if failed.any():
        codes[failed] = Status.CONVERSION_ERROR
        physical[failed] = np.nan
    return physical, codes


def _interpolate(table: Table, raw: F64) -> tuple[F64, npt.NDArray[np.bool_]]:
    knots = table.knots
    low, high = knots.raw[0], knots.raw[-1]
    x = np.clip(raw, low, high) if table.extrapolation == "clamp" else raw
    # The knot below, or the first: each knot begins its own line, so that all knots come out exactly, the last one too.
    left = np.searchsorted(knots.raw[1:], x, side="right")
    physical = x - knots.raw.take(left)
    physical *= knots.slope.take(left)
    physical += knots.physical.take(left)
    outside = np.zeros(raw.shape, dtype=np.bool_)
    if table.extrapolation == "reject":
        outside = (raw < low) | (raw > high)
        physical[outside] = np.nan
    return physical, outside


def _beyond(limits: _Limits, raw: F64) -> npt.NDArray[np.bool_]:
    if limits is None:
        return np.zeros(raw.shape, dtype=np.bool_)
    return (raw < limits[0]) | (raw > limits[1])


def _valid(version: ProfileVersion, t_us: I64) -> npt.NDArray[np.bool_]:
    valid = np.ones(t_us.shape, dtype=np.bool_)
    if version.valid_from_us is not None:
        valid &= t_us >= version.valid_from_us
    if version.valid_to_us is not None:
        valid &= t_us < version.valid_to_us
    return valid
