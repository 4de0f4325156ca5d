"""Shapes of the journal."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from hub.kit.pages import PageQuery
from hub.kit.wire import absent


class Kind(StrEnum):
    """What went wrong.

    `rejected`: samples that were not taken · `time_future`: those more than an hour ahead · `packet_refused`: whole
    bodies (400, 413, 415, 422), over MQTT messages · `rate_limited`: 429 · `unauthorized`: a token of the sensor that
    is good no longer · `conversion_error`, `out_of_range`: samples that are stored, but without a good physical value ·
    `clock_skew`: times a little ahead of the hub's clock · `dropped`: samples that an edge agent had to drop, its spool
    being full.
    """

    REJECTED = "rejected"
    TIME_FUTURE = "time_future"
    PACKET_REFUSED = "packet_refused"
    RATE_LIMITED = "rate_limited"
    UNAUTHORIZED = "unauthorized"
    CONVERSION_ERROR = "conversion_error"
    OUT_OF_RANGE = "out_of_range"
    CLOCK_SKEW = "clock_skew"
    DROPPED = "dropped"


@dataclass(frozen=True)
class Entry:
    """Something to note of a sensor: `count` times it happened.

    `code` tells cases of a kind apart and is shown to every member. `details` describe one of them, as JSON; they may
    hold raw values, for whoever may not read raw does not see them.
    """

    sensor_no: int
    kind: Kind
    count: int = 1
    code: str = ""
    details: Mapping[str, Any] = field(default_factory=dict[str, Any])


class JournalEntry(BaseModel):
    """What went wrong within a minute, how often; `details` of the latest are absent for whoever may not read raw."""

    id: UUID
    kind: Kind
    first_at: datetime
    last_at: datetime
    count: int
    codes: dict[str, int] = Field(description="How often by case, where the kind has several.")
    details: dict[str, Any] | None = Field(default=None, exclude_if=absent)


class JournalQuery(PageQuery):
    """Which entries of a sensor's journal are wanted."""

    kind: Kind | None = None
