"""Packets in msgpack: the same as in JSON, columns of bytes too, and every fault is named."""

import contextlib
import math
from datetime import UTC, datetime
from typing import Any

import msgspec
import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.packets import decode, decode_packed
from contract.samples import NO_TIME, Packet, PacketBroken, PacketInvalid
from tests.contract.test_packets import FIELDS, SENSOR, json_values, seconds, shaped, values

pack = msgspec.msgpack.encode
samples = st.lists(st.tuples(seconds, values), max_size=20)


def bits(packet: Packet) -> list[Any]:
    """All of a packet, the values bit for bit."""
    return [
        (one.sensor_id, one.t_us.tolist(), one.raw.tobytes(), one.index.tolist(), one.seq, one.boot, one.meta)
        for one in packet.series
    ]


@given(samples)
def test_rows_equal_those_in_json(rows: list[tuple[float, float]]) -> None:
    document = {"seq": 3, "boot": "a", "samples": [{"t": t, "v": v} for t, v in rows]}
    assert bits(decode_packed(pack(document))) == bits(decode(orjson.dumps(document)))


@given(st.lists(samples, min_size=1, max_size=4))
def test_columns_as_numbers_and_as_bytes_equal_those_in_json(series: list[list[tuple[float, float]]]) -> None:
    def packet(column: Any, time_column: Any) -> dict[str, Any]:
        return {
            "batch_id": "b",
            "series": [
                {"sensor_id": SENSOR, "t": time_column([t for t, _ in one]), "v": column([v for _, v in one]), "seq": i}
                for i, one in enumerate(series)
            ],
        }

    plain = packet(list, list)
    expected = bits(decode(orjson.dumps(plain)))
    assert bits(decode_packed(pack(plain))) == expected
    blocks = packet(
        lambda v: np.array(v, "<f8").tobytes(), lambda t: np.array([round(s * 1e6) for s in t], "<i8").tobytes()
    )
    assert bits(decode_packed(pack(blocks))) == expected


@given(st.lists(st.floats(), min_size=1, max_size=10))
def test_nan_and_infinity_are_rejected_one_by_one(numbers: list[float]) -> None:
    rows = [{"t": 1.0 + i, "v": v} for i, v in enumerate(numbers)]
    columns = {"t": [row["t"] for row in rows], "v": numbers}
    blocks = {"t": np.array(columns["t"]).astype("<i8").tobytes(), "v": np.array(numbers, "<f8").tobytes()}
    bad = [i for i, v in enumerate(numbers) if not math.isfinite(v)]
    for document in ({"samples": rows}, {"series": [columns]}, {"series": [blocks]}):
        packet = decode_packed(pack(document))
        assert [(r.index, r.code) for r in packet.rejects] == [(i, "value-not-finite") for i in bad]
        assert packet.series[0].raw.tolist() == [v for v in numbers if math.isfinite(v)]
        assert packet.count == len(numbers)


def test_times_come_as_timestamps_texts_and_not_at_all() -> None:
    at = datetime(2026, 11, 23, 8, tzinfo=UTC)
    times = [at, at.isoformat(), at.timestamp(), None]
    (series,) = decode_packed(pack({"samples": [{"t": t, "v": 1.0} for t in times]})).series
    assert series.t_us.tolist() == [1795420800000000] * 3 + [NO_TIME]
    faulty = decode_packed(pack({"samples": [{"t": t, "v": 1.0} for t in [*times, datetime(2026, 1, 1)]]}))  # noqa: DTZ001 - a time without its offset is the fault
    assert [(r.index, r.code) for r in faulty.rejects] == [(4, "time-invalid")]
    assert faulty.series[0].t_us.tolist() == series.t_us.tolist()


def test_bytes_of_one_column_go_with_numbers_of_the_other() -> None:
    column = {"t": [1.0, 2.0], "v": np.array([3.0, 4.0], "<f8").tobytes(), "p": np.array([5.0, np.nan]).tobytes()}
    (series,) = decode_packed(pack({"series": [column]})).series
    assert (series.t_us.tolist(), series.raw.tolist()) == ([1_000_000, 2_000_000], [3.0, 4.0])
    assert series.physical is not None
    assert series.physical[0] == 5.0
    assert math.isnan(series.physical[1])


def test_vectors_come_as_numbers_and_as_bytes() -> None:
    spectrum = [0.5, 3.0, -0.0]
    values = [spectrum, np.array(spectrum, "<f8").tobytes(), b"1234567", np.array([np.nan]).tobytes()]
    for document in (
        {"samples": [{"t": i, "v": v} for i, v in enumerate(values)]},
        {"series": [{"t": [0.0, 1.0, 2.0, 3.0], "v": values}]},
    ):
        packet = decode_packed(pack(document))
        (series,) = packet.series
        assert [vector.tobytes() for vector in series.vectors.values()] == [np.array(spectrum).tobytes()] * 2
        assert series.raw.tolist() == [3.0, 3.0]
        assert [(r.index, r.code) for r in packet.rejects] == [(2, "vector-invalid"), (3, "vector-invalid")]


@pytest.mark.parametrize(
    ("document", "loc"),
    [
        ({"series": [{"t": b"1234567", "v": b"12345678"}]}, ["series", 0, "t"]),
        ({"series": [{"t": b"12345678", "v": b""}]}, ["series", 0]),
        ({"series": [{"t": b"", "v": b"", "p": b"12345678"}]}, ["series", 0, "p"]),
        ({"series": [{"t": [], "v": [], "sensor_id": b"short"}]}, ["series", 0, "sensor_id"]),
        ([1], []),
    ],
)
def test_a_fault_of_shape_says_where(document: object, loc: list[Any]) -> None:
    with pytest.raises(PacketInvalid) as caught:
        decode_packed(pack(document))
    assert caught.value.loc == loc


@pytest.mark.parametrize(
    "body", [b"", b"\xc1", b"\x81\x90\x01", b"\x91" * 100_000, b"\xdd\xff\xff\xff\xff", b"\x01\x02"]
)
def test_what_is_no_msgpack_is_broken(body: bytes) -> None:
    with pytest.raises((PacketBroken, PacketInvalid)):
        decode_packed(body)


@given(st.binary(max_size=60))
def test_any_bytes_are_a_packet_or_a_named_fault(body: bytes) -> None:
    with contextlib.suppress(PacketBroken, PacketInvalid):
        decode_packed(body)


@given(st.dictionaries(st.sampled_from(FIELDS), json_values | st.binary() | st.lists(shaped, max_size=3), max_size=4))
def test_any_document_is_a_packet_or_a_named_fault(document: dict[str, Any]) -> None:
    try:
        body = pack(document)
    except OverflowError:
        return  # msgpack has no integers of that size
    try:
        packet = decode_packed(body)
    except PacketInvalid:
        return
    assert sum(len(series.raw) for series in packet.series) + len(packet.rejects) == packet.count
