import pytest

from firmware_sim import scenario
from firmware_sim.registration import IDENTITY, of_column, of_plan


@pytest.mark.parametrize(
    ("column", "type_", "unit"),
    [
        ("Accelerometer1RMS", "vibration", "g"),
        ("Current", "current", "A"),
        ("Pressure", "pressure", "bar"),
        ("Temperature", "temperature", "°C"),
        ("Thermocouple", "temperature", "°C"),
        ("Voltage", "voltage", "V"),
        ("Volume Flow RateRMS", "flow", "L/min"),
        ("Pressure (kPa)", "pressure", "kPa"),
        ("p1 [mbar]", "other", "mbar"),
        ("column 2", "other", "1"),
    ],
)
def test_type_and_unit_are_guessed_from_the_name(column, type_, unit):
    new = of_column("bench.csv", column, "rig ")
    assert (new.name, new.type, new.input_unit, new.display_unit) == (f"rig {column}", type_, unit, unit)
    assert new.profile == IDENTITY


def test_the_files_name_helps_where_the_columns_says_nothing():
    assert of_column("m.csv", "value", kind_from="nab-machine-temperature").type == "temperature"
    assert of_column("m.csv", "Pressure", kind_from="nab-machine-temperature").type == "pressure"


def test_a_scenarios_sensor_keeps_its_description():
    plan = scenario.load("bench").sensors[0]
    new = of_plan(plan, "2 ")
    assert (new.name, new.input_unit, new.display_unit) == ("2 Discharge pressure", "mA", "bar")
    assert new.profile == plan.profile
