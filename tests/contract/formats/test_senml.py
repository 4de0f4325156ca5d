"""SenML: records are resolved as RFC 8428 says, and one bad record never costs the others."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.formats.channels import ChannelKey, Decoded, TooManySamples
from contract.formats.senml import FIRST_ABSOLUTE_S, decode
from contract.packets import NO_TIME, PacketBroken, PacketInvalid
from tests.cases import cases
from tests.contract.formats.printing import Sample, columns, refusals, samples_of, senml

NOW_US = 1_795_420_800_000_000
NAME = "urn:dev:mac:0024befffe804ff1:"

names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9\-:./_]{0,8}", fullmatch=True)
units = st.sampled_from(["", "Cel", "%RH", "m/s2"])
values = st.floats(allow_nan=False, allow_infinity=False)
times = st.integers(FIRST_ABSOLUTE_S * 1_000_000, 4_000_000_000_000_000)
keys = st.builds(ChannelKey, names, units)
sums = st.builds(lambda name, unit: ChannelKey(f"{name}#sum", f"{unit}·s" if unit else ""), names, units)


def of(*records: Any) -> Decoded:
    return decode(json.dumps(records).encode(), NOW_US)


@cases(40)
@given(st.lists(st.builds(Sample, keys | sums, times | st.just(NO_TIME), values), max_size=15))
def test_what_is_printed_is_read_back(samples: list[Sample]) -> None:
    decoded = decode(senml(samples), NOW_US)
    assert decoded.rejects == []
    assert samples_of(decoded) == samples


class TestGoldenPackets:
    """Own packs after the examples of section 5.1."""

    def test_a_single_value_now(self) -> None:
        assert columns(of({"n": NAME + "t", "u": "Cel", "v": 21.5})) == {f"{NAME}t [Cel]": [(0, NO_TIME, 21.5)]}

    def test_base_name_time_and_unit(self) -> None:
        pack = [
            {"bn": NAME, "bt": 1_795_420_800.25, "bu": "A", "bver": 5, "n": "u", "u": "V", "v": 230},
            {"n": "i", "t": -2, "v": 1.5},
            {"n": "i", "t": -1, "v": 1.25},
            {"n": "i", "v": 1.75},
        ]
        t = NOW_US + 250_000
        assert columns(of(*pack)) == {
            f"{NAME}i [A]": [(1, t - 2_000_000, 1.5), (2, t - 1_000_000, 1.25), (3, t, 1.75)],
            f"{NAME}u [V]": [(0, t, 230.0)],
        }

    def test_quantities_of_one_name_are_told_apart_by_their_unit(self) -> None:
        pack = [{"bn": "urn:dev:x", "bt": 1.7e9, "bu": "%RH", "v": 20}, {"u": "lon", "v": 24.5}, {"t": 60, "v": 21}]
        assert columns(of(*pack)) == {
            "urn:dev:x [%RH]": [(0, 1_700_000_000_000_000, 20.0), (2, 1_700_000_060_000_000, 21.0)],
            "urn:dev:x [lon]": [(1, 1_700_000_000_000_000, 24.5)],
        }

    def test_data_types(self) -> None:
        decoded = of(
            {"bn": NAME, "n": "t", "v": 23.5}, {"n": "l", "vs": "lab"}, {"n": "o", "vb": True}, {"n": "d", "vd": "aGk"}
        )
        assert columns(decoded) == {
            f"{NAME}d": [],
            f"{NAME}l": [],
            f"{NAME}o": [(2, NO_TIME, 1.0)],
            f"{NAME}t": [(0, NO_TIME, 23.5)],
        }
        assert refusals(decoded) == [(1, "value-not-a-number", f"{NAME}l"), (3, "value-not-a-number", f"{NAME}d")]

    def test_a_base_field_holds_until_the_next_of_its_kind(self) -> None:
        pack = [
            {"bn": "2001:db8::2/", "bt": 1.7e9, "n": "t", "v": 1},
            {"bn": "2001:db8::1/", "n": "t", "v": 2},
            {"n": "h", "v": 3},
        ]
        t = 1_700_000_000_000_000
        assert columns(of(*pack)) == {
            "2001:db8::1/h": [(2, t, 3.0)],
            "2001:db8::1/t": [(1, t, 2.0)],
            "2001:db8::2/t": [(0, t, 1.0)],
        }

    def test_a_record_of_base_fields_alone_measures_nothing(self) -> None:
        decoded = of({"bn": NAME, "bv": 3}, {"n": "t", "v": 1})
        assert (columns(decoded), decoded.count) == ({f"{NAME}t": [(1, NO_TIME, 4.0)]}, 1)


class TestTime:
    @pytest.mark.parametrize(
        ("record", "t_us"),
        [
            ({"t": -5}, NOW_US - 5_000_000),
            ({"t": 0.25}, NOW_US + 250_000),
            ({"t": 2**28 - 1}, NOW_US + (2**28 - 1) * 1_000_000),
            ({"t": 2**28}, 2**28 * 1_000_000),
            ({"bt": 2**28 - 1, "t": 1}, 2**28 * 1_000_000),
            ({"bt": -5, "t": 5}, NO_TIME),
            ({"t": 0}, NO_TIME),
            ({"bt": 1_700_000_000.123456, "t": 0.000001}, 1_700_000_000_123_457),
        ],
    )
    def test_below_two_to_the_28th_it_counts_from_now(self, record: dict[str, Any], t_us: int) -> None:
        assert of({"n": "a", "v": 1, **record}).channels[0].t_us.tolist() == [t_us]

    @pytest.mark.parametrize("t", ["soon", None, True, [], 1e300, -1e13, 10**400])
    def test_what_is_no_time_is_named(self, t: object) -> None:
        decoded = of({"n": "a", "v": 1, "t": t}, {"n": "a", "v": 2})
        assert refusals(decoded) == [(0, "time-invalid", None)]
        assert columns(decoded) == {"a": [(1, NO_TIME, 2.0)]}


class TestValues:
    @pytest.mark.parametrize(
        ("record", "value"),
        [
            ({"v": 1, "bv": 20}, 21.0),
            ({"u": "A", "bv": 20}, 20.0),
            ({"vb": False, "bv": 20}, 0.0),
            ({"v": 7, "ut": 60, "x": "ignored", "bx": 1}, 7.0),
        ],
    )
    def test_value_and_base_value_are_added(self, record: dict[str, Any], value: float) -> None:
        assert of({"n": "a", **record}).channels[0].raw.tolist() == [value]

    def test_sums_are_a_channel_of_their_own(self) -> None:
        pack = [{"n": "a", "u": "W", "v": 5, "s": 100}, {"n": "a", "u": "W", "s": 105}, {"n": "b", "s": 1}]
        assert columns(of(*pack)) == {
            "a [W]": [(0, NO_TIME, 5.0)],
            "a#sum [W·s]": [(0, NO_TIME, 100.0), (1, NO_TIME, 105.0)],
            "b#sum": [(2, NO_TIME, 1.0)],
        }

    def test_a_base_sum_is_added_and_stands_alone(self) -> None:
        assert columns(of({"bs": 100, "n": "a", "s": 5}, {"n": "a", "v": 1})) == {
            "a": [(1, NO_TIME, 1.0)],
            "a#sum": [(0, NO_TIME, 105.0), (1, NO_TIME, 100.0)],
        }

    @pytest.mark.parametrize(
        ("record", "code", "channel"),
        [
            ({}, "value-missing", "a"),
            ({"v": None}, "value-missing", "a"),
            ({"v": "12"}, "value-not-a-number", "a"),
            ({"v": True}, "value-not-a-number", "a"),
            ({"v": 10**400}, "value-not-finite", "a"),
            ({"v": 1.7e308, "bv": 1.7e308}, "value-not-finite", "a"),
            ({"vb": 1}, "value-invalid", "a"),
            ({"v": 1, "vb": True}, "value-ambiguous", "a"),
            ({"s": "x"}, "value-not-a-number", "a#sum"),
            ({"s": 1.7e308, "bs": 1.7e308}, "value-not-finite", "a#sum"),
        ],
    )
    def test_faults_are_named(self, record: dict[str, Any], code: str, channel: str) -> None:
        decoded = of({"n": "a", **record}, {"bv": 0, "bs": 0, "n": "b", "v": 2})
        assert refusals(decoded) == [(0, code, channel)]
        assert columns(decoded)["b"] == [(1, NO_TIME, 2.0)]

    def test_a_number_beyond_float64_costs_its_record_only(self) -> None:
        decoded = decode(b'[{"n":"a","v":1e999},{"n":"a","v":2}]', NOW_US)
        assert (refusals(decoded), columns(decoded)) == ([(0, "value-not-finite", "a")], {"a": [(1, NO_TIME, 2.0)]})


class TestNames:
    @pytest.mark.parametrize("name", ["a", "0", "urn:dev:ow:10e2073a01080063", "2001:db8::2/t", "A-b.c_d"])
    def test_the_rules_characters(self, name: str) -> None:
        assert list(columns(of({"n": name, "v": 1}))) == [name]

    @pytest.mark.parametrize(
        ("record", "code"),
        [
            ({}, "name-missing"),
            ({"n": ""}, "name-missing"),
            ({"n": ":a"}, "name-invalid"),
            ({"bn": "-", "n": "a"}, "name-invalid"),
            ({"n": "a b"}, "name-invalid"),
            ({"n": "a#sum"}, "name-invalid"),
            ({"n": "é"}, "name-invalid"),
            ({"n": "a\n"}, "name-invalid"),
            ({"n": "\ud800"}, "name-invalid"),
            ({"n": "x" * 1001}, "name-invalid"),
            ({"n": 5}, "name-invalid"),
            ({"n": "a", "u": 5}, "unit-invalid"),
            ({"n": "a", "u": "\x00"}, "name-invalid"),
            ({"n": "a", "must_": 1}, "label-unknown"),
        ],
    )
    def test_faults_cost_their_record_only(self, record: dict[str, Any], code: str) -> None:
        decoded = of({"v": 1, **record}, {"bn": "", "n": "b", "v": 2})
        assert refusals(decoded) == [(0, code, None)]
        assert columns(decoded)["b"] == [(1, NO_TIME, 2.0)]

    def test_base_fields_count_in_a_record_that_is_refused(self) -> None:
        assert list(columns(of({"bn": "x:", "n": "a", "v": 1, "must_": 1}, {"n": "b", "v": 2}))) == ["x:b"]

    @pytest.mark.parametrize("entry", [None, 5, "x", [], True])
    def test_what_is_no_record_is_named(self, entry: object) -> None:
        assert refusals(of(entry, {"n": "a", "v": 1})) == [(0, "record-invalid", None)]


class TestPack:
    @pytest.mark.parametrize("version", [1, 5, 10, 26])
    def test_versions_that_are_understood(self, version: int) -> None:
        pack = [
            {"bver": version, "n": "a", "v": 1},
            {"bn": "b:", "n": "a", "v": 2},
            {"bver": version, "n": "a", "v": 3},
        ]
        assert of(*pack).count == 3

    @pytest.mark.parametrize(
        ("pack", "loc"),
        [
            ([{"bver": 11}], [0, "bver"]),
            ([{"bver": 0}], [0, "bver"]),
            ([{"bver": 9.5}], [0, "bver"]),
            ([{"bver": True}], [0, "bver"]),
            ([{"n": "a", "v": 1}, {"bver": 5}], [1, "bver"]),
            ([{"bver": 5}, {"bver": 10}], [1, "bver"]),
            ([{"n": "a", "v": 1}, {"bn": 5}], [1, "bn"]),
            ([{"bu": None}], [0, "bu"]),
            ([{"bt": "x"}], [0, "bt"]),
            ([{"bv": 10**400}], [0, "bv"]),
            ([{"bs": []}], [0, "bs"]),
            ([{"x": 1, "a_": 1, "bx_": 1}], [0, "bx_"]),
            ({"n": "a", "v": 1}, []),
            (5, []),
        ],
    )
    def test_a_fault_of_the_whole_pack_refuses_it(self, pack: object, loc: list[Any]) -> None:
        with pytest.raises(PacketInvalid) as caught:
            decode(json.dumps(pack).encode(), NOW_US)
        assert caught.value.loc == loc

    @pytest.mark.parametrize("body", [b"", b"[", b"[NaN]", b"\xff", b'[{"v":' + b"1" * 5000 + b"}]", b"[" * 100_000])
    def test_what_is_no_json_is_refused(self, body: bytes) -> None:
        with pytest.raises(PacketBroken):
            decode(body, NOW_US)

    def test_more_than_one_request_may(self) -> None:
        pack = json.dumps([{"n": "a", "v": 1, "s": 1}] * 5).encode()
        assert decode(pack, NOW_US, limit=10).count == 10
        with pytest.raises(TooManySamples):
            decode(pack, NOW_US, limit=9)
