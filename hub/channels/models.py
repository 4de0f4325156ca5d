"""Shapes of proposals, and what tells a device's channels apart."""

import hashlib
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Self
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

from hub.kit.pages import PageQuery
from hub.kit.wire import absent
from hub.sensors.models import Sensor, SensorCreate


class ChannelState(StrEnum):
    """Whether a channel waits for an editor, is a sensor, or is left out."""

    PROPOSED = "proposed"
    BOUND = "bound"
    IGNORED = "ignored"


class ChannelName(NamedTuple):
    """What tells the channels of one device apart."""

    format: str
    name: str
    unit: str

    @property
    def digest(self) -> bytes:
        """Return what stands for it in the database, where long names cannot be indexed."""
        return hashlib.sha256("\0".join(self).encode()).digest()


class Proposal(BaseModel):
    """A channel of a device that speaks a foreign format.

    `held` of its `samples` wait for an editor's decision, for a day; `expired` were waited with in vain. `last_raw` is
    absent where it may not be read.
    """

    id: UUID
    project_id: UUID
    source_id: UUID = Field(description="The edge agent, or the sensor, whose token it comes by.")
    source_kind: str = Field(description="agent or sensor")
    source_name: str
    format: str
    name: str
    unit: str
    state: ChannelState
    sensor_id: UUID | None
    first_seen: datetime
    last_seen: datetime
    samples: int
    held: int
    expired: int
    last_raw: float | None = Field(default=None, exclude_if=absent)


class ProposalQuery(PageQuery):
    """Which channels are wanted: by default those that wait for a decision."""

    state: ChannelState = ChannelState.PROPOSED


class ProposalAccept(BaseModel):
    """What the channel is: a new sensor, or one that exists (`sensor_id`)."""

    sensor: SensorCreate | None = None
    sensor_id: UUID | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.sensor is None) == (self.sensor_id is None):
            raise ValueError("send either 'sensor', for a new one, or 'sensor_id'")
        return self


class AcceptedProposal(BaseModel):
    """The channel with the sensor that it is from now on; for an owner with the token of a new one, once."""

    proposal: Proposal
    sensor: Sensor
