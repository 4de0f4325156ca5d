"""Shapes of the experiments API."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from hub.kit.pages import PageQuery
from hub.kit.states import Machine

Tag = Annotated[str, Field(min_length=1, max_length=60)]


class ExperimentStatus(StrEnum):
    """Where an experiment stands."""

    DRAFT = "draft"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    ARCHIVED = "archived"


MACHINE = Machine[ExperimentStatus](
    {
        ExperimentStatus.DRAFT: frozenset({ExperimentStatus.RUNNING, ExperimentStatus.ARCHIVED}),
        ExperimentStatus.RUNNING: frozenset(
            {ExperimentStatus.SUCCEEDED, ExperimentStatus.FAILED, ExperimentStatus.ARCHIVED}
        ),
        ExperimentStatus.SUCCEEDED: frozenset({ExperimentStatus.RUNNING, ExperimentStatus.ARCHIVED}),
        ExperimentStatus.FAILED: frozenset({ExperimentStatus.RUNNING, ExperimentStatus.ARCHIVED}),
        ExperimentStatus.ARCHIVED: frozenset(),
    }
)


class ExperimentCreate(BaseModel):
    """A new experiment; whoever creates it is its owner."""

    name: str = Field(min_length=1, max_length=200)
    description: str = Field(default="", max_length=50_000)
    tags: list[Tag] = Field(default=[], max_length=50)


class ExperimentUpdate(BaseModel):
    """Fields to change; absent ones stay. Archiving has a route of its own."""

    name: str | None = Field(default=None, min_length=1, max_length=200)
    description: str | None = Field(default=None, max_length=50_000)
    tags: list[Tag] | None = Field(default=None, max_length=50)
    status: Literal["running", "succeeded", "failed"] | None = None


class Experiment(BaseModel):
    """An experiment."""

    id: UUID
    project_id: UUID
    name: str
    description: str
    status: ExperimentStatus
    tags: list[str]
    owner_id: UUID
    created_at: datetime
    updated_at: datetime


class ExperimentQuery(PageQuery):
    """Which experiments are wanted; `q` is part of a name, in any case."""

    status: ExperimentStatus | None = None
    tag: str | None = None
    q: str | None = Field(default=None, max_length=200)
