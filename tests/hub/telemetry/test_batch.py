"""Entries, batches and chunks as pure functions: nothing is lost, nothing doubled, whatever the order."""

import itertools
import struct
from collections import Counter
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.packets import NO_TIME
from hub.telemetry import chunks, entries
from hub.telemetry.batch import Batch, Read, held_already, multirange, spans_of
from hub.telemetry.chunks import MAX_SAMPLES, MAX_SPAN_US, Samples
from hub.telemetry.entries import REJECTS, SERIES, Entry, EntryBroken, PacketNumber
from hub.telemetry.stream import StreamId

Sample = tuple[int, int, float]
samples_of = st.lists(
    st.tuples(
        st.integers(1, 4), st.integers(0, 12).map(lambda s: s * 17_000_000), st.sampled_from([0.0, -0.0, 1.5, 2.5])
    ),
    max_size=40,
)


def entry(samples: list[Sample], **fields: object) -> Entry:
    """Make an entry in which neighbours of one sensor are a series."""
    n = len(samples)
    return Entry(
        **{
            "received_at_us": 5,
            "series": np.array(
                [(no, len(list(run)), 1) for no, run in itertools.groupby(samples, lambda sample: sample[0])], SERIES
            ),
            "t_us": np.array([t for _, t, _ in samples], np.int64),
            "raw": np.array([v for _, _, v in samples], np.float64),
            "physical": np.zeros(n),
            "status": np.zeros(n, np.uint8),
            "rejects": np.empty(0, REJECTS),
            "codes": [],
        }
        | fields
    )  # type: ignore[arg-type]


def reads(groups: list[list[Sample]], known: bool = False) -> list[Read]:
    """Wrap entries as the writer reads them."""
    return [Read(StreamId(i, 0), "life", entry(group), known) for i, group in enumerate(groups)]


def identity(samples: Samples) -> list[tuple[int, int, bytes]]:
    """What makes each sample itself."""
    return [
        (no, t, struct.pack("<d", v))
        for no, t, v in zip(samples.sensor_no.tolist(), samples.t_us.tolist(), samples.raw.tolist(), strict=True)
    ]


@given(samples_of)
def test_an_entry_reads_back(samples: list[Sample]) -> None:
    one = entry(
        samples,
        rejects=np.array([(3, 0, NO_TIME)], REJECTS),
        codes=["time-missing"],
        packets=[PacketNumber(3, "a", 7)],
        differing={3: 2},
        meta={0: {"x": 1}} if samples else {},
    )
    got = entries.decode(entries.encode(one))
    assert got.raw.tobytes() == one.raw.tobytes()
    assert got.t_us.tolist() == one.t_us.tolist()
    assert got.rejects.tolist() == [(3, 0, NO_TIME)]
    assert (got.codes, got.packets, got.differing, got.meta) == (one.codes, one.packets, one.differing, one.meta)


@given(st.binary(max_size=100))
def test_other_bytes_are_no_entry(data: bytes) -> None:
    with pytest.raises(EntryBroken):
        entries.decode(data)


@given(st.lists(samples_of, min_size=1, max_size=5))
def test_a_batch_keeps_each_sample_once_and_counts_the_rest(groups: list[list[Sample]]) -> None:
    sent = [(no, t, struct.pack("<d", v)) for group in groups for no, t, v in group]
    batch = Batch(reads(groups))
    batch.book_stored(np.full(10, NO_TIME, np.int64))
    kept = identity(batch.samples)
    assert sorted(kept) == sorted(set(sent))
    assert kept == sorted(kept, key=lambda s: (s[0], s[1], np.frombuffer(s[2], np.int64)[0]))
    counts = batch.counts
    assert counts.received == Counter(no for no, _, _ in sent)
    assert counts.received == counts.stored + counts.duplicates
    assert sum(len(times) for times in batch.refused.values()) == counts.duplicates.total()


@given(st.sets(st.tuples(st.integers(1, 3), st.integers(0, 60)), min_size=1), st.randoms(use_true_random=False))
def test_series_that_do_not_overlap_are_put_in_order_with_all_their_columns(
    points: set[tuple[int, int]], random: Random
) -> None:
    rising = [(no, t, t / 7) for no, t in sorted(points)]
    runs = [rising[at : at + 4] for at in range(0, len(rising), 4)]
    random.shuffle(runs)
    entries_of = [
        entry(run, physical=np.array([2 * v for _, _, v in run]), received_at_us=no) for no, run in enumerate(runs)
    ]
    batch = Batch([Read(StreamId(i, 0), "life", one, False) for i, one in enumerate(entries_of)])
    assert identity(batch.samples) == [(no, t, struct.pack("<d", v)) for no, t, v in rising]
    assert batch.samples.physical.tolist() == [2 * v for _, _, v in rising]
    came = {sample: number for number, run in enumerate(runs) for sample in run}
    assert batch.samples.received_at_us.tolist() == [came[sample] for sample in rising]


@given(samples_of, samples_of)
def test_what_is_held_is_dropped_whatever_lies_between(held: list[Sample], new: list[Sample]) -> None:
    stored = Batch(reads([held])).samples
    batch = Batch(reads([new]))
    every = np.ones(len(batch.samples.t_us), np.bool_)
    found = held_already(batch.samples, every, stored.sensor_no, stored.t_us, stored.identity)
    expected = set(identity(stored))
    assert [key in expected for key in identity(batch.samples)] == found.tolist()


@given(samples_of)
def test_a_known_entry_books_only_what_was_missing(samples: list[Sample]) -> None:
    batch = Batch(reads([samples], known=True))
    assert batch.counts.received.total() == 0
    half = np.arange(len(batch.samples.t_us)) % 2 == 0
    missing = len(half) - int(half.sum())
    batch.drop_stored(half)
    batch.book_stored(np.full(10, NO_TIME, np.int64))
    assert batch.counts.received.total() == batch.counts.stored.total() == missing
    assert batch.counts.duplicates.total() == 0


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 400_000_000)), max_size=60))
def test_spans_cover_every_marked_sample(points: list[tuple[int, int]]) -> None:
    batch = Batch(reads([[(no, t, 1.0) for no, t in points]]))
    spans = spans_of(batch.samples, np.ones(len(batch.samples.t_us), np.bool_), MAX_SPAN_US)
    for no, t, _ in identity(batch.samples):
        assert any(span.sensor_no == no and span.first_t <= t <= span.last_t for span in spans)


@given(st.integers(0, 5000), st.integers(1, 100_000))
def test_chunks_are_bounded_in_samples_and_span(n: int, step_us: int) -> None:
    columns = Samples.none()
    if n:
        t = np.arange(n, dtype=np.int64) * step_us
        zeros = np.zeros(n)
        columns = Samples(
            np.full(n, 1, np.int32), t, zeros, zeros, np.zeros(n, np.uint8), np.ones(n, np.int32), t, t, {}, {}
        )
    starts = chunks.cut(columns)
    ends = np.append(starts[1:], n)
    for start, end in zip(starts.tolist(), ends.tolist() if n else [], strict=True):
        assert 0 < end - start <= MAX_SAMPLES
        assert columns.t_us[end - 1] - columns.t_us[start] < MAX_SPAN_US
    assert sum((ends - starts).tolist()) == n if n else len(starts) == 0


@given(st.sets(st.integers(0, 60)))
def test_multirange_literal(numbers: set[int]) -> None:
    text = multirange(list(numbers))
    parts = [part.split(",") for part in text.strip("{}").replace("),[", ");[").split(";") if part]
    found = {n for low, high in parts for n in range(int(low[1:]), int(high[:-1]))}
    assert found == numbers
