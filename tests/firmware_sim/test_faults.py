import numpy as np
import pytest

from firmware_sim.faults import FaultLine, FaultPlan, skewed


def through(plan: FaultPlan, count: int, seed: int = 1) -> tuple[list[int], FaultLine[int]]:
    line: FaultLine[int] = FaultLine(plan, seed)
    out = [packet for i in range(count) for packet in line.push(i)]
    return out + line.flush(), line


def test_no_faults_change_nothing():
    assert through(FaultPlan(), 50)[0] == list(range(50))


def test_same_seed_same_faults():
    plan = FaultPlan(drop=0.1, duplicate=0.1, reorder=0.1)
    assert through(plan, 300, seed=4)[0] == through(plan, 300, seed=4)[0]
    assert through(plan, 300, seed=4)[0] != through(plan, 300, seed=5)[0]


def test_dropped_packets_are_gone_and_counted():
    out, line = through(FaultPlan(drop=0.2), 1000)
    assert 120 < line.dropped < 280
    assert len(out) == 1000 - line.dropped
    assert out == sorted(set(out))


def test_duplicates_follow_at_once_and_are_counted():
    out, line = through(FaultPlan(duplicate=0.2), 1000)
    assert 120 < line.duplicated < 280
    assert len(out) == 1000 + line.duplicated
    assert sorted(set(out)) == list(range(1000))


def test_a_reordered_packet_is_overtaken_but_never_lost():
    out, line = through(FaultPlan(reorder=0.1, reorder_by=3), 1000)
    assert line.reordered > 50
    assert out != sorted(out)
    assert sorted(out) == list(range(1000))
    late_by = [position - packet for position, packet in enumerate(out)]
    assert max(late_by) <= 3


def test_everything_reordered_still_comes_out():
    assert sorted(through(FaultPlan(reorder=1.0), 40)[0]) == list(range(40))


def test_a_share_above_one_is_refused():
    with pytest.raises(ValueError, match="drop is a share"):
        FaultPlan(drop=1.5)


def test_clock_skew_is_an_offset_and_a_drift():
    t = np.array([1_000_000_000, 1_010_000_000], dtype=np.int64)
    plan = FaultPlan(clock_offset_s=-2.5, clock_drift_ppm=100.0)
    assert skewed(t, plan, since_us=1_000_000_000).tolist() == [997_500_000, 1_007_501_000]
