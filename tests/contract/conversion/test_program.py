from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, event, given
from hypothesis import strategies as st

from contract.conversion import program
from contract.conversion.expression import ExpressionInvalid
from contract.conversion.functions import FUNCTIONS, MAX_MULTIPLIED
from contract.conversion.notation import written
from contract.conversion.program import BLOCK, CACHED, Program, compiled
from tests.cases import cases
from tests.contract.conversion.expressions import CONSTANTS, small_number, trees
from tests.contract.conversion.intervals import Unsure, bounds

ARGUMENTS = {1: "x", 2: "x, 2", 3: "x, 0.5, 2"}

raws = st.floats(0.01, 20) | st.floats(-20, 20) | st.integers(-5, 5).map(float)


def value(expression, x, **constants):
    return float(compiled(expression, constants)(np.array([x]))[0])


def bits(values):
    return np.where(np.isnan(values), np.nan, values).view(np.uint64).tolist()


class TestMeaning:
    @cases(150)
    @given(trees(small_number, size=16), st.lists(raws, min_size=1, max_size=5))
    def test_an_expression_is_what_exact_arithmetic_gives_but_for_rounding(self, tree, values):
        text = written(tree)
        try:
            results = compiled(text, CONSTANTS)(np.array(values)).tolist()
        except ExpressionInvalid:
            assume(False)
        for x, result in zip(values, results, strict=True):
            try:
                bound = bounds(text, x, CONSTANTS)
            except Unsure:
                event("no value, or not to be told")
                continue
            event("bounded")
            assert result in bound, (x, result, bound.low, bound.high)

    @pytest.mark.parametrize("name", sorted(set(FUNCTIONS) - {"where"}))
    @cases(50)
    @given(st.floats(-1, 1) | st.floats(-700, 700) | st.floats(1e-300, 1e300))
    def test_each_function_is_within_4_ulp(self, name, x):
        text = f"{name}({ARGUMENTS[FUNCTIONS[name].fewest]})"
        try:
            bound = bounds(text, x, {})
        except Unsure:
            return
        assert value(text, x) in bound

    @pytest.mark.parametrize(
        ("text", "x", "expected"),
        [
            ("a*x**2 + sqrt(x)", 4.0, 3.6),
            ("-x**2", 3.0, -9.0),
            ("2**3**2", 0.0, 512.0),
            ("x - 1 - 1", 3.0, 1.0),
            ("7", 3.0, 7.0),
            ("x", 3.0, 3.0),
            ("e", 0.0, np.e),
            ("round(x)", 2.5, 2.0),
            ("round(x)", 3.5, 4.0),
            ("sign(x)", -3.0, -1.0),
            ("log(e**x)", 2.0, 2.0),
            ("atan2(x, -1)", 0.0, np.pi),
            ("hypot(x, 4)", 3.0, 5.0),
            ("poly(x, 1, 2, 3)", 10.0, 321.0),
            ("min(x, 2, 1)", 3.0, 1.0),
            ("max(x, 2, 1)", 3.0, 3.0),
            ("clip(x, 0, 1)", 3.0, 1.0),
            ("clip(x, 0, 1)", -3.0, 0.0),
            ("where(x < 0, -x, 2*x)", -3.0, 3.0),
            ("where(x < 0, -x, 2*x)", 3.0, 6.0),
            ("where(x < 0 or x >= 3 and not x == 3, 1, 2)", 3.0, 2.0),
            ("where(1 < 2, x, 0)", 3.0, 3.0),
            ("where(x < 1, 0, log(x))", 0.0, 0.0),  # the branch not taken may have no value
            ("atan(1/x)", 0.0, np.pi / 2),
        ],
    )
    def test_values(self, text, x, expected):
        assert value(text, x, a=0.1) == pytest.approx(expected, rel=1e-15)

    @pytest.mark.parametrize(
        "text", ["sqrt(x)", "log(x)", "asin(x - 1)", "x**0.5", "min(log(x), 0)", "clip(log(x), 0, 1)"]
    )
    def test_without_a_value_the_result_is_not_a_number(self, text):
        assert np.isnan(value(text, -1.0))

    @pytest.mark.parametrize("text", ["min(x, -x)", "max(x, -x)", "clip(-x, -x, 1)", "min(-x, -x)", "max(-x, -x)"])
    def test_which_zero_is_the_lesser_does_not_show(self, text):
        assert np.copysign(1.0, value(text, 0.0)) == 1.0

    @pytest.mark.parametrize("text", ["1/0", "x + 1/0", "where(x < 1, x, log(-1))", "9**9**9**9", "a*1e300"])
    def test_a_part_without_x_that_is_not_finite_is_refused(self, text):
        with pytest.raises(ExpressionInvalid, match="is not a finite number"):
            compiled(text, {"a": 1e300})


