"""Counting differences, piece by piece, through JSON and back."""

import numpy as np
import orjson
import pytest

from hub.telemetry.differences import Tally

NAN = np.nan
HUGE = 1.7976931348623157e308


def counted(before: list[float], after: list[float], codes: list[int] | None = None) -> Tally:
    tally = Tally()
    zeros = np.zeros(len(before), np.uint8)
    after_codes = zeros if codes is None else np.array(codes, np.uint8)
    tally.add(np.array(before), zeros, np.array(after), after_codes)
    return tally


def test_of_numbers_and_of_none() -> None:
    found = counted([1.0, 2.0, NAN, NAN, 5.0], [1.0, 4.0, NAN, 1.0, NAN], [0, 0, 0, 0, 2]).difference()
    assert (found.samples, found.changed, found.largest, found.mean) == (5, 3, 2.0, 1.0)
    assert found.status_after["conversion_error"] == 1


def test_another_status_alone_is_a_change() -> None:
    assert counted([1.0, 2.0], [1.0, 2.0], [0, 1]).changed == 1


def test_the_sign_of_zero_is_a_change_of_no_size() -> None:
    found = counted([0.0], [-0.0]).difference()
    assert (found.changed, found.largest) == (1, 0.0)


def test_nothing_to_compare() -> None:
    found = counted([NAN], [1.0]).difference()
    assert (found.largest, found.mean) == (None, None)
    assert Tally().difference().samples == 0


def test_differences_larger_than_any_number() -> None:
    found = counted([HUGE] * 3, [-HUGE] * 3).difference()
    assert found.largest == HUGE
    assert orjson.loads(found.model_dump_json())["mean"] == pytest.approx(HUGE / 3)


def test_pieces_make_the_whole() -> None:
    rng = np.random.default_rng(3)
    before, after = rng.normal(size=1000), rng.normal(size=1000)
    codes = rng.integers(0, 4, 1000).astype(np.uint8)
    whole, pieces = Tally(), Tally()
    whole.add(before, codes, after, codes[::-1].copy())
    for part in np.array_split(np.arange(1000), 7):
        pieces = Tally.of(orjson.loads(orjson.dumps(pieces.written())))
        pieces.add(before[part], codes[part], after[part], codes[::-1][part])
    one, other = whole.difference(), pieces.difference()
    assert one.mean == pytest.approx(other.mean)
    assert one.model_copy(update={"mean": 0}) == other.model_copy(update={"mean": 0})
