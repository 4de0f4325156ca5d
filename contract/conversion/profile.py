"""The conversion profiles and their reading out of a payload."""

import keyword
import math
import re
from collections.abc import Mapping
from functools import cached_property
from itertools import pairwise
from typing import Final, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from contract.conversion.expression import BUILT_IN, ExpressionInvalid
from contract.conversion.functions import FUNCTIONS
from contract.conversion.program import Program, compiled

MAX_KNOTS: Final = 4096
MAX_CONSTANTS: Final = 50
MAX_NAME: Final = 32

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")

Extrapolation = Literal["clamp", "linear", "reject"]
Range = tuple[float, float]


class ProfileInvalid(ValueError):
    """The payload is no conversion profile."""

    def __init__(self, loc: tuple[str | int, ...], msg: str) -> None:
        super().__init__(f"{'.'.join(map(str, loc)) or 'profile'}: {msg}")
        self.loc = loc
        self.msg = msg


class Linear(msgspec.Struct, frozen=True, tag_field="kind", tag="linear", forbid_unknown_fields=True):
    """physical = slope · raw + intercept, each operation rounded by itself."""

    slope: float
    intercept: float
    input_range: Range | None = None


class Knots(msgspec.Struct, frozen=True):
    """A table's columns and the slope of the line that begins at each point, the last one's continued; shape (k,)."""

    raw: npt.NDArray[np.float64]
    physical: npt.NDArray[np.float64]
    slope: npt.NDArray[np.float64]


class Table(msgspec.Struct, frozen=True, dict=True, tag_field="kind", tag="table", forbid_unknown_fields=True):
    """Straight lines between (raw, physical) points, which are sorted by raw, each raw once, two at least."""

    points: tuple[tuple[float, float], ...]
    extrapolation: Extrapolation = "clamp"
    input_range: Range | None = None

    @cached_property
    def knots(self) -> Knots:
        """Hold the points as arrays, built once."""
        raw, physical = np.array(self.points, dtype=np.float64).T.copy()
        with np.errstate(all="ignore"):
            slope = np.diff(physical) / np.diff(raw)
        return Knots(raw, physical, np.append(slope, slope[-1]))


class Custom(msgspec.Struct, frozen=True, dict=True, tag_field="kind", tag="custom", forbid_unknown_fields=True):
    """physical = an expression of the raw value x and named constants."""

    expression: str
    constants: dict[str, float] = {}
    input_range: Range | None = None

    @cached_property
    def program(self) -> Program:
        """Hold the compiled expression; raises `ExpressionInvalid`."""
        return compiled(self.expression, self.constants)


Profile = Linear | Table | Custom


def parse_profile(payload: Mapping[str, object]) -> Profile:
    """Read a profile's payload; a table's points are sorted by raw. Raise `ProfileInvalid` with where and what."""
    try:
        profile: Profile = msgspec.convert(dict(payload), Profile)
    except msgspec.ValidationError as error:
        raise _located(error) from None
    _check_range(profile.input_range)
    match profile:
        case Linear():
            _check_finite(profile.slope, ("slope",))
            _check_finite(profile.intercept, ("intercept",))
            return profile
        case Table():
            return _checked_table(profile)
        case Custom():
            _check_constants(profile.constants)
            try:
                profile.program  # noqa: B018 - compiles it
            except ExpressionInvalid as error:
                raise ProfileInvalid(("expression",), str(error)) from None
            return profile


def _checked_table(table: Table) -> Table:
    if not 2 <= len(table.points) <= MAX_KNOTS:
        raise ProfileInvalid(("points",), f"A table needs 2 to {MAX_KNOTS} points, not {len(table.points)}")
    for i, point in enumerate(table.points):
        for j, value in enumerate(point):
            _check_finite(value, ("points", i, j))
    order = sorted(range(len(table.points)), key=lambda i: table.points[i][0])
    for before, after in pairwise(order):
        if table.points[before][0] == table.points[after][0]:
            raise ProfileInvalid(
                ("points", max(before, after), 0), f"Raw value {table.points[after][0]} appears more than once"
            )
    table = msgspec.structs.replace(table, points=tuple(table.points[i] for i in order))
    steep = np.flatnonzero(~np.isfinite(table.knots.slope))
    if steep.size:
        at = order[int(steep[0]) + 1]
        raise ProfileInvalid(
            ("points", at), "The line from the point before it is too steep for a floating-point number"
        )
    return table


def _check_constants(constants: Mapping[str, float]) -> None:
    if len(constants) > MAX_CONSTANTS:
        raise ProfileInvalid(("constants",), f"An expression has at most {MAX_CONSTANTS} constants")
    for name, value in constants.items():
        if not _NAME.fullmatch(name) or len(name) > MAX_NAME:
            raise ProfileInvalid(
                ("constants", name), f"A name is a letter, then letters, digits and _, at most {MAX_NAME} in all"
            )
        if name in BUILT_IN or name in FUNCTIONS or keyword.iskeyword(name):
            raise ProfileInvalid(("constants", name), f"{name} has a meaning already; choose another name")
        _check_finite(value, ("constants", name))


def _check_range(limits: Range | None) -> None:
    if limits is None:
        return
    low, high = limits
    _check_finite(low, ("input_range", 0))
    _check_finite(high, ("input_range", 1))
    if low > high:
        raise ProfileInvalid(("input_range",), f"The lower limit {low} lies above the upper limit {high}")


def _check_finite(value: float, loc: tuple[str | int, ...]) -> None:
    if not math.isfinite(value):
        raise ProfileInvalid(loc, "Must be a finite number")


def _located(error: msgspec.ValidationError) -> ProfileInvalid:
    """Split msgspec's "Expected `float`, got `str` - at `$.points[0][1]`" into place and message."""
    text, _, path = str(error).partition(" - at ")
    parts: list[str | int] = [
        int(index) if index else name for name, index in re.findall(r"\.([A-Za-z_]\w*)|\[(\d+)\]", path)
    ]
    if not parts and (missing := re.search(r"field `(\w+)`", text)):
        parts = [missing[1]]
    return ProfileInvalid(tuple(parts), text)
