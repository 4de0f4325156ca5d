"""What the hub counts as a difference between its own conversion and an edge agent's."""

import math
import uuid

import numpy as np
import pytest

from contract.conversion.convert import ProfileVersion
from contract.conversion.profile import Custom, Linear, Profile
from contract.packets import Series
from hub.kit.limits import Rate
from hub.telemetry.packing import Part, pack, repeats, times_of
from hub.telemetry.registry import SensorEntry

EXP = Custom("exp(x)")
LINE = Linear(2.0, 1.0)
LOG = Custom("log(x)")


def differing(raw: list[float], edge: list[float], *profiles: Profile) -> int:
    """Count the differences of samples at t = 0, 1, … s; version k applies from second 100 · (k − 1) on."""
    versions = tuple(
        ProfileVersion(i + 1, None if i == 0 else i * 100_000_000, (i + 1) * 100_000_000, profile)
        for i, profile in enumerate(profiles)
    )
    sensor = SensorEntry(uuid.uuid4(), 7, uuid.uuid4(), None, versions, Rate(1, 1), Rate(1, 1))
    series = Series(
        sensor_id=sensor.id,
        t_us=np.arange(len(raw)) * 1_000_000,
        raw=np.array(raw),
        index=np.arange(len(raw)),
        physical=np.array(edge),
    )
    entry, _ = pack([Part(sensor, series, 0)], [], 0)
    return entry.differing.get(7, 0)


def beside(value: float, steps: int) -> float:
    for _ in range(abs(steps)):
        value = math.nextafter(value, math.copysign(math.inf, steps))
    return value


@pytest.mark.parametrize(("steps", "count"), [(0, 0), (1, 0), (4, 0), (5, 1), (-4, 0), (-5, 1)])
def test_last_bits_of_an_expression_are_the_processors(steps: int, count: int) -> None:
    assert differing([1.5], [beside(float(np.exp(np.array([1.5]))[0]), steps)], EXP) == count


def test_every_bit_of_a_line_counts() -> None:
    assert differing([1.5], [4.0], LINE) == 0
    assert differing([1.5], [beside(4.0, 1)], LINE) == 1
    assert differing([-0.5], [-0.0], LINE) == 1


def test_on_both_sides_of_zero() -> None:
    assert differing([1.0, 1.0], [-0.0, beside(0.0, -3)], LOG) == 0
    assert differing([1.0], [beside(0.0, -5)], LOG) == 1
    assert differing([2.0, 4.0], [-2.0, -2.0], Custom("x")) == 2, "2 and -2 lie 2⁶³ steps apart"


def test_a_value_on_one_side_only() -> None:
    assert differing([-1.0, 1.0, -1.0], [math.nan, math.nan, 1.0], LOG) == 2


def test_each_sample_by_the_version_of_its_time() -> None:
    raw = [1.5] * 101
    exact = float(np.exp(np.array([1.5]))[0])
    assert differing(raw, [beside(exact, 1)] * 100 + [beside(4.0, 1)], EXP, LINE) == 1


def test_repeats_are_those_of_a_sensor_however_its_samples_are_spread() -> None:
    """Against a count of all (sensor, t, bits) that came before, over random bodies."""
    chance = np.random.default_rng(8)
    for _ in range(300):
        parts: list[Part] = []
        seen: set[tuple[int, int, float]] = set()
        expected = 0
        for place in range(chance.integers(1, 5)):
            no = int(chance.integers(1, 4))
            t = chance.integers(0, 6, chance.integers(0, 5))
            raw = chance.integers(0, 2, len(t)).astype(float)
            for sample in zip([no] * len(t), t.tolist(), raw.tolist(), strict=True):
                expected += sample in seen
                seen.add(sample)
            sensor = SensorEntry(uuid.uuid4(), no, uuid.uuid4(), None, (), Rate(1, 1), Rate(1, 1))
            parts.append(Part(sensor, Series(sensor.id, t, raw, np.arange(len(t))), place))
        assert repeats(parts, times_of(parts)) == expected
