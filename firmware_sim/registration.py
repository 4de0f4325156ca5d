"""What sensors of a scenario or of a CSV file are registered as."""

import re
from typing import NamedTuple

from firmware_sim.hub_shapes import NewSensor
from firmware_sim.scenario import SensorPlan

IDENTITY = {"kind": "linear", "slope": 1.0, "intercept": 0.0}


class _Guess(NamedTuple):
    pattern: re.Pattern[str]
    type: str
    unit: str


# By the column's name, first match wins; the units are those such columns usually have.
_GUESSES = tuple(
    _Guess(re.compile(pattern, re.IGNORECASE), type_, unit)
    for pattern, type_, unit in (
        (r"accel|vibrat", "vibration", "g"),
        (r"thermo|temp", "temperature", "°C"),
        (r"press", "pressure", "bar"),
        (r"flow", "flow", "L/min"),
        (r"humid", "humidity", "%"),
        (r"torque", "torque", "N·m"),
        (r"force|load cell", "force", "N"),
        (r"volt", "voltage", "V"),
        (r"current|amp(ere)?s?\b", "current", "A"),
    )
)
_UNIT_IN_NAME = re.compile(r"[\[(]\s*([^\])]{1,16}?)\s*[\])]\s*$")


def of_plan(plan: SensorPlan, prefix: str = "") -> NewSensor:
    """Describe a scenario's sensor."""
    return NewSensor(
        name=prefix + plan.name,
        type=plan.type,
        input_unit=plan.input_unit,
        display_unit=plan.display_unit,
        profile=plan.profile,
        heartbeat_interval_s=plan.heartbeat_interval_s,
        calibration_notes=plan.calibration_notes,
        axis=None if plan.spectrum is None else plan.spectrum.axis,
    )


def of_column(file_name: str, column: str, prefix: str = "", *, kind_from: str | None = None) -> NewSensor:
    """Describe a CSV column: type and unit guessed from its name; physical = raw, for such values are physical already.

    A unit in brackets at the end of the name is taken; `kind_from` is asked when the column's own name says nothing.
    """
    guess = next(
        (g for text in (column, kind_from or "") for g in _GUESSES if g.pattern.search(text)),
        _Guess(re.compile(""), "other", "1"),
    )
    named = _UNIT_IN_NAME.search(column)
    unit = named.group(1) if named else guess.unit
    return NewSensor(
        name=prefix + column,
        type=guess.type,
        input_unit=unit,
        display_unit=unit,
        profile=IDENTITY,
        calibration_notes=f"Replayed from {file_name}; the file's values are physical already",
    )
