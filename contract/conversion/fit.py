"""The fitting of profiles to reference pairs: what a sensor read beside what was truly there."""

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

import numpy as np

from contract.conversion.convert import F64, convert
from contract.conversion.profile import MAX_KNOTS, Extrapolation, Linear, Profile, Table

MAX_PAIRS: Final = 100_000

Pair = tuple[float, float]
Course = Literal["rising", "falling", "neither"]


class PairsInvalid(ValueError):
    """The reference pairs give no profile; `loc` is the place of the first pair that is wrong, where one is."""

    def __init__(self, msg: str, loc: tuple[int, ...] = ()) -> None:
        super().__init__(msg)
        self.msg = msg
        self.loc = loc


class LinearFit(NamedTuple):
    """The straight line nearest to the pairs.

    `residuals` is the pairs' physical less the profile's, in the pairs' order; `r_squared` the share of the physical
    values' variance that the line explains, None where they do not vary.
    """

    profile: Linear
    residuals: F64
    largest_residual: float
    r_squared: float | None


class TableFit(NamedTuple):
    """The table through the pairs; a raw value's physical one is the mean where the raw value was read repeatedly.

    `residuals` as in LinearFit: zero for raw values read once. `course` says whether physical always rises or always
    falls with raw.
    """

    profile: Table
    residuals: F64
    largest_residual: float
    course: Course


def fit_linear(pairs: Sequence[Pair]) -> LinearFit:
    """Fit a line to (raw, physical) pairs by least squares; raise `PairsInvalid`. It takes two distinct raw values."""
    raw, physical = _columns(pairs)
    if (raw == raw[0]).all():
        raise PairsInvalid("A line needs pairs with at least two different raw values")
    # Scaled by powers of two, which rounds nothing, so that squares neither overflow nor vanish; centred, so that a
    # small slope far from zero is not lost.
    x, x_exponent = _scaled(raw)
    y, y_exponent = _scaled(physical)
    dx, dy = _centred(x), _centred(y)
    slope = (dx * dy).sum() / (dx * dx).sum()
    intercept = (y - slope * x).mean()
    with np.errstate(over="ignore"):
        profile = Linear(float(np.ldexp(slope, y_exponent - x_exponent)), float(np.ldexp(intercept, y_exponent)))
    residuals = _residuals(profile, raw, physical)
    spread = (dy * dy).sum()
    unexplained = (np.ldexp(residuals, -y_exponent) ** 2).sum()
    r_squared = None if spread == 0 else max(0.0, 1.0 - float(unexplained / spread))
    return LinearFit(profile, residuals, float(np.abs(residuals).max()), r_squared)


def fit_table(pairs: Sequence[Pair], extrapolation: Extrapolation = "clamp") -> TableFit:
    """Put a table through (raw, physical) pairs; raise `PairsInvalid`. It takes 2 to MAX_KNOTS distinct raw values."""
    raw, physical = _columns(pairs)
    knots, first, place, count = np.unique(raw, return_index=True, return_inverse=True, return_counts=True)
    if not 2 <= len(knots) <= MAX_KNOTS:
        raise PairsInvalid(f"A table needs 2 to {MAX_KNOTS} different raw values, not {len(knots)}")
    # The mean as the first value and the mean distance from it: equal values have exactly that value for their mean.
    with np.errstate(over="ignore", invalid="ignore"):
        means = physical[first] + np.bincount(place, weights=physical - physical[first][place]) / count
    profile = Table(tuple(zip(knots.tolist(), means.tolist(), strict=True)), extrapolation)
    residuals = _residuals(profile, raw, physical)
    return TableFit(profile, residuals, float(np.abs(residuals).max()), _course(means))


def _columns(pairs: Sequence[Pair]) -> tuple[F64, F64]:
    if not 2 <= len(pairs) <= MAX_PAIRS:
        raise PairsInvalid(f"A fit needs 2 to {MAX_PAIRS} pairs, not {len(pairs)}")
    raw, physical = np.array(pairs, dtype=np.float64).T.copy()
    wrong = np.flatnonzero(~(np.isfinite(raw) & np.isfinite(physical)))
    if wrong.size:
        raise PairsInvalid("A pair is two finite numbers, raw and physical", (int(wrong[0]),))
    return raw, physical


def _scaled(values: F64) -> tuple[F64, int]:
    exponent = int(np.frexp(np.abs(values).max())[1])
    return np.ldexp(values, -exponent), exponent


def _centred(values: F64) -> F64:
    centred = values - values.mean()
    return centred - centred.mean()  # once more, since the mean itself was rounded


def _residuals(profile: Profile, raw: F64, physical: F64) -> F64:
    with np.errstate(over="ignore"):
        residuals = physical - convert(profile, raw)[0]
    if not np.isfinite(residuals).all():  # a slope or a mean that is not finite leaves none that are
        raise PairsInvalid("The physical values lie too far apart for floating-point numbers")
    return residuals


def _course(physical: F64) -> Course:
    steps = np.sign(np.diff(physical))
    if (steps > 0).all():
        return "rising"
    return "falling" if (steps < 0).all() else "neither"
