from uuid import UUID

import numpy as np
import pytest

from contract.conversion.convert import convert
from contract.conversion.profile import parse_profile
from firmware_sim import scenario
from firmware_sim.device import Device, Identity
from firmware_sim.scenario import Sampler, ScenarioInvalid, grid

SECOND = 1_000_000
T0_US = 1_732_348_800 * SECOND
_UUID = UUID("0198b6a0-0000-7000-8000-000000000001")


def test_the_bench_has_the_types_the_demo_needs():
    bench = scenario.load("bench")
    assert {"temperature_raw", "pressure_analog", "vibration_spectrum"} <= {s.type for s in bench.sensors}
    assert len({s.name for s in bench.sensors}) == len(bench.sensors) >= 8


@pytest.mark.parametrize("name", scenario.names())
def test_every_scenario_converts_to_finite_values_in_range(name):
    t = 1_732_348_800.0 + np.arange(0.0, 600.0, 0.5)
    for sensor in scenario.load(name).sensors:
        assert sensor.profile is not None
        physical, status = convert(parse_profile(dict(sensor.profile)), sensor.signal().at(t))
        assert np.isfinite(physical).all(), sensor.name
        assert not status.any(), sensor.name


def test_discharge_pressure_looks_like_a_pump_under_load():
    sensor = next(s for s in scenario.load("bench").sensors if s.name == "Discharge pressure")
    bar = (sensor.signal().at(np.arange(0.0, 240.0, 0.1)) - 4.0) * 0.625
    before, after = bar[600:850], bar[1400:2300]
    assert before.mean() == pytest.approx(5.8, abs=0.1)
    assert after.mean() == pytest.approx(6.29, abs=0.1)
    assert after.std() < 0.1


def test_the_grid_has_no_gap_and_no_repeat_between_calls():
    whole = grid(25.0, T0_US, T0_US + 10 * SECOND)
    parts = [grid(25.0, T0_US + a, T0_US + b) for a, b in [(0, 17), (17, 3_333_333), (3_333_333, 10 * SECOND)]]
    assert np.concatenate(parts).tolist() == whole.tolist()
    assert np.diff(whole).tolist() == [40_000] * 249


def test_speed_runs_the_signals_time(tmp_path):
    bench = tmp_path / "one.toml"
    bench.write_text(
        '[[sensors]]\nname = "s"\ntype = "other"\ninput_unit = "V"\ndisplay_unit = "V"\nrate_hz = 10\n'
        'signal = [{ kind = "step", height = 1.0, period_s = 10 }]\n'
    )
    plan = scenario.load(str(bench)).sensors[0]
    device = Device(Identity(sensor_id=_UUID, name="s", token="t"))
    t_us = T0_US + np.arange(0, 10 * SECOND, SECOND)
    assert Sampler(plan, device).measure(t_us).tolist() == [0.0] * 5 + [1.0] * 5
    assert Sampler(plan, device, speed=5.0).measure(t_us).tolist() == [0.0, 1.0] * 5


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[sensors]]\nname = 'a'\n", "sensor 1 \\(a\\): type, input_unit"),
        ("sensors = []\n", "no \\[\\[sensors\\]\\]"),
        ("[[sensors]\n", "one.toml"),
        (
            "[[sensors]]\nname='a'\ntype='other'\ninput_unit='V'\ndisplay_unit='V'\nrate_hz=1\nsignal=[{kind='hum'}]\n",
            "sensor a: signal part 1: kind 'hum'",
        ),
        (
            "[[sensors]]\nname='a'\ntype='other'\ninput_unit='V'\ndisplay_unit='V'\nrate_hz=1\nsignal=[]\nfaults={drop=2}\n",
            "sensor a: drop is a share",
        ),
    ],
)
def test_a_broken_scenario_says_where(tmp_path, text, says):
    path = tmp_path / "one.toml"
    path.write_text(text)
    with pytest.raises(ScenarioInvalid, match=says):
        scenario.load(str(path))


def test_an_unknown_scenario_names_the_known_ones():
    with pytest.raises(ScenarioInvalid, match=r"'bencch'; there are: .*bench"):
        scenario.load("bencch")


def test_the_bench_measures_a_spectrum_whose_lines_stand_where_they_should():
    plan = next(s for s in scenario.load("bench").sensors if s.spectrum is not None)
    vectors = plan.signal().at(np.arange(0.0, 60.0))
    assert vectors.shape == (60, 400)
    assert sorted(np.argsort(vectors.mean(axis=0))[-2:].tolist()) == [24, 25]
    assert (vectors >= 0).all()


@pytest.mark.parametrize("wrong", ["lines = [{ at = 1 }]", "floor = 0.1\nlines = []\nwidth = 2"])
def test_a_spectrum_that_is_not_understood_names_its_sensor(tmp_path, wrong):
    bench = tmp_path / "one.toml"
    bench.write_text(
        '[[sensors]]\nname = "s"\ntype = "other"\ninput_unit = "V"\ndisplay_unit = "V"\nrate_hz = 10\nsignal = []\n'
        f'[sensors.spectrum]\naxis = {{ quantity = "f", unit = "Hz", step = 1.0, count = 2 }}\n{wrong}\n'
    )
    with pytest.raises(ScenarioInvalid, match="sensor s: "):
        scenario.load(str(bench))
