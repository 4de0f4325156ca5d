"""Storing a batch: position, chunks and counts in one transaction."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from contract.packets import NO_TIME
from hub.kit.db import Tx
from hub.telemetry import chunks, queries, vector_queries
from hub.telemetry.batch import Batch, Counts, Read, held_already, multirange, packets_of, spans_of
from hub.telemetry.chunks import LONGEST_SPAN_US, MAX_SPAN_US, Samples, names_of, offsets_of, read_array

DAY_US: Final = 86_400_000_000
HOUR_US: Final = 3_600_000_000


def days_of(reads: Sequence[Read]) -> set[int]:
    """Return the days (since 1970) that the samples of some entries fall on."""
    t_us = np.concatenate([read.entry.t_us for read in reads]) if reads else np.empty(0, np.int64)
    if not len(t_us):
        return set()
    first, last = int(t_us.min()) // DAY_US, int(t_us.max()) // DAY_US
    return {first} if first == last else set(np.unique(t_us // DAY_US).tolist())


async def store(tx: Tx, reads: Sequence[Read], marks: npt.NDArray[np.int64]) -> dict[int, int]:
    """Store entries inside a transaction that holds the shard's row; returns the sensors' new newest t.

    `marks` holds each sensor's newest stored t (µs) by its number, NO_MARK for none.
    """
    batch = Batch(reads)
    doubtful = batch.doubtful(marks)
    if doubtful.any():
        await _drop_what_is_held(tx, batch, doubtful)
    batch.book_stored(marks)
    samples = batch.samples
    if len(samples.t_us):
        starts = chunks.cut(samples)
        await tx.copy_to_table(
            "telemetry_recent",
            source=chunks.source_of(chunks.copy_rows(samples, starts)),
            columns=chunks.COPY_COLUMNS,
            format="binary",
        )
        await _store_vectors(tx, samples)
        await _note_late(tx, samples)
    newest = _newest(samples)
    await _note_packets(tx, reads, batch.counts)
    await _book(tx, batch.counts, samples, newest)
    await _note_refused(tx, batch.refused)
    return {no: int(samples.t_us[at]) for no, at in newest.items()}


async def _drop_what_is_held(tx: Tx, batch: Batch, doubtful: npt.NDArray[np.bool_]) -> None:
    spans = spans_of(batch.samples, doubtful, MAX_SPAN_US)
    rows = await queries.overlapping(
        tx,
        [span.sensor_no for span in spans],
        [span.first_t for span in spans],
        [span.last_t for span in spans],
        LONGEST_SPAN_US,
    )
    if not rows:
        return
    counts = [row["n"] for row in rows]
    numbers = np.repeat(np.array([row["sensor_no"] for row in rows], np.int32), counts)
    times = np.repeat(np.array([row["first_t"] for row in rows], np.int64), counts)
    times += np.concatenate([offsets_of(row) for row in rows])
    raw = np.concatenate([read_array(row["raw"], ">f8") for row in rows])
    names = names_of(rows, raw)
    identity = raw.view(np.int64) if names is None else names
    batch.drop_stored(held_already(batch.samples, doubtful, numbers, times, identity))


async def _store_vectors(tx: Tx, samples: Samples) -> None:
    if not samples.vectors:
        return
    await vector_queries.insert(
        tx,
        [
            (
                int(samples.sensor_no[place]),
                int(samples.t_us[place]),
                int(samples.identity[place]),
                int(samples.version[place]),
                int(samples.received_at_us[place]),
                vector.raw.tolist(),
                vector.physical.tolist(),
                vector.status.tobytes() if vector.status.any() else None,
            )
            for place, vector in samples.vectors.items()
        ],
    )


def _newest(samples: Samples) -> dict[int, int]:
    """Return for each sensor where its newest sample stands."""
    if not len(samples.t_us):
        return {}
    last = np.append(np.flatnonzero(np.diff(samples.sensor_no)), len(samples.sensor_no) - 1)
    return dict(zip(samples.sensor_no[last].tolist(), last.tolist(), strict=True))


async def _note_packets(tx: Tx, reads: Sequence[Read], counts: Counts) -> None:
    numbers = packets_of(reads)
    if not numbers:
        return
    keys = list(numbers)
    rows = await queries.note_packets(
        tx, [no for no, _ in keys], [boot for _, boot in keys], [multirange(numbers[key]) for key in keys]
    )
    for row in rows:
        counts.packets_sent[row["sensor_no"]] = row["sent"]
        counts.packets_seen[row["sensor_no"]] = row["seen"]


async def _book(tx: Tx, counts: Counts, samples: Samples, newest: Mapping[int, int]) -> None:
    sensors = counts.sensors
    if not sensors:
        return

    def of_newest(column: npt.NDArray[Any]) -> list[Any]:
        return [column[newest[no]].item() if no in newest else None for no in sensors]

    await queries.book(
        tx,
        sensors=sensors,
        received=[counts.received[no] for no in sensors],
        stored=[counts.stored[no] for no in sensors],
        duplicates=[counts.duplicates[no] for no in sensors],
        rejected=[counts.rejected[no] for no in sensors],
        late=[counts.late[no] for no in sensors],
        differing=[counts.differing[no] for no in sensors],
        high_water=of_newest(samples.t_us),
        last_raw=of_newest(samples.raw),
        last_physical=[None if v is None or np.isnan(v) else v for v in of_newest(samples.physical)],
        last_status=of_newest(samples.status),
        accepted_at=[counts.accepted_at.get(no) for no in sensors],
        delay=of_newest(samples.received_at_us - samples.t_us),
        packets_sent=[counts.packets_sent[no] for no in sensors],
        packets_seen=[counts.packets_seen[no] for no in sensors],
        unnumbered_at=[counts.unnumbered_at.get(no) for no in sensors],
    )


async def _note_refused(tx: Tx, refused: Mapping[tuple[int, str], list[int]]) -> None:
    if not refused:
        return
    rows: list[tuple[int, str, int | None, int | None, int, list[int]]] = []
    for (no, reason), times in refused.items():
        timed = sorted(t for t in times if t != NO_TIME)
        rows.append((no, reason, timed[0] if timed else None, timed[-1] if timed else None, len(times), timed))
    await queries.note_not_stored(tx, rows)


async def _note_late(tx: Tx, samples: Samples) -> None:
    """Note which stored samples fall into captures that have stopped: the work list of later seals."""
    sensors = np.unique(samples.sensor_no).tolist()
    captures = await queries.finished_captures(tx, sensors, int(samples.t_us.min()), int(samples.t_us.max()))
    rows: list[Any] = []
    for capture in captures:
        inside = samples.t_us[
            (samples.sensor_no == capture["sensor_no"])
            & (samples.t_us >= capture["from_us"])
            & (samples.t_us < capture["to_us"])
        ]
        # Hour by hour, as seals take them in.
        rows += [
            (capture["id"], capture["sensor_no"], int(part[0]), int(part[-1]), len(part))
            for part in np.split(inside, np.flatnonzero(np.diff(inside // HOUR_US)) + 1)
            if len(part)
        ]
    if rows:
        await queries.note_late(tx, rows)


async def book_as_rejected(tx: Tx, read: Read) -> None:
    """Book every sample of an entry that cannot be stored as received and rejected."""
    entry, counts = read.entry, Counts()
    numbered = entry.numbered
    refused: dict[tuple[int, str], list[int]] = {}
    for no, count in zip(entry.series["sensor_no"].tolist(), entry.series["count"].tolist(), strict=True):
        counts.received[no] += count
        counts.rejected[no] += count
        if no not in numbered:
            counts.unnumbered_at[no] = entry.received_at_us
    for no, t in zip(entry.sensor_no.tolist(), entry.t_us.tolist(), strict=True):
        refused.setdefault((no, "not-storable"), []).append(t)
    await _book(tx, counts, Samples.none(), {})
    await _note_refused(tx, refused)
