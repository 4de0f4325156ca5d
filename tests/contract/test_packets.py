"""Telemetry packets: the fast and the slow path agree, and every fault is named."""

import contextlib
import json
import math
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract import packets
from contract.packets import NO_TIME, PacketBroken, PacketInvalid, Reject

seconds = st.integers(0, 4_000_000_000_000_000).map(lambda us: us / 1e6)
values = st.floats(allow_nan=False, allow_infinity=False)
SENSOR = "6f1c1a52-6c3f-4b3c-9a55-0a4d4b0b6c11"


@given(st.lists(st.tuples(seconds, values), max_size=30))
def test_rows_come_back_bit_for_bit(samples: list[tuple[float, float]]) -> None:
    packet = packets.decode(orjson.dumps({"samples": [{"t": t, "v": v} for t, v in samples]}))
    (series,) = packet.series
    assert series.raw.tobytes() == np.array([v for _, v in samples], np.float64).tobytes()
    assert series.t_us.tolist() == [round(t * 1e6) for t, _ in samples]
    assert packet.rejects == []


@given(st.lists(st.tuples(seconds, values), min_size=1, max_size=30))
def test_one_bad_sample_changes_nothing_for_the_others(samples: list[tuple[float, float]]) -> None:
    """A null among them takes the slow path, which must read the others exactly as the fast one does."""
    rows: list[dict[str, Any]] = [{"t": t, "v": v} for t, v in samples]
    fast = packets.decode(orjson.dumps({"samples": rows})).series[0]
    slow_packet = packets.decode(orjson.dumps({"samples": [*rows, {"t": 1, "v": None}]}))
    slow = slow_packet.series[0]
    assert (slow.t_us.tolist(), slow.raw.tobytes()) == (fast.t_us.tolist(), fast.raw.tobytes())
    assert [(r.index, r.code, r.t_us) for r in slow_packet.rejects] == [(len(rows), "value-missing", 1_000_000)]


@given(st.lists(st.lists(st.tuples(seconds, values), max_size=5), min_size=1, max_size=6))
def test_columns_equal_rows(series: list[list[tuple[float, float]]]) -> None:
    columns = [
        {"sensor_id": SENSOR, "t": [t for t, _ in one], "v": [v for _, v in one], "seq": i, "boot": "a3"}
        for i, one in enumerate(series)
    ]
    packet = packets.decode(orjson.dumps({"batch_id": "b", "series": columns}))
    assert (packet.batch_id, packet.rows, packet.count) == ("b", False, sum(map(len, series)))
    for i, (one, got) in enumerate(zip(series, packet.series, strict=True)):
        assert (str(got.sensor_id), got.seq, got.boot) == (SENSOR, i, "a3")
        assert got.t_us.tolist() == [round(t * 1e6) for t, _ in one]
        assert got.raw.tolist() == [v for _, v in one]


@given(st.binary(max_size=60))
def test_any_bytes_are_a_packet_or_a_named_fault(body: bytes) -> None:
    with contextlib.suppress(PacketBroken, PacketInvalid):
        packets.decode(body)


json_values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5) | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
FIELDS = ("samples", "series", "t", "v", "p", "seq", "boot", "meta", "sensor_id", "batch_id", "profile_version")
shaped = st.dictionaries(st.sampled_from(FIELDS), json_values, max_size=5)


@given(st.dictionaries(st.sampled_from(FIELDS), json_values | st.lists(shaped, max_size=3), max_size=4))
def test_any_json_is_a_packet_or_a_named_fault(document: dict[str, Any]) -> None:
    try:
        packet = packets.decode(json.dumps(document).encode())
    except (PacketBroken, PacketInvalid):
        pass
    else:
        kept = sum(len(series.raw) for series in packet.series)
        assert kept + len(packet.rejects) == packet.count


class TestTimes:
    @pytest.mark.parametrize(
        ("text", "t_us"),
        [
            ("2026-11-23T08:00:00Z", 1795420800000000),
            ("2026-11-23T08:00:00.000001Z", 1795420800000001),
            ("2026-11-23T10:00:00.5+02:00", 1795420800500000),
        ],
    )
    def test_text(self, text: str, t_us: int) -> None:
        packet = packets.decode(orjson.dumps({"samples": [{"t": text, "v": 1}]}))
        assert packet.series[0].t_us.tolist() == [t_us]

    @pytest.mark.parametrize("t", ["2026-11-23T08:00:00", "soon", True, [], 1e300])
    def test_what_is_no_time_is_named(self, t: object) -> None:
        packet = packets.decode(orjson.dumps({"samples": [{"t": t, "v": 1}]}))
        assert [r.code for r in packet.rejects] == ["time-invalid"]

    def test_an_absent_time_stays_absent(self) -> None:
        packet = packets.decode(b'{"samples":[{"v":1}]}')
        assert packet.series[0].t_us.tolist() == [NO_TIME]


