"""What the demo project holds: who may log in, and which experiments were recorded."""

from dataclasses import dataclass, field
from typing import Any

PROJECT = "demo_project"
AGENT = "bench edge"
USERS = {"owner": "Ben Okafor", "editor": "Anna Petrova", "viewer": "Vera Lindqvist"}
HISTORY_S = 600


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """A run of the demo with one recorded capture: the last `capture_s` seconds of the seeded history.

    Without `capture_s` the run is left running, with nothing recorded yet: there Start is pressed first.
    """

    name: str
    sensors: tuple[str, ...]
    capture_s: float | None
    notes: str
    params: dict[str, Any]
    environment: dict[str, Any] = field(default_factory=dict[str, Any])
    config: dict[str, Any] = field(default_factory=dict[str, Any])
    git_sha: str | None = None


_HYDRAULIC = ("Discharge pressure", "Suction pressure", "Flow, main line", "Vibration RMS, drive end")
_MECHANICAL = (
    "Bearing temp, drive end", "Vibration RMS, drive end", "Vibration spectrum, drive end", "Motor current L1"
)  # fmt: skip
_HOST = {"python": "3.11", "host": "lab-ws-07", "edge agent": AGENT}

EXPERIMENTS: dict[str, tuple[str, tuple[PlannedRun, ...]]] = {
    "Pump A, cavitation": (
        "How far can the suction pressure fall before the pump cavitates?",
        (
            PlannedRun(
                "valve V2 at 100 %", _HYDRAULIC, 480, "Reference before the valve is touched",
                {"speed_setpoint_rpm": 1480, "valve_v2_percent": 100, "impeller": "B-112, 5 vanes"},
                _HOST, {"file": "pump_a/cavitation.toml"}, "8f3c21a4c0de5b1e9d7f60a2b3c4d5e6f7081920",
            ),
            PlannedRun(
                "valve V2 at 35 %", _HYDRAULIC, 300, "Valve V2 touched, pressure dips",
                {"speed_setpoint_rpm": 1480, "valve_v2_percent": 35, "impeller": "B-112, 5 vanes"},
                _HOST, {"file": "pump_a/cavitation.toml"}, "8f3c21a4c0de5b1e9d7f60a2b3c4d5e6f7081920",
            ),
            PlannedRun(
                "valve V2 at 60 %", _HYDRAULIC, None, "",
                {"speed_setpoint_rpm": 1480, "valve_v2_percent": 60, "impeller": "B-112, 5 vanes"},
                _HOST, {"file": "pump_a/cavitation.toml"}, "8f3c21a4c0de5b1e9d7f60a2b3c4d5e6f7081920",
            ),
        ),
    ),
    "Bearing run-in": (
        "Does the new bearing settle below 68 °C and 3 mm/s within the first load cycles?",
        (
            PlannedRun(
                "new bearing, first hour", _MECHANICAL, 540, "New grease, 12 g",
                {"bearing": "6308-C3", "grease_g": 12, "speed_setpoint_rpm": 1480},
                _HOST, {"file": "bearing/run_in.toml"}, "1d0b77e95a2c4f3886b1c0d9e8f7a6b5c4d3e2f1",
            ),
        ),
    ),
}  # fmt: skip
