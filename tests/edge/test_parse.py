import json
import math
from uuid import UUID, uuid4

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.parse import Unreadable, parse
from tests.cases import cases

SENSOR = UUID("0d9cf9c2-4a52-4a49-9d0b-2a39c1d0b6a1")
NOW_US = 1_732_348_800_000_000


def one(payload, **options):
    (reading,) = parse(
        payload if isinstance(payload, bytes) else json.dumps(payload).encode(), SENSOR, NOW_US, **options
    )
    return reading


@pytest.mark.parametrize(
    ("payload", "value"),
    [(b"23.5", 23.5), (b" -4\n", -4.0), (b"1e3", 1000.0), (b"0", 0.0), (b"-0.0", -0.0), (b"1" * 30, float("1" * 30))],
)
def test_a_bare_number_is_a_sample_of_now(payload, value):
    reading = one(payload)
    assert reading.v.tolist() == [value]
    assert math.copysign(1, reading.v[0]) == math.copysign(1, value)
    assert reading.t_us.tolist() == [NOW_US]


def reasons(reading):
    """Tell by place with which codes samples are rejected; such a sample has no value, every other has one."""
    assert sorted(reading.rejects) == np.flatnonzero(np.isnan(reading.v)).tolist()
    return {place: reject.code for place, reject in sorted(reading.rejects.items())}


def test_a_number_beyond_a_float_is_rejected_as_such():
    reading = one(b"1e999")
    assert (reasons(reading), reading.t_us.tolist()) == ({0: "value-not-finite"}, [NOW_US])


@pytest.mark.parametrize(
    "payload",
    [
        *[
            b"",
            b"abc",
            b"NaN",
            b"Infinity",
            b"01",
            b"+1",
            b".5",
            b"1.",
            b'"23.5"',
            b"true",
            b"null",
            b"[1]",
            b"\xff",
            b"{}",
        ],
        *[b'{"samples": 1}', b'{"samples": [{"v": NaN}]}', b"[" * 100_000, b'{"samples": [], "series": []}'],
        b'{"series": [{"t": [1], "v": [1, 2]}]}',
    ],
)
def test_what_cannot_be_told_apart_is_unreadable(payload):
    with pytest.raises(Unreadable) as caught:
        parse(payload, SENSOR, NOW_US)
    try:
        json.loads(payload, parse_constant=int)
    except (ValueError, RecursionError):
        assert caught.value.code == "telemetry-broken"
    else:
        assert caught.value.code == "invalid-payload"


def test_rows_and_columns_say_the_same():
    rows = one({"seq": 3, "boot": "b", "samples": [{"t": 1.5, "v": 2}, {"t": "1970-01-01T00:00:02.000001Z", "v": -1}]})
    columns = one({"seq": 3, "boot": "b", "series": [{"t": [1.5, 2.000001], "v": [2, -1]}]})
    for reading in (rows, columns):
        assert reading.t_us.tolist() == [1_500_000, 2_000_001]
        assert reading.v.tolist() == [2.0, -1.0]
        assert (reading.seq, reading.boot) == (3, "b")


def test_bad_samples_stay_in_their_place_as_unreadable():
    values = [1, None, "2", True, {"x": 1}, 10**400, 7]
    reading = one({"samples": [{"t": i, "v": v} for i, v in enumerate(values)]})
    assert reading.v.tolist() == pytest.approx([1.0] + [math.nan] * 5 + [7.0], nan_ok=True)
    assert reading.t_us.tolist() == [i * 1_000_000 for i in range(7)]
    text = "value-not-a-number"
    assert reasons(reading) == {1: "value-missing", 2: text, 3: text, 4: text, 5: "value-not-finite"}
    assert [reject.t_us for reject in reading.rejects.values()] == [i * 1_000_000 for i in range(1, 6)]


@pytest.mark.parametrize("t", ["yesterday", "2026-11-23T08:00:00", True, [], 1e300])
def test_a_sample_with_an_unreadable_time_is_unreadable(t):
    reading = one({"samples": [{"t": t, "v": 1}, {"t": 5, "v": 2}]})
    assert reading.v.tolist() == pytest.approx([math.nan, 2.0], nan_ok=True)
    assert (reasons(reading), reading.rejects[0].t_us) == ({0: "time-invalid"}, None)
    assert reading.t_us.tolist() == [NOW_US, 5_000_000]


def test_what_is_no_sample_and_what_has_meta_of_another_shape_is_named():
    reading = one({"samples": [17, {"t": 1, "v": 1, "meta": 5}, {"t": 2, "v": []}, {"t": 3, "v": 3}]})
    assert reasons(reading) == {0: "sample-invalid", 1: "meta-invalid", 2: "vector-invalid"}


