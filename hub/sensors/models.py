"""Shapes of the sensors API."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, Field

from contract import vectors
from hub.conversion.models import ActiveProfile, Payload, StatusName
from hub.kit.pages import PageQuery
from hub.kit.wire import absent
from hub.sensors.limit_models import Limits, LimitsUpdate, TimeSource
from hub.sensors.token_models import Expiry


class SensorType(StrEnum):
    """What a sensor measures."""

    TEMPERATURE = "temperature"
    TEMPERATURE_RAW = "temperature_raw"
    PRESSURE = "pressure"
    PRESSURE_ANALOG = "pressure_analog"
    VIBRATION = "vibration"
    VIBRATION_SPECTRUM = "vibration_spectrum"
    CURRENT = "current"
    VOLTAGE = "voltage"
    FLOW = "flow"
    HUMIDITY = "humidity"
    FORCE = "force"
    TORQUE = "torque"
    OTHER = "other"


class SensorState(StrEnum):
    """Whether a sensor is heard: delayed after 2 heartbeat intervals, offline after 5, unknown if never heard."""

    ONLINE = "online"
    DELAYED = "delayed"
    OFFLINE = "offline"
    UNKNOWN = "unknown"


class Axis(BaseModel):
    """What the elements of a vector sample stand for: element i is at start + i · step."""

    quantity: str = Field(min_length=1, max_length=60, examples=["frequency"])
    unit: str = Field(max_length=40, examples=["Hz"])
    start: float = Field(default=0.0, allow_inf_nan=False)
    step: float = Field(gt=0, allow_inf_nan=False)
    count: int = Field(ge=1, le=vectors.MAX_SIZE)


class SensorCreate(BaseModel):
    """A new sensor; without `token` one is made. Its profile is active at once.

    With an `axis`, which never changes, each value is an array of `count` numbers, a spectrum say.
    """

    name: str = Field(min_length=1, max_length=200)
    type: SensorType
    input_unit: str = Field(max_length=40)
    display_unit: str = Field(max_length=40)
    profile: Payload | None = None
    token: str | None = Field(default=None, description="At least 128 random bits, in URL-safe characters or hex.")
    token_expires_at: Expiry | None = None
    heartbeat_interval_s: float = Field(default=10.0, gt=0, le=604_800)
    calibration_notes: str = Field(default="", max_length=10_000)
    axis: Axis | None = None
    time_source: TimeSource = TimeSource.DEVICE
    limits: LimitsUpdate = Field(default=LimitsUpdate(), description="Only an owner sets limits.")


class SensorUpdate(BaseModel):
    """Fields to change; absent ones stay. `agent_id` null takes the sensor from its edge agent.

    `token_expires_at` is for owners: null makes the token good until it is rotated.
    """

    name: str | None = Field(default=None, min_length=1, max_length=200)
    type: SensorType | None = None
    input_unit: str | None = Field(default=None, max_length=40)
    display_unit: str | None = Field(default=None, max_length=40)
    heartbeat_interval_s: float | None = Field(default=None, gt=0, le=604_800)
    calibration_notes: str | None = Field(default=None, max_length=10_000)
    agent_id: UUID | None = None
    time_source: TimeSource | None = None
    token_expires_at: Expiry | None = None
    limits: LimitsUpdate = Field(default=LimitsUpdate(), description="Only an owner sets limits.")


class Sensor(BaseModel):
    """A sensor as a member of its project sees it; `last_raw` is absent where it may not be read.

    `delay_ms` is the newest packet's arrival less its newest time. `clock_skew_s` is how far the device's clock is
    ahead of the hub's, judged by its quickest packets of the last minutes; null before the first and without a clock.
    """

    id: UUID
    project_id: UUID
    name: str
    type: SensorType
    input_unit: str
    display_unit: str
    heartbeat_interval_s: float
    calibration_notes: str
    axis: Axis | None = Field(
        description="Of a sensor whose samples are vectors; last_raw is then the greatest element."
    )
    agent_id: UUID | None
    time_source: TimeSource
    limits: Limits
    created_at: datetime
    active_profile: ActiveProfile | None
    state: SensorState
    last_heartbeat: datetime | None
    last_t: datetime | None
    last_raw: float | None = Field(default=None, exclude_if=absent)
    last_physical: float | None
    last_status: StatusName | None
    delay_ms: float | None
    clock_skew_s: float | None
    token_expires_at: datetime | None = Field(description="When the token ends; null: when it is rotated.")
    token: str | None = Field(
        default=None, exclude_if=absent, description="Only in the answer to its registration, only for an owner."
    )


class SensorQuery(PageQuery):
    """Which sensors are wanted; `q` is part of a name, in any case."""

    project_id: UUID | None = None
    type: SensorType | None = None
    state: SensorState | None = None
    q: str | None = Field(default=None, max_length=200)


class ProjectSensorQuery(PageQuery):
    """Which of a project's sensors are wanted; `q` is part of a name, in any case."""

    type: SensorType | None = None
    state: SensorState | None = None
    q: str | None = Field(default=None, max_length=200)
