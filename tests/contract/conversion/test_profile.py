import contextlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.conversion.profile import (
    MAX_CONSTANTS,
    MAX_KNOTS,
    Custom,
    Linear,
    Profile,
    ProfileInvalid,
    Table,
    parse_profile,
)
from tests.contract.conversion.profiles import profiles


def test_the_contract_s_payloads():
    assert parse_profile({"kind": "linear", "slope": 2.0, "intercept": 1}) == Linear(2.0, 1.0)
    assert parse_profile({"kind": "table", "points": [[0, 1], [2, 5]], "extrapolation": "reject"}) == Table(
        ((0.0, 1.0), (2.0, 5.0)), "reject"
    )
    assert parse_profile(
        {"kind": "custom", "expression": "a*x**2 + sqrt(x)", "constants": {"a": 0.1}, "input_range": [0, 5]}
    ) == Custom("a*x**2 + sqrt(x)", {"a": 0.1}, (0.0, 5.0))
    assert parse_profile({"kind": "custom", "expression": "x"}) == Custom("x", {})
    assert parse_profile({"kind": "linear", "slope": 1, "intercept": 0, "input_range": [-1, 1]}).input_range == (-1, 1)


def test_points_are_sorted_by_raw():
    table = parse_profile({"kind": "table", "points": [[5, 0], [1, 9], [3, 4]]})
    assert table == Table(((1.0, 9.0), (3.0, 4.0), (5.0, 0.0)), "clamp")


@pytest.mark.parametrize(
    ("payload", "loc"),
    [
        ({}, ("kind",)),
        ({"kind": "cubic"}, ("kind",)),
        ({"kind": "linear", "slope": 1}, ("intercept",)),
        ({"kind": "linear", "slope": "2", "intercept": 0}, ("slope",)),
        ({"kind": "linear", "slope": True, "intercept": 0}, ("slope",)),
        ({"kind": "linear", "slope": float("nan"), "intercept": 0}, ("slope",)),
        ({"kind": "linear", "slope": 1, "intercept": float("inf")}, ("intercept",)),
        ({"kind": "linear", "slope": 1, "intercept": 0, "offset": 3}, ("offset",)),
        ({"kind": "linear", "slope": 1, "intercept": 0, "input_range": [2, 1]}, ("input_range",)),
        ({"kind": "linear", "slope": 1, "intercept": 0, "input_range": [1]}, ("input_range",)),
        ({"kind": "table", "points": []}, ("points",)),
        ({"kind": "table", "points": [[0, 1]]}, ("points",)),
        ({"kind": "table", "points": [[0, 1], [1, "x"]]}, ("points", 1, 1)),
        ({"kind": "table", "points": [[0, 1], [1, float("inf")]]}, ("points", 1, 1)),
        ({"kind": "table", "points": [[0, 1], [2, 2], [0, 3]]}, ("points", 2, 0)),
        ({"kind": "table", "points": [[0, 1], [0.0, 1], [-0.0, 1]]}, ("points", 1, 0)),
        ({"kind": "table", "points": [[9, 0], [5e-324, 1e308], [0, -1e308]]}, ("points", 1)),
        ({"kind": "table", "points": [[0, 1], [1, 2]], "extrapolation": "spline"}, ("extrapolation",)),
        ({"kind": "table", "points": [[i, i] for i in range(MAX_KNOTS + 1)]}, ("points",)),
        ({"kind": "linear", "slope": 10**400, "intercept": 0}, ("slope",)),
        ({"kind": "custom"}, ("expression",)),
        ({"kind": "custom", "expression": 1}, ("expression",)),
        ({"kind": "custom", "expression": ""}, ("expression",)),
        ({"kind": "custom", "expression": "a*x"}, ("expression",)),
        ({"kind": "custom", "expression": "x + 1/0"}, ("expression",)),
        ({"kind": "custom", "expression": "x", "unit": "V"}, ("unit",)),
        ({"kind": "custom", "expression": "x", "input_range": [2, 1]}, ("input_range",)),
        ({"kind": "custom", "expression": "x", "constants": {"a": "1"}}, ("constants",)),
        ({"kind": "custom", "expression": "x", "constants": {"a": float("nan")}}, ("constants", "a")),
        ({"kind": "custom", "expression": "x", "constants": {"a": 10**400}}, ("constants",)),
        ({"kind": "custom", "expression": "x", "constants": {"x": 1}}, ("constants", "x")),
        ({"kind": "custom", "expression": "x", "constants": {"pi": 3}}, ("constants", "pi")),
        ({"kind": "custom", "expression": "x", "constants": {"sqrt": 1}}, ("constants", "sqrt")),
        ({"kind": "custom", "expression": "x", "constants": {"and": 1}}, ("constants", "and")),
        ({"kind": "custom", "expression": "x", "constants": {"_a": 1}}, ("constants", "_a")),
        ({"kind": "custom", "expression": "x", "constants": {"": 1}}, ("constants", "")),
        ({"kind": "custom", "expression": "x", "constants": {"a\n": 1}}, ("constants", "a\n")),
        ({"kind": "custom", "expression": "x", "constants": {"α": 1}}, ("constants", "α")),
        ({"kind": "custom", "expression": "x", "constants": {"a" * 33: 1}}, ("constants", "a" * 33)),
        (
            {"kind": "custom", "expression": "x", "constants": {f"a{i}": 1 for i in range(MAX_CONSTANTS + 1)}},
            ("constants",),
        ),
    ],
)
def test_what_is_no_profile_is_refused_with_its_place(payload, loc):
    with pytest.raises(ProfileInvalid) as refused:
        parse_profile(payload)
    assert refused.value.loc == loc
    assert refused.value.msg


@given(profiles)
def test_what_is_written_as_json_reads_back_to_the_same_profile(profile):
    assert parse_profile(msgspec.json.decode(msgspec.json.encode(profile))) == profile


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4)
)
payloads = st.fixed_dictionaries(
    {},
    optional={
        "kind": st.sampled_from(["linear", "table", "custom"]) | anything,
        "slope": scalars,
        "intercept": scalars,
        "points": st.lists(st.lists(st.floats() | st.integers(), min_size=2, max_size=2), max_size=5) | anything,
        "extrapolation": st.sampled_from(["clamp", "linear", "reject"]) | anything,
        "expression": st.sampled_from(["x", "a*x + b", "1/a"]) | scalars,
        "constants": st.dictionaries(st.sampled_from("abx_") | st.text(), st.floats() | anything, max_size=4)
        | anything,
        "input_range": st.lists(st.floats(), min_size=2, max_size=2) | anything,
    },
)


@given(payloads)
def test_any_payload_is_a_profile_or_refused_by_name(payload):
    with contextlib.suppress(ProfileInvalid):
        assert isinstance(parse_profile(payload), Profile)
