"""The compiling of an expression into array operations."""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, TypeAlias

import numpy as np

from contract.conversion.expression import Apply, ExpressionInvalid, Name, Node, Number, parse_expression
from contract.conversion.functions import (
    F64,
    FUNCTIONS,
    MAX_MULTIPLIED,
    OPERATORS,
    Compute,
    whole_power,
)
from contract.conversion.notation import written

# Intermediate results of 8192 samples stay in the processor's cache, and their memory does not grow with the input.
BLOCK: Final = 8192
CACHED: Final = 1024

_Part: TypeAlias = Callable[[F64], Any]


class Program:
    """An expression ready to run."""

    def __init__(self, tree: Node, constants: Mapping[str, float]) -> None:
        """Compile; raise `ExpressionInvalid` where a part without x is not finite."""
        found = _compiled(tree, {**constants, "pi": math.pi, "e": math.e})
        self._run: _Part = found if callable(found) else _always(found)

    def __call__(self, raw: F64) -> F64:
        """Compute the expression with raw, shape (n,), for x; where it has no value the result is NaN or infinite."""
        result = np.empty(raw.shape)
        with np.errstate(all="ignore"):
            for start in range(0, len(raw), BLOCK):
                block = slice(start, start + BLOCK)
                result[block] = self._run(np.ascontiguousarray(raw[block]))
        return result


def compiled(expression: str, constants: Mapping[str, float]) -> Program:
    """Return the program of an expression; the last ones used are kept. Raise `ExpressionInvalid`."""
    # As text, since 0.0 and −0.0 are equal but not the same.
    return _cached(expression, tuple((name, constants[name].hex()) for name in sorted(constants)))


@lru_cache(maxsize=CACHED)
def _cached(expression: str, constants: tuple[tuple[str, str], ...]) -> Program:
    values = {name: float.fromhex(value) for name, value in constants}
    return Program(parse_expression(expression, values), values)


def _compiled(node: Node, values: Mapping[str, float]) -> np.generic | _Part:
    """Compile a part: a function of x, or its value where x does not occur in it."""
    match node:
        case Number(value):
            return np.float64(value)
        case Name("x"):
            return _x
        case Name(name):
            return np.float64(values[name])
        case Apply(symbol, arguments):
            return _applied(node, symbol, [_compiled(argument, values) for argument in arguments])


def _applied(node: Node, symbol: str, parts: Sequence[np.generic | _Part]) -> np.generic | _Part:
    compute = OPERATORS[symbol] if symbol in OPERATORS else FUNCTIONS[symbol].compute
    if symbol == "**" and (exponent := _multiplied(parts[1])):
        compute, parts = whole_power(exponent), parts[:1]
    constants = [part for part in parts if not callable(part)]
    if len(constants) == len(parts):
        return _value(node, compute, constants)
    return _joined(compute, [part if callable(part) else _always(part) for part in parts])


def _multiplied(exponent: np.generic | _Part) -> int | None:
    """Return an exponent that is a constant whole number, small enough to multiply out."""
    if callable(exponent):
        return None
    value = float(exponent)
    return int(value) if value.is_integer() and 2 <= value <= MAX_MULTIPLIED else None


def _value(node: Node, compute: Compute, constants: Sequence[np.generic]) -> np.generic:
    with np.errstate(all="ignore"):
        value = compute(*(np.array([constant]) for constant in constants))[0]
    if not np.isfinite(value):
        raise ExpressionInvalid(f"{written(node)} is not a finite number")
    return value


def _joined(compute: Compute, parts: Sequence[_Part]) -> _Part:
    match parts:
        case [one]:
            return lambda x: compute(one(x))
        case [left, right]:
            return lambda x: compute(left(x), right(x))
        case _:
            return lambda x: compute(*[part(x) for part in parts])


def _x(x: F64) -> F64:
    return x


def _always(value: np.generic) -> _Part:
    return lambda _: value
