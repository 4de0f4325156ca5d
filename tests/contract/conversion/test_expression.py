import ast
import contextlib
import gc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.conversion.expression import (
    MAX_CHARACTERS,
    MAX_DEPTH,
    MAX_FUNCTIONS,
    MAX_PARTS,
    Apply,
    ExpressionInvalid,
    Name,
    Number,
    parse_expression,
)
from contract.conversion.functions import FUNCTIONS

X = Name("x")
WORDS = [*"xabe12()()(),,+-*/<>= \n", "**", "==", "<=", "0.5", "1e3", "pi", "and", "or", "not", "if", *FUNCTIONS]


def test_the_contract_s_example():
    assert parse_expression("a*x**2 + sqrt(x)", {"a": 0.1}) == Apply(
        "+", (Apply("*", (Name("a"), Apply("**", (X, Number(2.0))))), Apply("sqrt", (X,)))
    )


@pytest.mark.parametrize(
    ("text", "column", "says"),
    [
        ("", 1, "An expression is needed"),
        (" \n ", 1, "An expression is needed"),
        ("2*y", 3, "y is not known. Known are x, pi, e, a"),
        ("  \n y", 5, "y is not known"),
        ("x + _x", 5, "_x is not known"),
        ("x + sqrt", 5, "write sqrt(…)"),
        ("x + f(x)", 5, "f is no function. Allowed are"),
        ("__import__('os')", 12, "is not allowed"),
        ("x.real", 2, "is no number"),
        ("x[0]", 2, "'[' is not allowed"),
        ("{x}", 1, "'{' is not allowed"),
        ("f'x'", 2, "is not allowed"),
        ("x # x", 3, "'#' is not allowed"),
        ("x; x", 2, "';' is not allowed"),
        ("x := 1", 3, "':' is not allowed"),
        ("sqrt(x=1)", 7, "'=' is not allowed"),
        ("x\\\n+1", 2, "is not allowed"),
        ("x^2", 2, "Write ** for a power"),
        ("x//2", 2, "Write floor(a/b)"),
        ("x % 2", 3, "'%' is not allowed"),
        ("x @ x", 3, "'@' is not allowed"),
        ("~x", 1, "'~' is not allowed"),
        ("½*x", 1, "'½' is not allowed"),
        ("ｘ + 1", 1, "is not allowed"),  # the letter that Python would take for x
        ("x\0", 2, "is not allowed"),
        ("x if x < 1 else a", 3, "if is not allowed"),
        ("lambda x", 1, "lambda is not allowed"),
        ("x is x", 3, "is is not allowed"),
        ("True", 1, "True is not allowed"),
        ("None", 1, "None is not allowed"),
        ("2x", 1, "write 2*x"),
        ("x + 1_000", 5, "1_000 is no number"),
        ("0x1F", 1, "0x1F is no number"),
        ("1j", 1, "1j is no number"),
        ("1or x", 1, "1or is no number"),
        ("1e-3and", 1, "1e-3and is no number"),
        ("1.2.3", 1, "1.2.3 is no number"),
        ("x + 1e999", 5, "too large"),
        ("x + " + "9" * 400, 5, "too large"),
        ("x x", 3, "Invalid syntax"),
        ("(x", 1, "never closed"),
        ("x)", 2, "Unmatched"),
        ("(x) + x) + (x", 8, "Unmatched"),
        (" x + ", 5, "missing at the end"),
        ("x, x", 1, "This is not allowed"),
        ("()", 1, "This is not allowed"),
        ("2(x)", 1, "This is not allowed"),
        ("sqrt(x)(x)", 1, "This is not allowed"),
        ("sqrt()", 1, "sqrt takes 1 argument, not 0"),
        ("x + atan2(x)", 5, "atan2 takes 2 arguments, not 1"),
        ("min(x)", 1, "min takes 2 or more arguments, not 1"),
        ("min(*x, x)", 5, "This is not allowed"),
        ("poly(x, 1)", 1, "poly takes 3 or more arguments, not 2"),
        ("x < 1", 1, "first argument of where"),
        ("2 + (x < 1)", 6, "first argument of where"),
        ("not x", 1, "first argument of where"),
        ("x and x", 1, "first argument of where"),
        ("where(x, 1, 2)", 7, "such as x < 1"),
        ("where(x < 1 and x, 1, 2)", 17, "such as x < 1"),
        ("where(0 <= x < 1, 1, 2)", 7, "Write 0 <= x and x < 1"),
        ("where((x < 1) < 2, 1, 2)", 8, "first argument of where"),
        ("where(x < 1, x)", 1, "where takes 3 arguments, not 2"),
    ],
)
def test_anything_else_is_refused_with_its_column(text, column, says):
    with pytest.raises(ExpressionInvalid) as refused:
        parse_expression(text, {"a": 1.0})
    assert str(refused.value).startswith(f"Column {column}: ")
    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("most", "unit", "says"),
    [
        (MAX_CHARACTERS, lambda n: "x" + " " * (n - 1), f"{MAX_CHARACTERS} characters"),
        (MAX_PARTS, lambda n: f"poly({'x,' * (n - 2)}x)", f"{MAX_PARTS} numbers"),
        (MAX_DEPTH, lambda n: "x" + "+x" * (n - 1), f"{MAX_DEPTH} deep"),
        (MAX_DEPTH, lambda n: f"where(----------x<1{' and x<1' * (n - 13)}, x, x)", f"{MAX_DEPTH} deep"),
        (MAX_DEPTH, lambda n: "-" * (n - 1) + "x", f"{MAX_DEPTH} deep"),
        (MAX_FUNCTIONS, lambda n: f"poly(x,{'abs(x),' * (n - 2)}abs(x))", f"{MAX_FUNCTIONS} functions"),
        (MAX_FUNCTIONS, lambda n: f"poly(x,{'x**2,' * (n - 2)}x**2)", f"{MAX_FUNCTIONS} functions"),
    ],
)
def test_sizes_are_bounded(most, unit, says):
    parse_expression(unit(most), {})
    with pytest.raises(ExpressionInvalid, match=says):
        parse_expression(unit(most + 1), {})


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "bomb",
    [
        "(" * 1000,
        "-" * 999 + "x",
        "not " * 249 + "x",
        "sqrt(" * 199 + "x",
        "sqrt(" * 166 + "x" + ")" * 166,
        "x" + "**x" * 333,
        "x" + "<x" * 499,
        "," * 1000,
        "9" * 1000,
        "9" * 10_000_000,
        "(" * 10_000_000,
    ],
)
def test_bombs_are_refused_at_once(bomb):
    with pytest.raises(ExpressionInvalid):
        parse_expression(bomb, {})


