"""What an event is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID


class EventKind(StrEnum):
    """What happened; the kind tells what `subject_id` names: a sensor, a capture or a backfill."""

    LIMIT_EXCEEDED = "limit_exceeded"
    CONVERSION_ERROR = "conversion_error"
    REJECTED = "rejected"
    INGEST_DELAYED = "ingest_delayed"
    BUFFERING = "buffering"
    SENSOR_STATE = "sensor_state"
    CAPTURE = "capture"
    BACKFILL_PROGRESS = "backfill_progress"
    BACKFILL_FINISHED = "backfill_finished"


@dataclass(frozen=True)
class Event:
    """Something that viewers of a project are told. All members read events: no secrets and no raw values in `details`.

    `subject_id` is None where the whole project is concerned.
    """

    kind: EventKind
    subject_id: UUID | None = None
    details: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class Told:
    """An event as it reaches viewers: of a project, at a time (seconds since 1970).

    `withheld` counts the events of its kind and subject that were not told since the one before.
    """

    project_id: UUID
    at: float
    event: Event
    withheld: int = 0
