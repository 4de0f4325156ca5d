import numpy as np
import pytest

from firmware_sim.signals import Signal, SignalInvalid, Step, parse_signal

PARTS = [
    {"kind": "level", "value": 12.0},
    {"kind": "sine", "amplitude": 0.5, "period_s": 30},
    {"kind": "step", "height": 2.0, "period_s": 120, "rise_s": 5},
    {"kind": "noise", "sigma": 0.1},
    {"kind": "drift", "sigma": 0.2, "memory_s": 60},
    {"kind": "spikes", "height": 3.0, "per_minute": 6},
]
T = 1_732_348_800.0 + np.arange(6000) / 10.0


def test_same_seed_gives_the_same_bits_however_the_time_is_cut():
    whole = parse_signal(PARTS, seed=7).at(T)
    pieces = parse_signal(PARTS, seed=7)
    cut = np.concatenate([pieces.at(part) for part in np.split(T, [1, 2, 500, 501, 4000])])
    assert whole.tobytes() == cut.tobytes()
    assert whole.tobytes() != parse_signal(PARTS, seed=8).at(T).tobytes()


def test_another_part_leaves_the_random_ones_as_they_were():
    noise = parse_signal(PARTS[3:4], seed=3).at(T)
    more = parse_signal([PARTS[3], PARTS[4]], seed=3).at(T)
    drift = parse_signal([{"kind": "noise", "sigma": 0.0}, PARTS[4]], seed=3).at(T)
    np.testing.assert_allclose(more, noise + drift, rtol=0, atol=1e-15)


def test_noise_has_its_standard_deviation():
    values = parse_signal([{"kind": "noise", "sigma": 0.25}], seed=1).at(T)
    assert abs(values.std() - 0.25) < 0.01
    assert abs(values.mean()) < 0.01


def test_drift_wanders_but_stays_near_zero():
    values = parse_signal([{"kind": "drift", "sigma": 1.0, "memory_s": 20}], seed=5).at(T)
    assert 0.4 < values.std() < 1.6
    assert np.abs(np.diff(values)).max() < 0.6


def test_step_without_rise_is_a_square():
    step = Step(height=2.0, period_s=10.0, low_share=0.4)
    assert step.at(np.array([0.0, 3.9, 4.0, 9.9, 10.0])).tolist() == [0.0, 0.0, 2.0, 2.0, 0.0]


def test_step_with_rise_is_continuous_and_approaches_its_height():
    step = Step(height=2.0, period_s=100.0, low_share=0.3, rise_s=10.0)
    t = np.arange(0.0, 300.0, 0.01)
    values = step.at(t)
    assert np.abs(np.diff(values)).max() < 0.01
    assert values.max() == pytest.approx(2.0, abs=0.02)
    assert values.min() == pytest.approx(2.0 * np.exp(-3), abs=0.01)


def test_spikes_are_rare_and_high():
    values = parse_signal([{"kind": "spikes", "height": 3.0, "per_minute": 6}], seed=2).at(T)
    spikes = values[values != 0]
    assert 30 < spikes.size < 95
    assert spikes.min() >= 0.7 * 3.0
    assert spikes.max() <= 1.3 * 3.0


def test_resolution_rounds_like_an_adc():
    signal = Signal(parse_signal(PARTS, seed=1)._parts, resolution=0.25)
    values = signal.at(T)
    assert np.all(np.mod(values, 0.25) == 0.0)


@pytest.mark.parametrize(
    ("part", "says"),
    [
        ({"kind": "triangle"}, "'triangle' is none of"),
        ({"kind": "noise"}, "sigma missing"),
        ({"kind": "noise", "sigma": "loud"}, "sigma must be a number"),
        ({"kind": "noise", "sigma": 1.0, "mean": 2.0}, "unknown field 'mean'"),
        ({"kind": "sine", "amplitude": 1.0, "period_s": 0}, "above 0"),
    ],
)
def test_a_bad_part_is_named(part, says):
    with pytest.raises(SignalInvalid, match=says):
        parse_signal([part], seed=1)
