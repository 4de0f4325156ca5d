from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.conversion.convert import ProfileVersion, Status, convert, convert_at, convert_each
from contract.conversion.profile import Custom, Linear, Table
from tests.contract.conversion.profiles import finite, linears, profiles, raws, tables

OK, OUT, ERROR, NONE = Status.OK, Status.OUT_OF_RANGE, Status.CONVERSION_ERROR, Status.NO_PROFILE


def bits(values):
    # One NaN is as good as another; every other value must agree to the bit.
    return np.where(np.isnan(values), np.nan, values).view(np.uint64).tolist()


@given(profiles, raws)
def test_a_single_sample_equals_the_same_element_of_a_long_array(profile, raw):
    physical, status = convert(profile, raw)
    alone = [convert(profile, raw[i : i + 1]) for i in range(len(raw))]
    assert bits(np.concatenate([p for p, _ in alone])) == bits(physical)
    assert np.concatenate([s for _, s in alone]).tolist() == status.tolist()


@given(profiles, raws, st.integers(0, 100))
def test_a_divided_array_gives_the_parts_of_the_whole(profile, raw, at):
    physical, status = convert(profile, raw)
    parts = [convert(profile, part) for part in (raw[:at], raw[at:])]
    assert bits(np.concatenate([p for p, _ in parts])) == bits(physical)
    assert np.concatenate([s for _, s in parts]).tolist() == status.tolist()


@given(profiles, raws)
def test_the_input_is_left_as_it_is_and_shapes_and_types_hold(profile, raw):
    before = raw.copy()
    physical, status = convert(profile, raw)
    assert bits(raw) == bits(before)
    assert (physical.shape, status.shape) == (raw.shape, raw.shape)
    assert (physical.dtype, status.dtype) == (np.float64, np.uint8)


@given(profiles, raws)
def test_a_physical_value_is_finite_or_absent_with_a_reason(profile, raw):
    physical, status = convert(profile, raw)
    assert not np.isinf(physical).any()
    assert (status[np.isnan(physical)] != OK).all()
    assert np.isnan(physical[status == ERROR]).all()
    assert (status[~np.isfinite(raw)] == ERROR).all()


@given(linears, st.lists(finite, min_size=1, max_size=50))
def test_linear_is_ieee_arithmetic_without_fusing(profile, values):
    physical, status = convert(profile, np.array(values))
    for value, result, code in zip(values, physical.tolist(), status.tolist(), strict=True):
        expected = value * profile.slope + profile.intercept
        if np.isfinite(expected):
            assert result == expected
        else:
            assert code == ERROR


@given(tables)
def test_a_table_gives_its_knots_exactly(table):
    raw, physical = np.array(table.points).T
    assert convert(table, raw)[0].tolist() == physical.tolist()


@given(tables, st.floats(0, 1))
def test_between_knots_a_table_follows_the_straight_line(table, share):
    for (x0, y0), (x1, y1) in pairwise(table.points):
        x = min(max(x0 + share * (x1 - x0), x0), x1)
        physical, _ = convert(table, np.array([x]))
        assert physical[0] == pytest.approx(np.interp(x, [x0, x1], [y0, y1]), rel=1e-9, abs=1e-6)


@pytest.mark.parametrize(
    ("extrapolation", "physical", "status"),
    [
        ("clamp", [0.0, 10.0], [OK, OK]),
        ("linear", [-10.0, 40.0], [OK, OK]),
        ("reject", [np.nan, np.nan], [OUT, OUT]),
    ],
)
def test_outside_a_table(extrapolation, physical, status):
    table = Table(((0.0, 0.0), (1.0, 10.0)), extrapolation)
    result = convert(table, np.array([-1.0, 4.0]))
    assert result[0].tolist() == pytest.approx(physical, nan_ok=True)
    assert result[1].tolist() == status


@pytest.mark.parametrize("extrapolation", ["clamp", "linear", "reject"])
def test_a_table_within_an_input_range_says_both(extrapolation):
    table = Table(((0.0, 0.0), (1.0, 10.0)), extrapolation, (0.5, 3.0))
    physical, status = convert(table, np.array([0.25, 0.75, 2.0, 4.0, np.inf]))
    assert physical[:2].tolist() == [2.5, 7.5]
    assert status.tolist() == [OUT, OK, OUT if extrapolation == "reject" else OK, OUT, ERROR]


@given(tables, raws)
def test_only_beyond_its_ends_a_table_s_extrapolation_matters(table, raw):
    low, high = table.points[0][0], table.points[-1][0]
    inside = raw[(raw >= low) & (raw <= high)]
    kinds = [convert(Table(table.points, how), inside)[0] for how in ("clamp", "linear", "reject")]
    assert bits(kinds[0]) == bits(kinds[1]) == bits(kinds[2])


def test_beyond_its_ends_a_table_goes_on_along_its_first_and_last_line():
    table = Table(((0.0, 0.0), (1.0, 10.0), (2.0, 30.0)), "linear")
    assert convert(table, np.array([-2.0, 5.0]))[0].tolist() == [-20.0, 90.0]


