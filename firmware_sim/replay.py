"""Play a recognised CSV file as live sensors: the same numbers in the same order, at times moved to now."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from firmware_sim.csv_file import Column, CsvFile
from firmware_sim.device import Device

I64 = NDArray[np.int64]

PACKET_S = 0.25


def sent_times(t_us: I64, start_us: int, speed: float) -> I64:
    """Move the file's times to now: start + (file time − first time) / speed, rounded to the microsecond.

    Steps back and repeated times stay what they are. Raises ValueError unless `speed` is above 0.
    """
    if not speed > 0.0:
        raise ValueError("speed must be above 0")
    return start_us + np.round((t_us - t_us[0]) / speed).astype(np.int64)


@dataclass(slots=True)
class Progress:
    """How far a replay is."""

    rows: int
    row: int = 0


@dataclass(slots=True)
class _Track:
    device: Device
    column: Column
    t_us: I64
    done: int = 0

    def due(self, row: int) -> tuple[int, int]:
        # Positions of the samples in rows before `row` that have not been sent yet.
        start, self.done = self.done, int(np.searchsorted(self.column.row, row))
        return start, self.done


async def play(
    file: CsvFile,
    tracks: Sequence[tuple[Device, Column]],
    *,
    speed: float,
    start_us: int | None = None,
    packet_s: float = PACKET_S,
    progress: Progress | None = None,
) -> Progress:
    """Send each column's values through its device when their time has come, in the file's order.

    A row goes out no earlier than its own time and no earlier than the rows before it; after a step back in the file's
    time, rows of the past go at once. Full outboxes are waited for.
    """
    start_us = _now_us() if start_us is None else start_us
    t_us = sent_times(file.t_us, start_us, speed)
    # A row is due once the latest time up to it has passed: this keeps the file's order through steps back.
    due_us = np.maximum.accumulate(t_us)
    running = [_Track(device, column, t_us[column.row]) for device, column in tracks]
    progress = progress or Progress(rows=t_us.size)
    while progress.row < t_us.size:
        ready = int(np.searchsorted(due_us, _now_us(), side="right"))
        if ready > progress.row:
            for track in running:
                start, end = track.due(ready)
                if end > start:
                    await track.device.send(track.t_us[start:end], track.column.v[start:end])
            progress.row = ready
        if progress.row < t_us.size:
            wait_s = (int(due_us[progress.row]) - _now_us()) / 1e6
            await asyncio.sleep(max(packet_s, min(wait_s, 1.0)))
    return progress


def _now_us() -> int:
    return time.time_ns() // 1000