def test_one_sample_may_lack_its_time_but_not_two():
    single = one({"samples": [{"t": 1, "v": 1}, {"v": 2}]})
    assert single.t_us.tolist() == [1_000_000, NOW_US]
    assert single.v.tolist() == [1.0, 2.0]
    several = one({"samples": [{"t": 1, "v": 1}, {"v": 2}, {"v": 3}]})
    assert several.v.tolist() == pytest.approx([1.0, math.nan, math.nan], nan_ok=True)
    assert reasons(several) == {1: "time-missing", 2: "time-missing"}


def test_only_good_samples_of_ones_own_may_be_too_many_without_time():
    assert one({"samples": [{"v": 1}, {"v": "x"}]}).rejects.keys() == {1}
    body = {"series": [{"t": [None], "v": [1]}, {"sensor_id": str(uuid4()), "t": [None], "v": [1]}]}
    own, foreign = parse(json.dumps(body).encode(), SENSOR, NOW_US)
    assert (own.v.tolist(), own.t_us.tolist()) == ([1.0], [NOW_US])
    assert reasons(foreign) == {0: "sensor-unknown"}


def test_without_a_clock_it_is_the_arrival_that_counts():
    assert one({"samples": [{"t": 5, "v": 1}]}, clockless=True).t_us.tolist() == [NOW_US]
    several = one({"samples": [{"t": 5, "v": 1}, {"t": 6, "v": 2}]}, clockless=True)
    assert reasons(several) == {0: "time-missing", 1: "time-missing"}


def test_nobody_speaks_for_another_sensor():
    other = str(uuid4())
    assert np.isnan(one({"sensor_id": other, "samples": [{"t": 1, "v": 1}]}).v).all()
    own, foreign = parse(
        json.dumps({"series": [{"t": [1], "v": [1]}, {"sensor_id": other, "t": [1], "v": [1]}]}).encode(),
        SENSOR,
        NOW_US,
    )
    assert own.v.tolist() == [1.0]
    assert (reasons(foreign), foreign.rejects[0].t_us) == ({0: "sensor-unknown"}, 1_000_000)
    assert other in foreign.rejects[0].detail


def test_a_bad_sample_in_anothers_name_keeps_its_own_reason():
    reading = one({"sensor_id": str(uuid4()), "samples": [{"t": 1, "v": "x"}, {"t": 2, "v": 2}]})
    assert reasons(reading) == {0: "value-not-a-number", 1: "sensor-unknown"}


def test_a_repeated_retained_message_keeps_only_what_has_a_time():
    assert parse(b"23.5", SENSOR, NOW_US, replayed=True) == []
    samples = [{"v": 1, "meta": {"a": 1}}, {"t": 2, "v": 2, "meta": {"b": 2}}]
    reading = one({"samples": samples}, replayed=True)
    assert reading.v.tolist() == [2.0]
    assert reading.meta == {0: {"b": 2}}
    bad = one({"samples": [{"v": "x"}, {"t": "y", "v": 1}, {"t": 2, "v": "z"}, {"t": 3, "v": 3}]}, replayed=True)
    assert (reasons(bad), bad.t_us.tolist()) == ({0: "value-not-a-number"}, [2_000_000, 3_000_000])


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)
sample = st.fixed_dictionaries({}, optional={"t": anything, "v": anything, "meta": anything}) | anything


@cases(40)
@given(st.lists(sample, min_size=1, max_size=20))
def test_no_sample_of_a_readable_message_disappears(samples):
    body = json.dumps({"samples": samples}).encode()
    try:
        readings = parse(body, SENSOR, NOW_US)
    except Unreadable:
        assert b"NaN" in body or b"Infinity" in body
        return
    assert sum(len(reading.v) for reading in readings) == len(samples)
    for reading in readings:
        reasons(reading)
        for place, (item, value) in enumerate(zip(samples, reading.v.tolist(), strict=True)):
            if not math.isnan(value):
                assert isinstance(item, dict)
                told = [float(element) for element in item["v"]] if place in reading.vectors else [float(item["v"])]
                assert reading.vectors.get(place, reading.v[[place]]).tolist() == told
                assert value == max(told)


@given(st.binary(max_size=60) | anything.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_read_or_named_unreadable(payload):
    try:
        readings = parse(payload, SENSOR, NOW_US)
    except Unreadable:
        return
    assert all(len(reading.v) == len(reading.t_us) > 0 for reading in readings)


def test_vectors_keep_their_places():
    reading = one({"samples": [{"t": 1, "v": "x"}, {"t": 2, "v": [1, 5]}, {"t": 3, "v": 4}]})
    assert np.isnan(reading.v[0])
    assert reading.v[1:].tolist() == [5.0, 4.0]
    assert {place: vector.tolist() for place, vector in reading.vectors.items()} == {1: [1.0, 5.0]}


def test_a_replayed_vector_without_time_is_left_out():
    reading = one({"samples": [{"v": [1, 5]}, {"t": 3, "v": [7]}]}, replayed=True)
    assert {place: vector.tolist() for place, vector in reading.vectors.items()} == {0: [7.0]}
