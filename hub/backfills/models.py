"""Shapes of the backfills API."""

from datetime import datetime
from enum import StrEnum
from typing import Final, Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field, model_validator

from hub.conversion.models import Profile
from hub.kit.pages import PageQuery
from hub.telemetry.preview_models import Difference

MAX_DAYS: Final = 3650


class BackfillStatus(StrEnum):
    """Where a backfill stands: it waits for the capture's seal and for the backfills of the capture before it."""

    WAITING = "waiting"
    RUNNING = "running"
    FINISHED = "finished"
    CANCELLED = "cancelled"
    FAILED = "failed"


UNFINISHED: Final = frozenset({BackfillStatus.WAITING, BackfillStatus.RUNNING})


class BackfillCreate(BaseModel):
    """Which version to apply to its sensor's series of the capture."""

    profile_id: UUID


class BackfillOptions(BaseModel):
    """How to ask for a backfill."""

    dry_run: bool = Field(default=False, description="Tell what would change, and change nothing.")


class Backfill(BaseModel):
    """A version applied to one sensor's series of a capture; when it is finished, that is the capture's `revision`.

    Physical values of the revision before stay readable.
    """

    id: UUID
    project_id: UUID
    capture_id: UUID
    sensor_id: UUID
    sensor_name: str
    profile_id: UUID
    profile_version: int
    revision: int
    status: BackfillStatus
    samples: int | None = Field(description="How many there are to convert; known once the capture is sealed.")
    done: int = Field(description="How many are converted.")
    difference: Difference | None = Field(
        description="What changed against the revision before, as far as it is done; of vectors in their headlines."
    )
    elements: Difference | None = Field(description="The same of every element of vectors; null of numbers.")
    requested_by: str = Field(description="Who started it, by name.")
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    error: str | None
    run_id: UUID
    experiment_id: UUID
    run_number: int
    experiment_name: str
    ordinal_number: int


class DryRun(BaseModel):
    """What a backfill would change; of a very long series only the first samples are tried."""

    capture_id: UUID
    sensor_id: UUID
    profile_id: UUID
    profile_version: int
    samples: int = Field(description="How many the series holds.")
    difference: Difference = Field(description="What would change; of vectors in their headlines.")
    elements: Difference | None = Field(description="The same of every element of vectors; null of numbers.")


class BackfillQuery(PageQuery):
    """Which of a project's backfills are wanted."""

    capture_id: UUID | None = None
    sensor_id: UUID | None = None
    status: BackfillStatus | None = None


class Publication(BaseModel):
    """How to publish a draft.

    `prospective`: for what is measured from `valid_from` on. `backfill`: the same, and the version is also applied to
    the captures that stopped within the last `days` days.
    """

    mode: Literal["prospective", "backfill"] = "prospective"
    valid_from: AwareDatetime | None = Field(default=None, description="At least 5 s ahead, which is the default.")
    days: int | None = Field(default=None, ge=1, le=MAX_DAYS)

    @model_validator(mode="after")
    def _days_with_backfill(self) -> Self:
        if (self.mode == "backfill") is (self.days is None):
            raise ValueError("give days with the mode backfill, and only with it")
        return self


class Published(Profile):
    """A published version, and the backfills that were started with it."""

    backfills: list[UUID]
