"""The functions and operators of an expression, each on arrays."""

from collections.abc import Callable, Mapping
from functools import reduce
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

F64: TypeAlias = npt.NDArray[np.float64]
Compute: TypeAlias = Callable[..., Any]

MAX_MULTIPLIED: Final = 16


class Function(NamedTuple):
    """How a function is computed, and how many arguments it takes; `most` None is any number."""

    compute: Compute
    fewest: int = 1
    most: int | None = 1


def _least(*values: F64) -> F64:
    # Which of 0.0 and −0.0 is the lesser differs between processors; adding 0.0 makes both 0.0.
    return reduce(np.minimum, values) + 0.0


def _greatest(*values: F64) -> F64:
    return reduce(np.maximum, values) + 0.0


def _clip(value: F64, low: F64, high: F64) -> F64:
    return np.minimum(np.maximum(value, low), high) + 0.0


def _polynomial(x: F64, *coefficients: F64) -> F64:
    return reduce(lambda sum_, coefficient: sum_ * x + coefficient, reversed(coefficients))


def whole_power(exponent: int) -> Compute:
    """Return the power by multiplication: unlike `np.power`, the same bits on every machine. 2 to MAX_MULTIPLIED."""

    def power(base: F64) -> F64:
        left, square, product = exponent, base, None
        while True:
            if left & 1:
                product = square if product is None else product * square
            left >>= 1
            if not left:
                return base if product is None else product
            square = np.square(square)

    return power


FUNCTIONS: Final[Mapping[str, Function]] = MappingProxyType(
    {
        "sqrt": Function(np.sqrt),
        "cbrt": Function(np.cbrt),
        "exp": Function(np.exp),
        "log": Function(np.log),
        "log10": Function(np.log10),
        "log2": Function(np.log2),
        "sin": Function(np.sin),
        "cos": Function(np.cos),
        "tan": Function(np.tan),
        "asin": Function(np.arcsin),
        "acos": Function(np.arccos),
        "atan": Function(np.arctan),
        "atan2": Function(np.arctan2, 2, 2),
        "sinh": Function(np.sinh),
        "cosh": Function(np.cosh),
        "tanh": Function(np.tanh),
        "hypot": Function(np.hypot, 2, 2),
        "abs": Function(np.absolute),
        "sign": Function(np.sign),
        "floor": Function(np.floor),
        "ceil": Function(np.ceil),
        "round": Function(np.rint),
        "min": Function(_least, 2, None),
        "max": Function(_greatest, 2, None),
        "clip": Function(_clip, 3, 3),
        "poly": Function(_polynomial, 3, None),
        "where": Function(np.where, 3, 3),
    }
)

OPERATORS: Final[Mapping[str, Compute]] = MappingProxyType(
    {
        "+": np.add,
        "-": np.subtract,
        "*": np.multiply,
        "/": np.divide,
        "**": np.power,
        "neg": np.negative,
        "<": np.less,
        "<=": np.less_equal,
        ">": np.greater,
        ">=": np.greater_equal,
        "==": np.equal,
        "!=": np.not_equal,
        "and": np.logical_and,
        "or": np.logical_or,
        "not": np.logical_not,
    }
)
