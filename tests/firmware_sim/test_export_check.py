from uuid import UUID

import numpy as np

from firmware_sim.device import Identity
from firmware_sim.export_check import Acknowledged, Comparison, compare, read_export
from firmware_sim.outbox import Packet

SENSOR = UUID("0198b6a0-0000-7000-8000-000000000001")
T0_US = 1_732_348_800_000_000
HEAD = "timestamp,sensor_id,sensor,raw_value,physical_value,unit,profile_version,status\n"


def row(offset_us: int, raw: float) -> str:
    return f"2024-11-23T08:00:00.{offset_us:06}Z,{SENSOR},s,{raw!r},1.0,V,1,ok\n"


def witness(*samples: tuple[int, float]) -> Acknowledged:
    seen = Acknowledged()
    t_us = np.array([T0_US + offset for offset, _ in samples], dtype=np.int64)
    seen.note(Identity(SENSOR, "s", "t"), Packet(0, t_us, np.array([v for _, v in samples]), b""))
    return seen


def test_the_span_is_half_open():
    seen = witness((0, 1.0), (1, 2.0), (2, 3.0))
    assert {t - T0_US for _, t, _ in seen.between(T0_US, T0_US + 2)} == {0, 1}


def test_every_difference_is_counted(tmp_path):
    path = tmp_path / "capture.csv"
    # The same value written shorter is another number; the same row twice is a repetition.
    path.write_text(HEAD + row(0, 0.1 + 0.2) + row(1, 7.0) + row(1, 7.0) + row(2, 0.3) + row(4, 9.0))
    wanted = witness((0, 0.1 + 0.2), (1, 7.0), (2, 0.1 + 0.2), (3, 5.0)).samples
    assert compare(wanted, read_export(path)) == Comparison(missing=2, repeated=1, foreign=2, matched=2)


def test_minus_zero_is_not_zero(tmp_path):
    path = tmp_path / "capture.csv"
    path.write_text(HEAD + row(0, -0.0))
    assert compare(witness((0, 0.0)).samples, read_export(path)).missing == 1
    assert compare(witness((0, -0.0)).samples, read_export(path)).missing == 0