class TestWholePowers:
    @pytest.mark.parametrize("exponent", range(2, MAX_MULTIPLIED + 1))
    @cases(30)
    @given(st.floats(1e-15, 1e15) | st.floats(-1e15, -1e-15))
    def test_are_multiplied_out(self, exponent, x):
        exact = Fraction(x) ** exponent
        # Each of at most exponent − 1 multiplications is off by half an ulp, 2⁻⁵³ of the value, or little more.
        assert abs(Fraction(value(f"x**{exponent}", x)) - exact) <= abs(exact) * exponent / 2**53

    def test_an_exponent_may_be_a_constant_or_a_calculation(self):
        x = np.linspace(0.1, 10, 1000)
        cube = (x * (x * x)).tolist()
        assert compiled("x**n", {"n": 3.0})(x).tolist() == cube
        assert compiled("x**(1 + 2)", {})(x).tolist() == cube


class TestArrays:
    @cases(50)
    @given(trees(), st.lists(st.floats(), min_size=1, max_size=40), st.data())
    def test_a_divided_array_gives_the_parts_of_the_whole(self, tree, values, data):
        run = _running(tree)
        raw = np.array(values)
        at = data.draw(st.lists(st.integers(0, len(raw)), max_size=4).map(sorted))
        assert bits(np.concatenate([run(part) for part in np.split(raw, at)])) == bits(run(raw))

    @cases(20)
    @given(trees(), st.lists(st.floats(), min_size=5, max_size=9))
    def test_blocks_do_not_show(self, tree, values):
        run = _running(tree)
        raw = np.array(values)
        assert bits(run(np.resize(raw, 2 * BLOCK + 1))) == bits(np.resize(run(raw), 2 * BLOCK + 1))

    @cases(50)
    @given(trees(), st.lists(st.floats(), min_size=1, max_size=40))
    def test_every_second_element_gives_what_a_dense_array_gives(self, tree, values):
        run = _running(tree)
        raw = np.array(values)
        assert bits(run(np.repeat(raw, 2)[::2])) == bits(run(raw))

    @pytest.mark.parametrize("exponent", [2.0, 0.5, -1.0])
    def test_an_exponent_met_alone_counts_as_among_others(self, exponent):
        # Numpy has other code, of other rounding, for arrays raised to one number of these.
        run = compiled("x**(c + 0*x)", {"c": exponent})
        raw = np.linspace(0.1, 10, 500)
        assert np.concatenate([run(raw[i : i + 1]) for i in range(len(raw))]).tolist() == run(raw).tolist()

    def test_the_result_is_the_caller_s_own(self):
        raw = np.ones(3)
        compiled("x", {})(raw)[:] = 7.0
        assert raw.tolist() == [1.0, 1.0, 1.0]

    def test_no_samples(self):
        assert compiled("x + 1", {})(np.empty(0)).shape == (0,)


class TestCache:
    def test_the_same_expression_is_compiled_once(self):
        assert compiled("a*x + 1", {"a": 1.0, "b": 2.0}) is compiled("a*x + 1", {"b": 2.0, "a": 1.0})

    def test_zeros_are_told_apart(self):
        assert value("a/abs(x) + a", 1.0, a=0.0) == value("a/abs(x) + a", 1.0, a=-0.0) == 0.0
        assert np.copysign(1.0, value("a*abs(x)", 1.0, a=0.0)) == 1.0
        assert np.copysign(1.0, value("a*abs(x)", 1.0, a=-0.0)) == -1.0

    def test_is_bounded(self):
        for i in range(CACHED + 10):
            compiled(f"x + {i}", {})
        assert program._cached.cache_info().currsize == CACHED


def _running(tree) -> Program:
    try:
        return compiled(written(tree), CONSTANTS)
    except ExpressionInvalid:
        assume(False)
        raise
