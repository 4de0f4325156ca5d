"""Tokens for one's own programs: sensors of the demo that no simulated device has, good for a day at a time."""

from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from firmware_sim.device import Identity
from firmware_sim.hub_api import connected
from firmware_sim.hub_shapes import NewSensor
from firmware_sim.settings import DEMO_PASSWORD, Settings
from firmware_sim.token_file import TokenFile

DAY: Final = timedelta(hours=24)
SENSORS: Final = (
    NewSensor(
        "Hand-held thermometer", "temperature_raw", "mV", "°C",
        profile={"kind": "linear", "slope": 0.1, "intercept": -50.0},
    ),
    NewSensor(
        "Hand-held pressure gauge", "pressure_analog", "mA", "bar",
        profile={"kind": "linear", "slope": 0.625, "intercept": -2.5},
    ),
    NewSensor("Hand-held tachometer", "other", "1/min", "1/min"),
)  # fmt: skip


class DayTokens(NamedTuple):
    """Sensors with tokens that are good until `until`."""

    sensors: list[Identity]
    until: datetime


async def issue(settings: Settings, project_id: UUID) -> DayTokens:
    """Register the sensors that are missing and let the tokens of all of them end in a day from now."""
    until = datetime.now(UTC) + DAY
    async with connected(settings.hub, "owner@example.com", DEMO_PASSWORD) as hub:
        sensors = await hub.register(project_id, SENSORS, TokenFile(settings.data_dir), token_expires_at=until)
        for one in sensors:
            await hub.set_token_end(one.sensor_id, until)
    return DayTokens(sensors, until)
