"""What an expression may come to on a machine that rounds: bounds by decimal arithmetic of 60 digits.

Python itself evaluates the text, with an `Interval` for each number. Each operation gives the hull of the exact results
over its operands' bounds, widened by what the machine may be off in that one operation: half an ulp for + - * / and
sqrt, 8 ulp for a whole power (at most 15 half ulps, one for each multiplication), 4 ulp for the others. So by induction
over the text the machine's value lies within the bounds, however badly conditioned the expression is.
"""

import math
import re
from collections.abc import Callable
from decimal import Context, Decimal, localcontext
from itertools import product
from typing import Any, TypeAlias

Exact: TypeAlias = Callable[..., Decimal]

_DIGITS = Context(prec=60, Emax=10**6, Emin=-(10**6), traps=[])
_LARGEST = Decimal("1.7e308")
_PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494459230781640628620899")
_NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?:e[+-]?\d+)?")


class Unsure(Exception):
    """There is no value, or the bounds lie on both sides of a jump."""


class Interval:
    """Bounds of a value."""

    def __init__(self, low: Decimal, high: Decimal) -> None:
        self.low, self.high = low, high

    @classmethod
    def of(cls, value: float) -> "Interval":
        return cls(Decimal(value), Decimal(value))

    def __contains__(self, value: float) -> bool:
        return self.low <= Decimal(value) <= self.high

    def __neg__(self) -> "Interval":
        return Interval(self.high.copy_negate(), self.low.copy_negate())  # the sign - would round to 60 digits

    def __add__(self, other: "Interval") -> "Interval":
        return _corners(lambda a, b: a + b, 0.5, self, other)

    def __sub__(self, other: "Interval") -> "Interval":
        return _corners(lambda a, b: a - b, 0.5, self, other)

    def __mul__(self, other: "Interval") -> "Interval":
        return _corners(lambda a, b: a * b, 0.5, self, other)

    def __truediv__(self, other: "Interval") -> "Interval":
        _need(other.low > 0 or other.high < 0)
        return _corners(lambda a, b: a / b, 0.5, self, other)

    def __pow__(self, other: "Interval") -> "Interval":
        if other.low == other.high and other.low == other.low.to_integral_value() and 0 <= other.low <= 16:
            base = _absolute(self) if other.low % 2 == 0 else self
            return _corners(lambda a: a ** int(other.low) if other.low else Decimal(1), 8, base)
        _need(self.low > 0)
        return _corners(lambda a, b: (b * a.ln()).exp(), 4, self, other)

    def __lt__(self, other: "Interval") -> bool:
        _need(self.high < other.low or self.low >= other.high)
        return self.high < other.low

    def __le__(self, other: "Interval") -> bool:
        return not other < self

    def __gt__(self, other: "Interval") -> bool:
        return other < self

    def __ge__(self, other: "Interval") -> bool:
        return not self < other

    def __eq__(self, other: object) -> bool:
        assert isinstance(other, Interval)
        alike = self.low == self.high == other.low == other.high
        _need(alike or self.high < other.low or other.high < self.low)
        return alike

    __hash__ = None


def bounds(text: str, x: float, constants: dict[str, float]) -> Interval:
    """Bound what the expression comes to at x; raise `Unsure` where that cannot be told."""
    names: dict[str, Any] = {name: Interval.of(value) for name, value in constants.items()}
    names |= {"x": Interval.of(x), "pi": Interval.of(math.pi), "e": Interval.of(math.e), "number": Interval.of}
    with localcontext(_DIGITS):
        return eval(_NUMBER.sub(r"number(\g<0>)", text), _FUNCTIONS | names)  # noqa: S307 - the test's own text


def _need(condition: bool) -> None:
    if not condition:
        raise Unsure


def _corners(exact: Exact, ulps: float, *operands: Interval) -> Interval:
    """Take the hull over the corners, which is the whole hull where the function rises or falls in each operand."""
    values = [exact(*corner) for corner in product(*({operand.low, operand.high} for operand in operands))]
    return _widened(min(values), max(values), ulps)


def _widened(low: Decimal, high: Decimal, ulps: float) -> Interval:
    size = max(abs(low), abs(high))
    _need(size < _LARGEST)
    if not ulps:
        return Interval(low, high)
    # An ulp is at most 2⁻⁵² of the value, or 2⁻¹⁰⁷⁴ where values are subnormal; twice that for the hull's own digits.
    margin = Decimal(ulps) * (size * Decimal(2) ** -52 + 2 * Decimal(2) ** -1074)
    return Interval(low - margin, high + margin)


def _absolute(value: Interval) -> Interval:
    if value.low > 0:
        return value
    return -value if value.high < 0 else Interval(Decimal(0), max((-value).high, value.high))


