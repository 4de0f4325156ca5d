"""Chaos in its short form; `make chaos` is the long one."""

import itertools
from dataclasses import replace
from pathlib import Path

import pytest

from tests.acceptance.journal import seeded
from tests.chaos.plan import LINKS, PROGRAMS, SERVERS, Plan
from tests.chaos.run import Load, chaos

pytestmark = pytest.mark.slow


def test_a_plan_meets_every_part_and_is_had_again_by_its_seed() -> None:
    plan = Plan(seed=3, duration_s=600.0, outages_s=(30.0, 300.0), without_kills_s=150.0)
    faults = plan.faults()
    assert faults == plan.faults()
    assert faults != replace(plan, seed=4).faults()
    assert {fault.part for fault in faults} == {*PROGRAMS, *SERVERS, *LINKS}
    assert {fault.kind for fault in faults} == {"kill", "pause", "cut", "hold", "away"}
    assert not any(fault.kind == "kill" and fault.at_s > 450.0 for fault in faults)
    assert [fault.for_s for fault in faults if fault.kind == "away"] == [30.0, 300.0]
    for part in (*PROGRAMS, *SERVERS, *LINKS):
        mine = [fault for fault in faults if fault.part == part]
        assert all(one.at_s + one.for_s < other.at_s for one, other in itertools.pairwise(mine))


async def test_whatever_fails_the_ledgers_close(tmp_path: Path) -> None:
    seed, _ = seeded()
    plan = Plan(seed=seed, duration_s=30.0, outages_s=(8.0,), longest_s=4.0, every_s=1.2)
    outcome = await chaos(tmp_path, plan, Load(over_http=20, over_mqtt=20, gateways=4))
    print(outcome.report())
    assert not outcome.problems, outcome.report()
    assert min(outcome.http.stored, outcome.mqtt.stored) > 20 * 25 * plan.duration_s * 0.8
    assert outcome.refusals
    assert max(outcome.memory.highest.values()) < 400