@given(st.text() | st.lists(st.sampled_from(WORDS), max_size=40).map("".join) | st.text("x1.eE+-_ (", max_size=12))
def test_any_text_is_read_or_refused_by_name(text):
    with contextlib.suppress(ExpressionInvalid):
        assert isinstance(parse_expression(text, {"a": 1.0, "b": 2.0}), Number | Name | Apply)


class Dying:
    """What only the garbage collector ends, with a traceback to be written."""

    def __init__(self):
        self.itself = self

    def __del__(self):
        raise RuntimeError


def test_a_finalizer_that_writes_a_traceback_meanwhile_does_not_matter(monkeypatch):
    """Python 3.11 parses source for each traceback, and before 3.13 no two parses may lie within each other."""
    reported = []
    monkeypatch.setattr("sys.unraisablehook", lambda _: reported.append(ast.parse("1 + 2 * (3 - x)")))
    before = gc.get_threshold()
    gc.freeze()  # what other tests left would be looked through each time
    try:
        for allocations in range(20, 200, 3):
            gc.set_threshold(0)
            gc.collect()
            Dying()
            gc.set_threshold(allocations)  # so that it strikes here and there within the parsing
            parse_expression("a*x**2 + sqrt(x) - 1.5*(x + a)/(x - a) + exp(-x) + a*x**2 + sqrt(x) - 1.5*(x + a)", "a")
    finally:
        gc.collect()
        gc.set_threshold(*before)
        gc.unfreeze()
    assert len(reported) > 20
