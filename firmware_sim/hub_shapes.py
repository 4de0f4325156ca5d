"""What the demo reads from the hub's API, and what it registers."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import msgspec


class Project(msgspec.Struct):
    """A project one is a member of."""

    id: UUID
    name: str
    role: str


class Sensor(msgspec.Struct):
    """A registered sensor."""

    id: UUID
    name: str
    type: str
    last_t: datetime | None = None


class Experiment(msgspec.Struct):
    """An experiment."""

    id: UUID
    name: str


class Run(msgspec.Struct):
    """A run of an experiment."""

    id: UUID
    number: int
    name: str
    status: str


class Capture(msgspec.Struct):
    """A capture session; its content is started_at ≤ t < stopped_at."""

    id: UUID
    ordinal_number: int
    status: str
    started_at: datetime | None = None
    stopped_at: datetime | None = None


class Ledger(msgspec.Struct):
    """What became of the samples of a sensor or capture."""

    received: int
    stored: int
    duplicates: int
    rejected: int
    pending: int
    late: int
    sent: int | None = None
    gaps: int | None = None


class Agent(msgspec.Struct):
    """An edge agent; its token is told once, on creation."""

    id: UUID
    name: str
    default: bool
    token: str | None = None


class Profile(msgspec.Struct):
    """A version of a sensor's conversion profile; `valid_from` None is the beginning."""

    id: UUID
    version: int
    kind: str
    status: str
    valid_from: datetime | None


class NewSensor(msgspec.Struct, omit_defaults=True):
    """What to register a sensor as."""

    name: str
    type: str
    input_unit: str
    display_unit: str
    profile: Mapping[str, object] | None = None
    heartbeat_interval_s: float | None = None
    calibration_notes: str | None = None
    axis: Mapping[str, object] | None = None
    token: str | None = None
    token_expires_at: datetime | None = None
    limits: Mapping[str, float] | None = None
