import pytest

from contract.conversion.profile import MAX_KNOTS, Linear, ProfileInvalid, Table, parse_profile


def test_the_contract_s_payloads():
    assert parse_profile({"kind": "linear", "slope": 2.0, "intercept": 1}) == Linear(2.0, 1.0)
    assert parse_profile({"kind": "table", "points": [[0, 1], [2, 5]], "extrapolation": "reject"}) == Table(
        ((0.0, 1.0), (2.0, 5.0)), "reject"
    )
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
    ],
)
def test_what_is_no_profile_is_refused_with_its_place(payload, loc):
    with pytest.raises(ProfileInvalid) as refused:
        parse_profile(payload)
    assert refused.value.loc == loc
    assert refused.value.msg