class TestReasonsTold:
    """What an edge agent found wrong with samples before the hub sees them."""

    def test_they_stand_for_null(self) -> None:
        told = {"0": {"code": "time-invalid", "detail": "no time"}, "2": {"code": "meta-invalid", "detail": "x" * 999}}
        body = {"series": [{"sensor_id": SENSOR, "t": [None, 1, 2], "v": [None, 5, None], "rejects": told}]}
        packet = packets.decode(orjson.dumps(body))
        assert packet.series[0].raw.tolist() == [5.0]
        assert packet.rejects == [
            Reject(0, 0, "time-invalid", "no time"),
            Reject(0, 2, "meta-invalid", "x" * 200, t_us=2_000_000),
        ]

    @pytest.mark.parametrize("v", [5, "warm"])
    def test_a_value_speaks_for_itself(self, v: object) -> None:
        one = {"t": [1], "v": [v]}
        told = one | {"rejects": {"0": {"code": "time-invalid", "detail": ""}}}
        bare, with_reason = (packets.decode(orjson.dumps({"series": [each]})) for each in (one, told))
        assert (bare.rejects, bare.count) == (with_reason.rejects, with_reason.count)

    @pytest.mark.parametrize(
        "reject",
        [
            {"code": "made-up", "detail": ""},
            {"code": "time-invalid", "detail": "\0"},
            {"code": "time-invalid"},
            "no",
            7,
        ],
    )
    def test_what_is_no_reason_changes_nothing(self, reject: object) -> None:
        packet = packets.decode(orjson.dumps({"series": [{"t": [1], "v": [None], "rejects": {"0": reject}}]}))
        assert [one.code for one in packet.rejects] == ["value-missing"]


def test_the_physical_values_of_an_edge_agent_come_along() -> None:
    body = {"series": [{"sensor_id": SENSOR, "t": [1, 2], "v": [3, 4], "p": [5.5, None], "profile_version": 2}]}
    (series,) = packets.decode(orjson.dumps(body)).series
    assert series.physical is not None
    assert (series.physical[0], series.profile_version) == (5.5, 2)
    assert math.isnan(series.physical[1])


@pytest.mark.parametrize(
    ("body", "loc"),
    [
        (b"7", []),
        (b"{}", []),
        (b'{"samples":1}', ["samples"]),
        (b'{"series":[{"t":[1],"v":[1,2]}]}', ["series", 0]),
        (b'{"series":[{"t":[1],"v":[1],"p":[]}]}', ["series", 0, "p"]),
        (b'{"series":[{"t":[1],"v":[null],"rejects":[1]}]}', ["series", 0, "rejects"]),
        (b'{"series":[{"t":[1],"v":[1],"sensor_id":"x"}]}', ["series", 0, "sensor_id"]),
        (b'{"samples":[],"seq":-1}', ["seq"]),
        (b'{"samples":[],"batch_id":""}', ["batch_id"]),
    ],
)
def test_a_fault_of_shape_says_where(body: bytes, loc: list[Any]) -> None:
    with pytest.raises(PacketInvalid) as caught:
        packets.decode(body)
    assert caught.value.loc == loc


class TestVectors:
    @given(st.lists(st.lists(values, min_size=1, max_size=8), min_size=1, max_size=6))
    def test_elements_come_back_bit_for_bit(self, rows: list[list[float]]) -> None:
        packet = packets.decode(orjson.dumps({"samples": [{"t": i, "v": row} for i, row in enumerate(rows)]}))
        (series,) = packet.series
        assert (packet.count, packet.rejects) == (len(rows), [])
        for i, row in enumerate(rows):
            assert series.vectors[i].tobytes() == np.array(row, np.float64).tobytes()
            assert series.raw[i] == max(row)

    def test_stand_among_numbers(self) -> None:
        column = {"sensor_id": SENSOR, "t": [1, 2, 3, 4], "v": [5.0, [1.0, 9.0], [], [2]]}
        (series,) = packets.decode(orjson.dumps({"series": [column]})).series
        assert (series.raw.tolist(), series.index.tolist()) == ([5.0, 9.0, 2.0], [0, 1, 3])
        assert {place: vector.tolist() for place, vector in series.vectors.items()} == {1: [1.0, 9.0], 2: [2.0]}

    @pytest.mark.parametrize(
        ("vector", "why"),
        [
            ("[]", "a vector has 1 to 16384 elements"),
            ("[" + "0," * 16_384 + "0]", "a vector has 1 to 16384 elements"),
            ("[0, null]", "element 1 is no number"),
            ("[true]", "element 0 is no number"),
            ("[[1]]", "element 0 is no number"),
            ("[0, 1e999]", "element 1 is no finite float64"),
        ],
    )
    def test_a_fault_costs_its_own_sample_only(self, vector: str, why: str) -> None:
        packet = packets.decode(f'{{"samples": [{{"t": 1, "v": {vector}}}, {{"t": 2, "v": [3]}}]}}'.encode())
        assert [(r.index, r.code, r.detail, r.t_us) for r in packet.rejects] == [(0, "vector-invalid", why, 1_000_000)]
        assert packet.series[0].raw.tolist() == [3.0]
