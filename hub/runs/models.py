"""Shapes of the runs API."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field, JsonValue

from hub.kit.pages import PageQuery
from hub.kit.states import Machine

GitSha = Annotated[str, Field(pattern=r"^[0-9a-fA-F]{7,64}$", description="7 to 64 hex digits.")]


class RunStatus(StrEnum):
    """Where a run stands."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    RUNNING = "running"
    FAILED = "failed"
    SUCCEEDED = "succeeded"
    ARCHIVED = "archived"


MACHINE = Machine[RunStatus](
    {
        RunStatus.DRAFT: frozenset({RunStatus.SCHEDULED, RunStatus.RUNNING, RunStatus.ARCHIVED}),
        RunStatus.SCHEDULED: frozenset({RunStatus.DRAFT, RunStatus.RUNNING, RunStatus.FAILED, RunStatus.ARCHIVED}),
        RunStatus.RUNNING: frozenset({RunStatus.SUCCEEDED, RunStatus.FAILED}),
        RunStatus.FAILED: frozenset({RunStatus.ARCHIVED}),
        RunStatus.SUCCEEDED: frozenset({RunStatus.ARCHIVED}),
        RunStatus.ARCHIVED: frozenset(),
    }
)
OVER = frozenset({RunStatus.FAILED, RunStatus.SUCCEEDED, RunStatus.ARCHIVED})


class SensorMode(StrEnum):
    """Whether captures of the run store the sensor, or it is only watched."""

    RECORD = "record"
    MONITOR = "monitor"


class BoundSensor(BaseModel):
    """A sensor that takes part in a run."""

    sensor_id: UUID
    mode: SensorMode = SensorMode.RECORD


class RunSensors(BaseModel):
    """All sensors that take part, in the order in which they are shown."""

    sensors: list[BoundSensor] = Field(max_length=1000)


class RunCreate(BaseModel):
    """A new run, a draft."""

    name: str = Field(min_length=1, max_length=200)
    params: dict[str, JsonValue] = {}
    config: dict[str, JsonValue] = {}
    git_sha: GitSha | None = None
    environment: dict[str, JsonValue] = {}


class RunUpdate(BaseModel):
    """Fields to change; absent ones stay."""

    name: str | None = Field(default=None, min_length=1, max_length=200)
    params: dict[str, JsonValue] | None = None
    config: dict[str, JsonValue] | None = None
    git_sha: GitSha | None = None
    environment: dict[str, JsonValue] | None = None


class RunFinish(BaseModel):
    """How the run ended."""

    status: Literal["succeeded", "failed"] = "succeeded"


class BatchStatus(BaseModel):
    """Runs that all move to one state, or none of them does."""

    run_ids: list[UUID] = Field(min_length=1, max_length=500)
    status: RunStatus


class Run(BaseModel):
    """A run; `number` counts within its experiment, `duration_s` is known once it is over."""

    id: UUID
    experiment_id: UUID
    project_id: UUID
    number: int
    name: str
    params: dict[str, JsonValue]
    config: dict[str, JsonValue]
    git_sha: str | None
    environment: dict[str, JsonValue]
    status: RunStatus
    started_at: datetime | None
    finished_at: datetime | None
    duration_s: float | None
    created_at: datetime
    sensors: list[BoundSensor]


class Runs(BaseModel):
    """The runs that a batch moved."""

    items: list[Run]


class RunQuery(PageQuery):
    """Which runs are wanted."""

    status: RunStatus | None = None
