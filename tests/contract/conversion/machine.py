"""Prints what the profiles below make of fixed raw values: run it on two machines to compare them."""

import json
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from contract.conversion.convert import convert
from contract.conversion.functions import FUNCTIONS
from contract.conversion.profile import parse_profile

# Not by **, which would itself differ from machine to machine.
_STEPS = np.arange(-2000, 2000) * 0.123 + 0.001
RAW = _STEPS * _STEPS * _STEPS

EXACT: Mapping[str, Any] = {
    "linear": {"kind": "linear", "slope": 0.1, "intercept": -3.7},
    "table": {"kind": "table", "points": [[-1e6, 3.1], [-1, 0.3], [0.7, 0.1], [1e6, 7.7]], "extrapolation": "linear"},
} | {
    text: {"kind": "custom", "expression": text}
    for text in (
        "0.1*x**16 - x**3/7",
        "poly(x, 0.1, 0.2, 0.3, 0.4)",
        "sqrt(abs(x)) + sign(x)*floor(x/3) - ceil(x/7) + round(x/11)",
        "where(x < 0.3 and not x == 0, min(x, -x, 3.3), max(x/3, 1.1)) + clip(x, -1.1, 9.9)",
        "1/min(x - x, -(x - x))",
    )
}

ROUGH: Mapping[str, Any] = {
    text: {"kind": "custom", "expression": text}
    for text in (
        *("cbrt(x)", "exp(x/1000)", "sin(x)", "cos(x)", "tan(x)", "atan(x)", "sinh(x/1000)", "cosh(x/1000)", "tanh(x)"),
        *("log(abs(x))", "log10(abs(x))", "log2(abs(x))", "asin(clip(x, -1, 1))", "acos(clip(x, -1, 1))"),
        *("atan2(x, 3)", "hypot(x, 3)", "abs(x)**1.7", "2**(x/1000)"),
    )
}


def converted() -> dict[str, list[str]]:
    """Convert RAW with each profile; values as hexadecimal text, so that nothing is lost."""
    return {
        name: [value.hex() for value in convert(parse_profile(payload), RAW)[0].tolist()]
        for name, payload in (EXACT | ROUGH).items()
    }


def covered() -> set[str]:
    """Name the functions that occur."""
    return {name for name in FUNCTIONS if any(f"{name}(" in text for text in EXACT | ROUGH)}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(converted()))