def _sin_of(d: Decimal) -> Decimal:
    _need(abs(d) < 10**9)
    d %= 2 * _PI
    term, total, n = d, d, 1
    while abs(term) > Decimal(10) ** -58:
        n += 2
        term *= -d * d / (n * (n - 1))
        total += term
    return total


def _atan_of(d: Decimal) -> Decimal:
    if abs(d) > 1:
        return (_PI / 2).copy_sign(d) - _atan_of(1 / d)
    for _ in range(4):
        d /= 1 + (1 + d * d).sqrt()
    term, total, n = d, d, 1
    while abs(term) > Decimal(10) ** -70:
        n += 2
        term *= -d * d
        total += term / n
    return total * 16


def _asin_of(d: Decimal) -> Decimal:
    return (_PI / 2).copy_sign(d) if abs(d) == 1 else _atan_of(d / (1 - d * d).sqrt())


def _sinh_of(d: Decimal) -> Decimal:
    # 60 digits leave 40 after cancellation where it matters; below, the series has its first terms only.
    return d + d**3 / 6 + d**5 / 120 if abs(d) < Decimal(10) ** -10 else (d.exp() - (-d).exp()) / 2


def _rising(exact: Exact, ulps: float = 4, *, low: float = -math.inf, high: float = math.inf) -> Any:
    def function(value: Interval) -> Interval:
        _need(value.low >= Decimal(low) and value.high <= Decimal(high))
        return _corners(exact, ulps, value)

    return function


def _wave(shift: Decimal) -> Any:
    def function(value: Interval) -> Interval:
        middle, radius = (value.low + value.high) / 2, (value.high - value.low) / 2
        there = _sin_of(middle + shift)  # its slope is 1 at most
        return _widened(there - radius, there + radius, 4)

    return function


def _tan(value: Interval) -> Interval:
    cosines = [_sin_of(d + _PI / 2) for d in (value.low, value.high)]
    _need(value.high - value.low < 1 and min(cosines) * max(cosines) > 0)
    return _corners(lambda d: _sin_of(d) / _sin_of(d + _PI / 2), 4, value)


def _atan2(y: Interval, x: Interval) -> Interval:
    _need(x.low > 0)
    return _corners(lambda a, b: _atan_of(a / b), 4, y, x)


def _hypot(a: Interval, b: Interval) -> Interval:
    return _corners(lambda c, d: (c * c + d * d).sqrt(), 4, _absolute(a), _absolute(b))


def _least(*values: Interval) -> Interval:
    return Interval(min(v.low for v in values), min(v.high for v in values))


def _greatest(*values: Interval) -> Interval:
    return Interval(max(v.low for v in values), max(v.high for v in values))


def _poly(x: Interval, *coefficients: Interval) -> Interval:
    *others, total = coefficients
    for coefficient in reversed(others):
        total = total * x + coefficient
    return total


def _log_of(base: int) -> Exact:
    return lambda d: d.ln() / Decimal(base).ln()


_FUNCTIONS: dict[str, Any] = {
    "sqrt": _rising(Decimal.sqrt, 0.5, low=0),
    "cbrt": _rising(lambda d: (abs(d).ln() / 3).exp().copy_sign(d) if d else d),
    "exp": _rising(Decimal.exp, low=-1e4, high=1e4),
    "log": _rising(Decimal.ln, low=5e-324),
    "log10": _rising(Decimal.log10, low=5e-324),
    "log2": _rising(_log_of(2), low=5e-324),
    "sin": _wave(Decimal(0)),
    "cos": _wave(_PI / 2),
    "tan": _tan,
    "asin": _rising(_asin_of, low=-1, high=1),
    "acos": _rising(lambda d: _PI / 2 - _asin_of(d), low=-1, high=1),
    "atan": _rising(_atan_of),
    "atan2": _atan2,
    "sinh": _rising(_sinh_of, low=-1e4, high=1e4),
    "cosh": lambda value: _rising(lambda d: (d.exp() + (-d).exp()) / 2, high=1e4)(_absolute(value)),
    "tanh": _rising(lambda d: _sinh_of(d) / (d.exp() + (-d).exp()) * 2, low=-1e4, high=1e4),
    "hypot": _hypot,
    "abs": _absolute,
    "sign": _rising(lambda d: Decimal((d > 0) - (d < 0)), 0),
    "floor": _rising(lambda d: d.to_integral_value("ROUND_FLOOR"), 0),
    "ceil": _rising(lambda d: d.to_integral_value("ROUND_CEILING"), 0),
    "round": _rising(lambda d: d.to_integral_value("ROUND_HALF_EVEN"), 0),
    "min": _least,
    "max": _greatest,
    "clip": lambda value, low, high: _least(_greatest(value, low), high),
    "poly": _poly,
    "where": lambda condition, first, second: first if condition else second,
}
