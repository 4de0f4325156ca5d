"""Packets as lines: together what each is alone, each fault with its line."""

from typing import Any

import numpy as np
import orjson
from hypothesis import given
from hypothesis import strategies as st

from contract.packet_lines import Lines, Place, decode_lines
from contract.packets import decode
from contract.samples import Packet, Reject
from tests.contract.test_packets import SENSOR, seconds, values

OTHER = "00000000-0000-0000-0000-000000000001"
rows = st.fixed_dictionaries(
    {"samples": st.lists(st.fixed_dictionaries({"t": seconds, "v": values | st.none()}), max_size=4)},
    optional={"sensor_id": st.sampled_from([SENSOR, OTHER]), "seq": st.integers(0, 9), "batch_id": st.just("b")},
)
columns = st.lists(st.tuples(seconds, values), max_size=4).map(
    lambda samples: {"series": [{"sensor_id": SENSOR, "t": [t for t, _ in samples], "v": [v for _, v in samples]}]}
)


def text(*packets: object) -> bytes:
    return b"\n".join(orjson.dumps(packet) for packet in packets)


def found(lines: Lines) -> list[Any]:
    """Every good sample and every reject, with the line that it stood on."""
    good = [
        (place.line, place.index, str(series.sensor_id), int(series.t_us[i]), series.raw[i].tobytes())
        for at, series in enumerate(lines.packet.series)
        for i in range(len(series.raw))
        for place in lines.origins[at].of(Reject(at, int(series.index[i]), "", ""))
    ]
    bad = [
        (place.line, place.index, reject.code)
        for reject in lines.packet.rejects
        for place in lines.origins[reject.series].of(reject)
    ]
    return sorted([*good, *bad])


def expected(packets: list[Packet]) -> list[Any]:
    """The same, from packets that were decoded each by itself."""
    good = [
        (line, int(series.index[i]), str(series.sensor_id), int(series.t_us[i]), series.raw[i].tobytes())
        for line, packet in enumerate(packets, 1)
        for series in packet.series
        for i in range(len(series.raw))
    ]
    bad = [(line, reject.index, reject.code) for line, packet in enumerate(packets, 1) for reject in packet.rejects]
    return sorted([*good, *bad])


@given(st.lists(rows | columns, max_size=6), st.booleans())
def test_lines_hold_what_their_packets_hold(packets: list[dict[str, Any]], ends: bool) -> None:
    lines = decode_lines(text(*packets) + (b"\n" if ends else b""))
    alone = [decode(orjson.dumps(packet)) for packet in packets]
    assert found(lines) == expected(alone)
    assert lines.count == sum(packet.count for packet in alone)
    assert lines.faults == []


def test_many_lines_of_one_sensor_are_one_series() -> None:
    lines = decode_lines(text(*({"samples": [{"t": i, "v": i}, {"t": i + 0.5, "v": -i}]} for i in range(500))))
    (series,) = lines.packet.series
    assert len(series.raw) == lines.count == 1000
    assert lines.origins[0].of(Reject(0, 999, "", "")) == [Place(500, None, 1)]


def test_a_reject_of_a_whole_series_names_each_of_its_lines() -> None:
    lines = decode_lines(text({"samples": [{"t": 1, "v": 1}]}, {"samples": []}, {"samples": [{"t": 2, "v": 2}]}))
    assert lines.origins[0].of(Reject(0, None, "", "")) == [Place(1, None, None, 1), Place(3, None, None, 1)]


def test_a_bad_line_costs_no_other_and_blank_ones_count() -> None:
    good = {"samples": [{"t": 1, "v": 1}]}
    lines = decode_lines(b"\n\n".join([text(good), b"{broken", text({"samples": 1}), b"  \r", text(good, good)]))
    assert [(fault.line, fault.code) for fault in lines.faults] == [(3, "line-broken"), (5, "line-invalid")]
    assert [origin.line.tolist() for origin in lines.origins] == [[1], [9], [10]]


def test_a_line_is_what_ends_with_a_line_feed() -> None:
    good = text({"samples": [{"t": 1, "v": 1}]})
    lines = decode_lines(good + b" " + good + b"\n \r\n" + good + b"\r\n" + good.replace(b"[", b"[\n"))
    assert [(fault.line, fault.code) for fault in lines.faults] == [(n, "line-broken") for n in (1, 4, 5)]
    assert [origin.line.tolist() for origin in lines.origins] == [[3]]
    assert decode_lines(b" \r\n" + good).origins[0].line.tolist() == [2]


def test_packets_without_times_stay_apart() -> None:
    lines = decode_lines(text({"samples": [{"v": 1}]}, {"samples": [{"t": 1, "v": 1}]}, {"samples": [{"v": 2}]}))
    assert [number for number, _ in lines.alone] == [1, 3]
    assert [origin.line.tolist() for origin in lines.origins] == [[2]]
    assert lines.count == 3


@given(st.binary(max_size=60))
def test_any_bytes_are_lines(body: bytes) -> None:
    assert isinstance(decode_lines(body), Lines)


def test_the_last_line_is_not_lost_without_its_end() -> None:
    assert np.concatenate([s.raw for s in decode_lines(b'{"samples":[{"t":1,"v":4}]}').packet.series]).tolist() == [4.0]
