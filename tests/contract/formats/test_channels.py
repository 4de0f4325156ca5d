"""The common result of the formats: sorted by channel and place, nothing lost, nothing without a bound."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.formats.channels import (
    NO_CHANNEL,
    ChannelKey,
    Harvest,
    Refused,
    TooManySamples,
    checked_name,
    excerpt,
)
from contract.packets import NO_TIME
from tests.cases import cases
from tests.contract.formats.printing import columns, refusals

A, B = ChannelKey("a"), ChannelKey("b", "Cel")


@cases(40)
@given(st.lists(st.tuples(st.sampled_from([A, B]), st.integers(0, 20), st.floats(-9, 9)), max_size=30))
def test_columns_and_single_samples_gather_alike(samples: list[tuple[ChannelKey, int, float]]) -> None:
    one_by_one, at_once = Harvest(1000), Harvest(1000)
    for key, index, raw in samples:
        one_by_one.take(key, index, index * 10, raw)
    index = np.array([index for _, index, _ in samples], np.int64)
    which = np.array([key == B for key, _, _ in samples], np.int64)
    raw = np.array([raw for _, _, raw in samples], np.float64)
    at_once.take_columns([A, B], which, index, index * 10, raw)
    singly, together = one_by_one.decoded(), at_once.decoded()
    assert {k: v for k, v in columns(together).items() if v} == columns(singly)
    assert len(together.rejects) == len(singly.rejects)
    kept = sum(len(channel.raw) for channel in singly.channels)
    assert kept + len(singly.rejects) == singly.count == len(samples)
    for channel in singly.channels:
        assert (np.diff(channel.index) > 0).all()


def test_of_two_values_of_a_channel_in_one_entry_the_last_stays() -> None:
    harvest = Harvest(10)
    for raw in (1.0, 2.0, 3.0):
        harvest.take(A, 7, 100, raw)
    decoded = harvest.decoded()
    assert columns(decoded) == {"a": [(7, 100, 3.0)]}
    assert refusals(decoded) == [(7, "value-repeated", "a")] * 2
    assert [reject.t_us for reject in decoded.rejects] == [100, 100]


def test_a_channel_whose_values_were_all_refused_is_there_and_empty() -> None:
    harvest = Harvest(10)
    harvest.refuse(3, Refused("value-invalid", "why"), B, 5)
    harvest.refuse(1, Refused("name-missing", "why"))
    decoded = harvest.decoded()
    assert columns(decoded) == {"b [Cel]": []}
    assert [(r.series, r.index, r.t_us) for r in decoded.rejects] == [(NO_CHANNEL, 1, None), (0, 3, 5)]
    assert decoded.count == 2


def test_nothing_is_gathered_from_an_empty_body() -> None:
    decoded = Harvest(10).decoded()
    assert (decoded.channels, decoded.rejects, decoded.count) == ([], [], 0)


def test_every_way_in_keeps_to_the_limit() -> None:
    why = Refused("value-invalid", "why")
    for fill in (
        lambda harvest: harvest.take(A, 0, NO_TIME, 1.0),
        lambda harvest: harvest.refuse(0, why),
        lambda harvest: harvest.take_columns([A], np.zeros(1, np.int64), *([np.zeros(1, np.int64)] * 2), np.zeros(1)),
    ):
        harvest = Harvest(2)
        fill(harvest)
        fill(harvest)
        with pytest.raises(TooManySamples, match="more than 2 samples"):
            fill(harvest)


@pytest.mark.parametrize("text", ["", "a\x00", "a\nb", "\x7f", "\ud800", "x" * 1001])
def test_a_name_that_some_program_could_not_keep_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="the key"):
        checked_name(text, "the key")


def test_an_excerpt_is_short() -> None:
    assert excerpt("x" * 99) == repr("x" * 40 + "…")
