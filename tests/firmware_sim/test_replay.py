import time
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest

from firmware_sim.csv_file import CsvFile, read_csv
from firmware_sim.device import Device, Identity
from firmware_sim.replay import play, sent_times

SECOND = 1_000_000


def write(folder: Path, rows: list[tuple[str, str, str]]) -> CsvFile:
    path = folder / "bench.csv"
    path.write_text("time,a,b\n" + "".join(f"{','.join(row)}\n" for row in rows))
    return read_csv(path)


class Clocked(Device):
    """A device that notes how long before its time a sample was handed to it."""

    earliest_us = -SECOND

    async def send(self, t_us, v):
        self.earliest_us = max(self.earliest_us, int(t_us.max()) - time.time_ns() // 1000)
        await super().send(t_us, v)


async def drain(device: Device) -> tuple[list[int], list[float]]:
    taken = [(await device.outbox.take())[1] for _ in range(len(device.outbox))]
    return [t for p in taken for t in p.t_us.tolist()], [v for p in taken for v in p.v.tolist()]


def test_sent_times_are_the_files_moved_and_shortened():
    t_us = np.array([100, 103, 100 + 20 * SECOND], dtype=np.int64)
    assert sent_times(t_us, 5000, 1.0).tolist() == [5000, 5003, 5000 + 20 * SECOND]
    assert sent_times(t_us, 5000, 20.0).tolist() == [5000, 5000, 5000 + SECOND]
    with pytest.raises(ValueError, match="above 0"):
        sent_times(t_us, 5000, 0.0)


async def test_rows_go_out_when_due_with_the_files_bits(tmp_path):
    file = write(tmp_path, [(f"2020-01-01 00:00:{i:02}", str(i / 7), "" if i % 2 else str(i / 3)) for i in range(30)])
    devices = [Clocked(Identity(uuid4(), c.name, "t")) for c in file.columns]
    start_us = time.time_ns() // 1000
    progress = await play(
        file,
        list(zip(devices, file.columns, strict=True)),
        speed=60.0,
        start_us=start_us,
        packet_s=0.02,
    )
    assert (progress.row, progress.rows) == (30, 30)
    assert -SECOND < max(d.earliest_us for d in devices) <= 0
    t_us, v = await drain(devices[0])
    assert t_us == sent_times(file.t_us, start_us, 60.0).tolist()
    assert v == [i / 7 for i in range(30)]
    t_us, v = await drain(devices[1])
    assert v == [i / 3 for i in range(0, 30, 2)]
    assert t_us == sent_times(file.t_us, start_us, 60.0)[::2].tolist()


async def test_a_step_back_and_repeated_times_go_through_untouched(tmp_path):
    minutes = [0, 5, 10, 15, 0, 5, 10, 15, 20]
    file = write(tmp_path, [(f"2020-01-01 00:{m:02}:00", str(i + 0.5), "1.5") for i, m in enumerate(minutes)])
    device = Device(Identity(uuid4(), "a", "t"))
    start_us = time.time_ns() // 1000
    await play(file, [(device, file.columns[0])], speed=6000.0, start_us=start_us, packet_s=0.01)
    t_us, v = await drain(device)
    assert [(t - start_us) // 50_000 for t in t_us] == [m // 5 for m in minutes]
    assert v == [i + 0.5 for i in range(9)]
