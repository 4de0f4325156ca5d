"""The binary frame: what is written is read back, and anything else is refused."""

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
        for name in ("t", "raw", "physical", "status"):
            assert _bytes(getattr(got, name)) == _bytes(getattr(one, name))


@pytest.mark.parametrize("data", [b"", b"ETP1", b"XXXX" + bytes(12), b"\x45\x54\x50\x31\x01\x00" + bytes(10)])
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="frame"):
        frames.decode(data)
