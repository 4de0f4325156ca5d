"""ThingsBoard telemetry: the forms its reference names, and every value that is no number named."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.formats.channels import ChannelKey, Decoded, TooManySamples
from contract.formats.thingsboard import decode
from contract.packets import NO_TIME, PacketBroken, PacketInvalid
from tests.cases import cases
from tests.contract.formats.printing import Sample, columns, refusals, samples_of, thingsboard

TS = 1_795_420_800_125
T = TS * 1000

names = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=6)
values = st.floats(allow_nan=False, allow_infinity=False)
times = st.integers(-4_000_000_000_000, 4_000_000_000_000).map(lambda ms: ms * 1000)


def of(document: object) -> Decoded:
    return decode(json.dumps(document).encode())


@cases(40)
@given(st.lists(st.builds(Sample, names.map(ChannelKey), times | st.just(NO_TIME), values), max_size=15))
def test_what_is_printed_is_read_back(samples: list[Sample]) -> None:
    decoded = decode(thingsboard(samples))
    assert decoded.rejects == []
    assert samples_of(decoded) == samples


class TestGoldenPackets:
    """Own packets after "Payload Formats" in the reference of the HTTP device API."""

    def test_keys_and_values(self) -> None:
        assert columns(of({"temp": 42.5, "rpm": 73})) == {"rpm": [(0, NO_TIME, 73.0)], "temp": [(0, NO_TIME, 42.5)]}

    def test_with_a_time(self) -> None:
        assert columns(of({"ts": TS, "values": {"temp": 42, "on": True}})) == {
            "on": [(0, T, 1.0)],
            "temp": [(0, T, 42.0)],
        }

    def test_lists_of_both(self) -> None:
        document = [{"ts": TS, "values": {"a": 1}}, {"a": 2}, {"ts": TS + 1, "values": {"a": 3, "b": False}}]
        assert columns(of(document)) == {
            "a": [(0, T, 1.0), (1, NO_TIME, 2.0), (2, T + 1000, 3.0)],
            "b": [(2, T + 1000, 0.0)],
        }

    def test_of_the_kinds_of_value_the_numbers_are_taken(self) -> None:
        decoded = of(
            {"text": "ok", "flag": True, "double": 42.0, "long": 73, "json": {"n": 1}, "list": [1], "none": None}
        )
        taken = {name: got[0][2] for name, got in columns(decoded).items() if got}
        assert taken == {"flag": 1.0, "double": 42.0, "long": 73.0}
        assert refusals(decoded) == [
            (0, "value-not-a-number", "json"),
            (0, "value-not-a-number", "list"),
            (0, "value-missing", "none"),
            (0, "value-not-a-number", "text"),
        ]

    @pytest.mark.parametrize(("text", "value"), [("12", 12.0), ("-1.5", -1.5), (".5", 0.5), ("007", 7.0)])
    def test_a_text_that_is_a_number_counts_as_one(self, text: str, value: float) -> None:
        assert columns(of({"a": text})) == {"a": [(0, NO_TIME, value)]}

    @pytest.mark.parametrize(
        "text", ["", "1e5", "+1", "1.", "0x10", "NaN", "Infinity", " 1", "1\n", "١", "true", "1_0", "-"]
    )
    def test_other_texts_do_not(self, text: str) -> None:
        assert refusals(of({"a": text, "b": 1})) == [(0, "value-not-a-number", "a")]

    def test_ts_without_values_is_a_key(self) -> None:
        assert columns(of({"ts": 5, "a": 1})) == {"a": [(0, NO_TIME, 1.0)], "ts": [(0, NO_TIME, 5.0)]}


class TestFaults:
    @pytest.mark.parametrize(
        ("entry", "code"),
        [
            ({"ts": None, "values": {"a": 1}}, "time-invalid"),
            ({"ts": "soon", "values": {"a": 1}}, "time-invalid"),
            ({"ts": True, "values": {"a": 1}}, "time-invalid"),
            ({"ts": 10**400, "values": {"a": 1}}, "time-invalid"),
            ({"ts": -1e300, "values": {"a": 1}}, "time-invalid"),
            ({"ts": TS, "values": 5}, "record-invalid"),
            ({"ts": TS, "values": [{"a": 1}]}, "record-invalid"),
            (5, "record-invalid"),
            ([{"a": 1}], "record-invalid"),
            (None, "record-invalid"),
            ({"": 1}, "name-missing"),
            ({"a\x00": 1}, "name-invalid"),
            ({"\ud800": 1}, "name-invalid"),
            ({"x" * 1001: 1}, "name-invalid"),
        ],
    )
    def test_of_an_entry_cost_no_other(self, entry: object, code: str) -> None:
        decoded = of([{"a": 1}, entry, {"ts": TS, "values": {"a": 2}}])
        assert refusals(decoded) == [(1, code, None)]
        assert columns(decoded) == {"a": [(0, NO_TIME, 1.0), (2, T, 2.0)]}

    def test_a_number_beyond_float64_costs_itself_only(self) -> None:
        decoded = decode(b'{"a":1e999,"b":' + b"9" * 400 + b',"c":"' + b"9" * 400 + b'","d":1}')
        assert refusals(decoded) == [(0, "value-not-finite", name) for name in "abc"]
        assert columns(decoded)["d"] == [(0, NO_TIME, 1.0)]

    @pytest.mark.parametrize(("ts", "t_us"), [(str(TS), T), (TS + 0.5, T + 500), (float(TS), T), (-1, -1000)])
    def test_other_writings_of_a_time(self, ts: object, t_us: int) -> None:
        assert columns(of({"ts": ts, "values": {"a": 1}})) == {"a": [(0, t_us, 1.0)]}

    @pytest.mark.parametrize("body", [b"5", b'"x"', b"null", b"true"])
    def test_json_of_another_shape(self, body: bytes) -> None:
        with pytest.raises(PacketInvalid):
            decode(body)

    @pytest.mark.parametrize("body", [b"", b"{", b'{"a":NaN}', b"\xff", b'{"a":1}x', b'{"a":' * 100_000])
    def test_what_is_no_json(self, body: bytes) -> None:
        with pytest.raises(PacketBroken):
            decode(body)

    def test_more_than_one_request_may(self) -> None:
        body = json.dumps([{"a": 1, "b": "x"}] * 5).encode()
        assert decode(body, limit=10).count == 10
        with pytest.raises(TooManySamples):
            decode(body, limit=9)
