from fractions import Fraction

import msgspec
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from contract.conversion.convert import convert
from contract.conversion.fit import MAX_PAIRS, PairsInvalid, fit_linear, fit_table
from contract.conversion.profile import MAX_KNOTS, Linear, parse_profile

EPS = 2.0**-52

# On a grid: values 1e-300 apart have no line within floating-point numbers.
modest = st.integers(-(10**9), 10**9).map(lambda n: n / 1000)
finite = st.floats(allow_nan=False, allow_infinity=False)
pairs = st.lists(st.tuples(modest, modest), min_size=2, max_size=50)
repeated = st.lists(st.tuples(st.integers(-5, 5).map(float), modest), min_size=2, max_size=60)


def distinct(found):
    return len({raw for raw, _ in found}) >= 2


class TestLinear:
    @given(
        st.integers(-1000, 1000), st.integers(-1000, 1000), st.lists(st.integers(-1000, 1000), min_size=2, max_size=30)
    )
    def test_a_line_without_noise_is_found_again(self, slope, intercept, raws):
        found = [(float(raw), float(slope * raw + intercept)) for raw in raws]
        assume(distinct(found))
        fit = fit_linear(found)
        assert fit.profile.slope == pytest.approx(slope, rel=1e-13, abs=1e-9)
        assert fit.profile.intercept == pytest.approx(intercept, rel=1e-10, abs=1e-6)
        assert fit.largest_residual <= 1e-6
        assert fit.r_squared == (None if slope == 0 else pytest.approx(1.0, abs=1e-12))

    @given(pairs.filter(distinct))
    def test_residuals_sum_to_zero_and_do_not_lean(self, found):
        fit = fit_linear(found)
        raw, physical = np.array(found).T
        # What converting a raw value is off by, at the most: the rounding of its two operations and two coefficients.
        size = np.abs(fit.profile.slope * raw).max() + abs(fit.profile.intercept) + np.abs(physical).max()
        assert abs(fit.residuals.sum()) <= 8 * EPS * size * len(found)
        lean = (fit.residuals * (raw - raw.mean())).sum()
        assert abs(lean) <= 16 * EPS * size * len(found) * np.abs(raw - raw.mean()).max() + 1e-300

    @given(st.lists(st.tuples(st.integers(-99, 99), st.integers(-99, 99)), min_size=2, max_size=20).filter(distinct))
    def test_the_coefficients_are_those_of_exact_arithmetic(self, found):
        n, xs, ys = len(found), [x for x, _ in found], [y for _, y in found]
        spread = n * sum(x * x for x in xs) - sum(xs) ** 2
        slope = Fraction(n * sum(x * y for x, y in found) - sum(xs) * sum(ys), spread)
        intercept = (sum(ys) - slope * sum(xs)) / n
        fit = fit_linear([(float(x), float(y)) for x, y in found])
        assert fit.profile.slope == pytest.approx(float(slope), rel=1e-12, abs=1e-12)
        assert fit.profile.intercept == pytest.approx(float(intercept), rel=1e-11, abs=1e-10)

    @given(pairs.filter(distinct))
    def test_residuals_are_what_the_profile_leaves(self, found):
        fit = fit_linear(found)
        raw, physical = np.array(found).T
        assert fit.residuals.tolist() == (physical - convert(fit.profile, raw)[0]).tolist()
        assert fit.largest_residual == np.abs(fit.residuals).max()
        assert fit.r_squared is None or 0 <= fit.r_squared <= 1

    @pytest.mark.parametrize("far", [1e9, -1e9])
    @pytest.mark.parametrize("size", [1e-200, 1.0, 1e200])
    def test_far_from_zero_and_at_any_size(self, far, size):
        found = [((far + i) * size, 3.0 * i * size) for i in range(10)]
        fit = fit_linear(found)
        assert fit.profile.slope == pytest.approx(3.0, rel=1e-6)
        assert fit.largest_residual <= 1e-5 * size

    def test_neighbouring_raw_values(self):
        fit = fit_linear([(1.0, 0.0), (1.0 + EPS, 1.0)])
        assert fit.profile.slope == 1 / EPS

    def test_known_figures(self):
        fit = fit_linear([(0.0, 1.0), (1.0, 3.0), (2.0, 4.0)])
        assert fit.profile == Linear(1.5, pytest.approx(7 / 6))
        assert fit.residuals.tolist() == pytest.approx([-1 / 6, 1 / 3, -1 / 6])
        assert fit.largest_residual == pytest.approx(1 / 3)
        assert fit.r_squared == pytest.approx(27 / 28)

    @pytest.mark.parametrize(
        ("found", "says", "loc"),
        [
            ([], "2 to", ()),
            ([(1.0, 1.0)], "2 to", ()),
            ([(1.0, 1.0)] * (MAX_PAIRS + 1), "2 to", ()),
            ([(1.0, 1.0), (1.0, 2.0)], "two different raw values", ()),
            ([(0.0, 1.0), (-0.0, 2.0)], "two different raw values", ()),
            ([(0.0, 1.0), (1.0, np.nan)], "finite numbers", (1,)),
            ([(0.0, 1.0), (1.0, 2.0), (np.inf, 2.0)], "finite numbers", (2,)),
            ([(0.0, -1e308), (5e-324, 1e308)], "too far apart", ()),
        ],
    )
    def test_pairs_that_give_no_line(self, found, says, loc):
        with pytest.raises(PairsInvalid, match=says) as refused:
            fit_linear(found)
        assert refused.value.loc == loc


