"""Shapes of the captures API."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, Field

from hub.kit.pages import PageQuery
from hub.kit.states import Machine
from hub.projects.models import Role

MAX_DURATION_S = 366 * 86_400.0
MAX_PRE_ROLL_S = 30 * 86_400.0


class CaptureStatus(StrEnum):
    """Where a capture stands; a finished one is still open to samples that come late."""

    DRAFT = "draft"
    RUNNING = "running"
    FINISHED = "finished"
    SEALED = "sealed"
    FAILED = "failed"


MACHINE = Machine[CaptureStatus](
    {
        CaptureStatus.DRAFT: frozenset({CaptureStatus.RUNNING, CaptureStatus.FAILED}),
        CaptureStatus.RUNNING: frozenset({CaptureStatus.FINISHED, CaptureStatus.FAILED}),
        CaptureStatus.FINISHED: frozenset({CaptureStatus.SEALED, CaptureStatus.FAILED}),
        CaptureStatus.SEALED: frozenset(),
        CaptureStatus.FAILED: frozenset(),
    }
)
DELETABLE = frozenset({CaptureStatus.DRAFT, CaptureStatus.FAILED})


class CaptureCreate(BaseModel):
    """A new capture, started at once unless `start` is false; with `duration_s` it stops by itself."""

    duration_s: float | None = Field(default=None, ge=0.001, le=MAX_DURATION_S)
    pre_roll_s: float = Field(default=0.0, ge=0, le=MAX_PRE_ROLL_S)
    notes: str = Field(default="", max_length=50_000)
    start: bool = True


class CaptureUpdate(BaseModel):
    """Fields to change; absent ones stay. An archived capture keeps its data."""

    notes: str | None = Field(default=None, max_length=50_000)
    archived: bool | None = None


class Initiator(BaseModel):
    """Who started the capture, in the role of that moment; who drafted it, before that."""

    id: UUID
    name: str
    role: Role


class FailureCode(StrEnum):
    """Why a capture failed: samples were acknowledged and then lost, or the database can hold no such ones."""

    SAMPLES_LOST = "samples_lost"
    SAMPLES_NOT_STORABLE = "samples_not_storable"


class Lack(BaseModel):
    """How many samples of a sensor a failed capture lacks."""

    sensor: str
    samples: int


class Sealing(BaseModel):
    """How far a seal is that is planned or in the making."""

    seal: int
    sensors: int
    sensors_done: int
    share: float = Field(ge=0, le=1, description="How much of the range was copied.")
    samples: int = Field(description="Samples copied so far.")
    error: str | None = Field(description="Why the last step failed; it is tried again.")


class ClockWarning(BaseModel):
    """A sensor whose samples are dated more than a second off: near Start and Stop they fall on the wrong side."""

    sensor_id: UUID
    sensor: str
    offset_s: float = Field(description="How far its newest sample was dated ahead of its arrival; negative: behind.")


class Capture(BaseModel):
    """A capture session: every sample of its sensors with started_at ≤ t < stopped_at.

    `duration_s` is what was asked for at Start; `sensor_ids` are frozen at Start and empty before.
    """

    id: UUID
    run_id: UUID
    experiment_id: UUID
    project_id: UUID
    ordinal_number: int
    status: CaptureStatus
    archived: bool
    started_at: datetime | None
    stopped_at: datetime | None
    auto_stop_at: datetime | None
    duration_s: float | None
    pre_roll_s: float
    notes: str
    initiated_by: Initiator
    sensor_ids: list[UUID]
    created_at: datetime
    run_number: int
    run_name: str
    experiment_name: str
    failure: str | None = Field(description="Why a failed capture cannot hold what it should.")
    failure_code: FailureCode | None = Field(
        description="The same as a code, for readers of other languages; null where a capture failed before codes were."
    )
    failure_sensors: list[Lack] | None
    seals: int = Field(description="How many seals were made; later ones only add what came late.")
    late_waiting: int = Field(description="Samples that came after Stop and that no seal took in yet.")
    sealing: Sealing | None
    revision: int = Field(description="The newest revision of its physical values; 1 is what came first.")
    backfilling: bool = Field(description="Whether another revision is being made.")
    warnings: list[ClockWarning] = Field(default=[], description="Told by the answer of Start only.")


class CaptureQuery(PageQuery):
    """Which captures are wanted; archived ones are among them unless `archived` says otherwise."""

    status: CaptureStatus | None = None
    archived: bool | None = None