def test_an_expression_without_a_value_is_a_conversion_error():
    profile = Custom("sqrt(x) + 1/x", {}, (0.5, 4.0))
    physical, status = convert(profile, np.array([-1.0, 0.0, 0.25, 1.0, 16.0, np.nan, np.inf]))
    assert physical[2:5].tolist() == [4.5, 2.0, 4.0625]
    assert np.isnan(physical[[0, 1, 5, 6]]).all()
    assert status.tolist() == [ERROR, ERROR, OUT, OK, OUT, ERROR, ERROR]


def test_raw_that_is_not_finite_is_an_error_whatever_the_expression():
    physical, status = convert(Custom("7"), np.array([1.0, np.nan]))
    assert physical[0] == 7.0
    assert status.tolist() == [OK, ERROR]


def test_outside_the_input_range_the_value_is_still_computed():
    physical, status = convert(Linear(2.0, 1.0, (0.0, 5.0)), np.array([-1.0, 0.0, 5.0, 5.1]))
    assert physical.tolist() == [-1.0, 1.0, 11.0, 11.2]
    assert status.tolist() == [OUT, OK, OK, OUT]


def test_a_result_too_large_is_a_conversion_error():
    physical, status = convert(Linear(1e300, 0.0), np.array([1e300, 1.0]))
    assert np.isnan(physical[0])
    assert status.tolist() == [ERROR, OK]


class TestConvertAt:
    V1 = ProfileVersion(1, None, 100, Linear(1.0, 0.0))
    V2 = ProfileVersion(2, 100, 200, Linear(10.0, 0.0))

    def test_each_sample_takes_the_version_of_its_own_time(self):
        t = np.array([150, 99, 100, 200, -5], dtype=np.int64)
        physical, status, version = convert_at([self.V2, self.V1], t, np.ones(5))
        assert version.tolist() == [2, 1, 2, 0, 1]
        assert physical[:3].tolist() == [10.0, 1.0, 10.0]
        assert status.tolist() == [OK, OK, OK, NONE, OK]
        assert np.isnan(physical[3])

    def test_the_first_version_too_begins_when_it_says(self):
        first = self.V1._replace(valid_from_us=50)
        assert convert_at([first], np.array([49, 50], dtype=np.int64), np.ones(2)).version.tolist() == [0, 1]

    def test_a_version_without_any_time_never_applies(self):
        withdrawn = self.V2._replace(valid_from_us=150, valid_to_us=150)
        t = np.array([149, 150, 151], dtype=np.int64)
        assert convert_at([withdrawn, self.V1], t, np.ones(3)).version.tolist() == [0, 0, 0]

    def test_the_highest_of_several_valid_versions_applies(self):
        versions = [self.V1._replace(valid_to_us=None), self.V2]
        t = np.array([150, 250], dtype=np.int64)
        assert convert_at(versions, t, np.ones(2)).version.tolist() == [2, 1]

    def test_without_versions_nothing_is_converted(self):
        physical, status, version = convert_at([], np.zeros(2, dtype=np.int64), np.ones(2))
        assert np.isnan(physical).all()
        assert status.tolist() == [NONE, NONE]
        assert version.tolist() == [0, 0]

    @given(profiles, profiles, raws, st.integers(0, 100))
    def test_a_mixed_array_equals_its_samples_one_by_one(self, first, second, raw, change):
        versions = [ProfileVersion(1, None, change, first), ProfileVersion(2, change, None, second)]
        t = np.arange(len(raw), dtype=np.int64)
        together = convert_at(versions, t, raw)
        alone = [convert_at(versions, t[i : i + 1], raw[i : i + 1]) for i in range(len(raw))]
        assert bits(np.concatenate([a.physical for a in alone])) == bits(together.physical)
        assert np.concatenate([a.status for a in alone]).tolist() == together.status.tolist()
        assert np.concatenate([a.version for a in alone]).tolist() == together.version.tolist()


@given(st.lists(st.tuples(st.lists(profiles, max_size=3), raws, st.integers(0, 100)), max_size=6))
def test_series_converted_together_equal_each_by_itself(series):
    # Version k is valid between the (k − 1)th and the kth change, the last one without end.
    histories = [
        [
            ProfileVersion(i + 1, i * change, None if i + 1 == len(kinds) else (i + 1) * change, kind)
            for i, kind in enumerate(kinds)
        ]
        for kinds, _, change in series
    ]
    times = [np.arange(len(raw), dtype=np.int64) for _, raw, _ in series]
    counts = np.array([len(raw) for _, raw, _ in series], dtype=np.int64)
    together = convert_each(
        histories,
        counts,
        np.concatenate([*times, np.empty(0, np.int64)]),
        np.concatenate([*(raw for _, raw, _ in series), np.empty(0)]),
    )
    alone = [convert_at(h, t, raw) for h, t, (_, raw, _) in zip(histories, times, series, strict=True)]
    assert bits(together.physical) == [b for one in alone for b in bits(one.physical)]
    assert together.status.tolist() == [s for one in alone for s in one.status.tolist()]
    assert together.version.tolist() == [v for one in alone for v in one.version.tolist()]
