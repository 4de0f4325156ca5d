"""The binary frame: what is written is read back, and anything else is refused."""

from dataclasses import replace
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from contract import frames
from contract.frames import Frame, FrameSeries


@st.composite
def series(draw: st.DrawFn) -> FrameSeries:
    n = draw(st.integers(0, 20))
    column = arrays.arrays(np.float64, n, elements=st.floats(width=64))
    return FrameSeries(
        UUID(int=draw(st.integers(0, 2**128 - 1))),
        draw(column),
        draw(st.none() | column),
        draw(st.none() | column),
        draw(st.none() | arrays.arrays(np.uint8, n)),
        draw(st.floats(width=64)),
        draw(st.booleans()),
        draw(st.integers(0, 2**63)),
        draw(st.none() | arrays.arrays(np.float64, st.tuples(st.integers(0, 5), st.just(2)))),
    )


def _bytes(column: np.ndarray | None) -> bytes | None:
    return None if column is None else column.tobytes()


@given(st.text(max_size=20), st.integers(0, 2**32 - 1), st.lists(series(), max_size=4))
def test_round_trip(cursor: str, merged: int, content: list[FrameSeries]) -> None:
    data = frames.encode(Frame(cursor, merged, content))
    assert len(data) % 8 == 0
    read = frames.decode(data)
    assert (read.cursor, read.merged, len(read.series)) == (cursor, merged, len(content))
    for one, got in zip(content, read.series, strict=True):
        assert (got.sensor_id, got.decimated, got.total) == (one.sensor_id, one.decimated, one.total)
        for name in ("t", "raw", "physical", "status", "gaps"):
            assert _bytes(getattr(got, name)) == _bytes(getattr(one, name))


ONE = FrameSeries(
    UUID("0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b"),
    np.array([1.0, 2.0, 9.0]),
    np.array([0.5, -0.5, 0.0]),
    None,
    np.array([0, 1, 2], np.uint8),
    2.5,
    True,
    7,
)
OTHER = FrameSeries(UUID(int=1), np.array([4.0]), None, None, None, 0.0, False, 1)
HEAD = "45545031 0200 0300 05000000 00000000 312d320000000000"
ONE_HEAD = "0190a1b2c3d47e5f8a9b0c1d2e3f4a5b 03000000 {flags} 01 {gaps} 0000000000000440 0700000000000000"
ONE_COLUMNS = "000000000000f03f 0000000000000040 0000000000002240 000000000000e03f 000000000000e0bf 0000000000000000"
OTHER_BYTES = (
    "00000000000000000000000000000001 01000000 {flags} 00 0000 0000000000000000 0100000000000000 0000000000001040"
)


def golden(flags: str, gaps: str, other_flags: str, behind: str) -> bytes:
    """Put together the bytes of a frame of ONE and OTHER."""
    one = ONE_HEAD.format(flags=flags, gaps=gaps)
    return bytes.fromhex(
        f"{HEAD} {one} {ONE_COLUMNS} 0001020000000000 {OTHER_BYTES.format(flags=other_flags)} {behind}"
    )


def test_bytes_of_a_frame_that_tells_no_gaps() -> None:
    assert frames.encode(Frame("1-2", 5, [ONE, OTHER])) == golden("05", "0000", "00", "")


def test_gaps_follow_behind_all_series() -> None:
    """A reader that knows none finds the series where they were, with a flag and a number that it ignores."""
    gaps = np.array([[2.0, 9.0]])
    told = frames.encode(Frame("1-2", 5, [replace(ONE, gaps=gaps), replace(OTHER, gaps=gaps[:0])]))
    assert told == golden("0d", "0100", "08", "0000000000000040 0000000000002240")
    one, other = frames.decode(told).series
    assert (_bytes(one.gaps), other.gaps is not None and len(other.gaps)) == (gaps.tobytes(), 0)


def test_more_gaps_than_can_be_told() -> None:
    with pytest.raises(ValueError, match="65535 gaps"):
        frames.encode(Frame("", 0, [replace(OTHER, gaps=np.zeros((65_536, 2)))]))


def test_a_frame_cut_anywhere_is_refused() -> None:
    whole = frames.encode(Frame("1-2", 5, [replace(ONE, gaps=np.array([[2.0, 9.0]]))]))
    for cut in range(len(whole)):
        with pytest.raises(ValueError):  # noqa: PT011 - of numpy or of ours, as the place of the cut has it
            frames.decode(whole[:cut])


@pytest.mark.parametrize("data", [b"", b"ETP1", b"XXXX" + bytes(12), b"\x45\x54\x50\x31\x01\x00" + bytes(10)])
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="frame"):
        frames.decode(data)
