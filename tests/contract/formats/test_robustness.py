"""Whatever is sent: a named fault or a result, in time and memory that grow no faster than the body."""

import gc
import json
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.formats import line_protocol, senml, thingsboard
from contract.formats.channels import MAX_SAMPLES, Decoded, TooManySamples
from contract.packets import PacketBroken, PacketInvalid
from tests.cases import cases

Decode = Callable[[bytes, int], Decoded]
FAULTS = (PacketBroken, PacketInvalid, TooManySamples)
NO_LIMIT = 10**9


def read_lines(body: bytes, limit: int) -> Decoded:
    return line_protocol.decode(body, "ns", limit)


def read_senml(body: bytes, limit: int) -> Decoded:
    return senml.decode(body, 1_795_420_800_000_000, limit)


def read_thingsboard(body: bytes, limit: int) -> Decoded:
    return thingsboard.decode(body, limit)


every_format = pytest.mark.parametrize("decode", [read_lines, read_senml, read_thingsboard])
json_format = pytest.mark.parametrize("decode", [read_senml, read_thingsboard])
labels = st.sampled_from(["bn", "bt", "bv", "bs", "bver", "n", "u", "v", "vb", "s", "t", "x_", "ts", "values", "a"])
json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(labels, inner, max_size=3),
    max_leaves=6,
)


def result_or_fault(decode: Decode, body: bytes, limit: int = MAX_SAMPLES) -> None:
    try:
        decoded = decode(body, limit)
    except FAULTS:
        return
    kept = sum(len(channel.raw) for channel in decoded.channels)
    assert kept + len(decoded.rejects) == decoded.count
    for reject in decoded.rejects:
        assert reject.detail
        assert len(reject.detail) < 400
        reject.detail.encode()


class TestAnything:
    @every_format
    @cases(40)
    @given(body=st.binary(max_size=80))
    def test_bytes(self, decode: Decode, body: bytes) -> None:
        result_or_fault(decode, body)

    @cases(80)
    @given(body=st.text('ab,= \n\r\t\\"#/1-.eiué\x00', max_size=60))
    def test_what_looks_like_lines(self, body: str) -> None:
        result_or_fault(read_lines, body.encode())

    @json_format
    @cases(40)
    @given(document=json_values | st.lists(st.dictionaries(labels, json_values, max_size=4), max_size=3))
    def test_json(self, decode: Decode, document: Any) -> None:
        result_or_fault(decode, json.dumps(document).encode())


# Patterns that have quadratic readings: what opens and never closes, what is cut again and again, what is named anew.
LINES: dict[str, tuple[bytes, bytes, bytes]] = {
    "line breaks": (b"", b"\n", b""),
    "quotes": (b"", b'"', b""),
    "strings that open": (b"", b'a f="\n', b""),
    "strings that close into text": (b"", b'a f="x\nb g=', b""),
    "escaped quotes": (b'a f="', b'a f=\\"\n', b""),
    "openings in one line": (b"a f", b'="x', b""),
    "equals signs beside a quote": (b'a "', b"=", b""),
    "backslashes": (b"", b"\\", b""),
    "escaped spaces": (b"", b"\\ ", b""),
    "escaped commas": (b"a", b"\\,", b" f=1"),
    "commas": (b"a", b",", b""),
    "tags": (b"a", b",a=b", b" f=1"),
    "fields": (b"a ", b"f=1,", b"f=1"),
    "spaces": (b"a", b" ", b""),
    "a long number": (b"a f=", b"1", b"x 5"),
    "a long time": (b"a f=1 ", b"1", b""),
    "times": (b"", b"a f=1 99999999999999999999\n", b""),
    "bad lines": (b"", b"a\n", b""),
    "comments": (b"", b"#\n", b""),
}
JSON: dict[str, tuple[bytes, bytes, bytes]] = {
    "lists": (b"", b"[", b""),
    "objects": (b"", b'{"a":', b""),
    "empty objects": (b"[", b"{},", b"{}]"),
    "numbers": (b"[", b"1,", b"1]"),
    "a long number": (b'[{"n":"a","v":', b"1", b"}]"),
    "a long fraction": (b'[{"n":"a","v":0.', b"1", b"}]"),
    "a long text": (b'[{"n":"', b"1", b'"}]'),
    "escapes": (b'[{"n":"', b"\\u0041", b'"}]'),
    "a base name again and again": (b"[", b'{"bn":"a","v":1},', b"{}]"),
    "numbers beyond float64": (b"[", b'{"n":"a","v":1e999},', b"{}]"),
}
CASES = [(read_lines, pattern) for pattern in LINES.values()]
CASES += [(decode, pattern) for decode in (read_senml, read_thingsboard) for pattern in JSON.values()]
NAMES = [f"lines: {name}" for name in LINES]
NAMES += [f"{fmt}: {name}" for fmt in ("senml", "thingsboard") for name in JSON]


def grown(pattern: tuple[bytes, bytes, bytes], size: int) -> bytes:
    begin, middle, end = pattern
    return begin + middle * (size // len(middle)) + end


def seconds(decode: Decode, body: bytes) -> float:
    def once() -> float:
        start = time.process_time()
        result_or_fault(decode, body, NO_LIMIT)
        return time.process_time() - start

    gc.disable()  # a full collection in the midst of the longer body would count against it
    try:
        return min(once() for _ in range(3))
    finally:
        gc.enable()


@pytest.mark.parametrize(("decode", "pattern"), CASES, ids=NAMES)
def test_time_grows_with_the_body(decode: Decode, pattern: tuple[bytes, bytes, bytes]) -> None:
    short, long = seconds(decode, grown(pattern, 4_000)), seconds(decode, grown(pattern, 64_000))
    assert long < 64 * max(short, 0.001)  # 16 times as long; a quadratic reading takes 256 times


@pytest.mark.parametrize(("decode", "pattern"), CASES, ids=NAMES)
def test_memory_is_bounded_by_the_body_and_the_limit(decode: Decode, pattern: tuple[bytes, bytes, bytes]) -> None:
    body = grown(pattern, 100_000)
    assert peak_bytes(decode, body) < 1_000 * MAX_SAMPLES + 16 * len(body)


@json_format
@pytest.mark.parametrize("pattern", [JSON["empty objects"], JSON["numbers"], JSON["lists"]])
def test_what_has_too_many_parts_is_not_even_taken_apart(decode: Decode, pattern: tuple[bytes, bytes, bytes]) -> None:
    with pytest.raises(TooManySamples):
        decode(grown(pattern, 2_000), 10)


def test_a_long_base_name_is_not_copied_for_every_record() -> None:
    short, long = (b'[{"bn":"%b"}%b]' % (b"a" * size, b',{"n":"b","v":1}' * 2_000) for size in (2_000, 2_000_000))
    assert seconds(read_senml, long) < 6 * seconds(read_senml, short)


def peak_bytes(decode: Decode, body: bytes) -> int:
    tracemalloc.start()
    try:
        result_or_fault(decode, body)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