class TestTable:
    @given(repeated.filter(distinct))
    def test_goes_through_the_means(self, found):
        table = fit_table(found).profile
        for raw, physical in table.points:
            values = [y for x, y in found if x == raw]
            assert physical == pytest.approx(float(sum(map(Fraction, values)) / len(values)), rel=1e-12, abs=1e-9)
            if len(set(values)) == 1:
                assert physical == values[0]
        assert [raw for raw, _ in table.points] == sorted({raw for raw, _ in found})

    @given(repeated.filter(distinct))
    def test_residuals_are_those_of_repeats(self, found):
        fit = fit_table(found)
        for (raw, _), residual in zip(found, fit.residuals.tolist(), strict=True):
            repeats = [i for i, (x, _) in enumerate(found) if x == raw]
            assert len(repeats) > 1 or residual == 0
            assert abs(fit.residuals[repeats].sum()) <= 1e-8
        assert fit.largest_residual == np.abs(fit.residuals).max()

    @pytest.mark.parametrize(
        ("physical", "course"),
        [([1, 2, 5], "rising"), ([5, 2, 1], "falling"), ([1, 5, 2], "neither"), ([1, 1, 2], "neither")],
    )
    def test_the_course(self, physical, course):
        assert fit_table([(float(i), float(y)) for i, y in enumerate(physical)]).course == course

    def test_known_figures(self):
        fit = fit_table([(2.0, 5.0), (0.0, 1.0), (2.0, 7.0)], "reject")
        assert (fit.profile.points, fit.profile.extrapolation) == (((0.0, 1.0), (2.0, 6.0)), "reject")
        assert fit.residuals.tolist() == [-1.0, 0.0, 1.0]
        assert fit.largest_residual == 1.0

    @pytest.mark.parametrize(
        ("found", "says"),
        [
            ([(1.0, 1.0)], "2 to"),
            ([(1.0, 1.0), (1.0, 2.0)], "different raw values, not 1"),
            ([(float(i), 0.0) for i in range(MAX_KNOTS + 1)], f"different raw values, not {MAX_KNOTS + 1}"),
            ([(0.0, 1.0), (np.nan, 1.0)], "finite numbers"),
            ([(0.0, -1e308), (5e-324, 1e308)], "too far apart"),
            ([(0.0, -1e308), (0.0, 1e308), (1.0, 0.0)], "too far apart"),
        ],
    )
    def test_pairs_that_give_no_table(self, found, says):
        with pytest.raises(PairsInvalid, match=says):
            fit_table(found)


@given(st.lists(st.tuples(finite, finite), min_size=2, max_size=20), st.sampled_from([fit_linear, fit_table]))
def test_whatever_is_fitted_can_be_registered(found, fit):
    try:
        profile = fit(found).profile
    except PairsInvalid:
        assume(False)
    assert parse_profile(msgspec.to_builtins(profile)) == profile
