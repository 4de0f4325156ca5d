"""Shapes of the edge agents' API."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from hub.conversion.models import PublishedVersion
from hub.kit.wire import absent
from hub.sensors.agent_status_models import AgentInstance
from hub.sensors.limit_models import AgentLimits, AgentLimitsUpdate, TimeSource


class EdgeAgentCreate(BaseModel):
    """A new edge agent; the default one also takes sensors that are assigned to nobody."""

    name: str = Field(min_length=1, max_length=200)
    default: bool = False
    limits: AgentLimitsUpdate = AgentLimitsUpdate()


class EdgeAgentUpdate(BaseModel):
    """Fields to change; absent ones stay."""

    name: str | None = Field(default=None, min_length=1, max_length=200)
    default: bool | None = None
    limits: AgentLimitsUpdate | None = None


class EdgeAgent(BaseModel):
    """An edge agent or another gateway."""

    id: UUID
    project_id: UUID
    name: str
    default: bool
    limits: AgentLimits
    created_at: datetime
    instances: list[AgentInstance] = Field(
        description="How the programs that run as this agent are doing; empty before the first."
    )
    token: str | None = Field(default=None, exclude_if=absent, description="Only in the answer to its creation.")


class ConfiguredAgent(BaseModel):
    """The agent as it sees itself."""

    id: UUID
    name: str
    project_id: UUID
    default: bool


class ConfiguredSensor(BaseModel):
    """A sensor that the agent speaks for, with every published version of its profile."""

    id: UUID
    name: str
    time_source: TimeSource
    profiles: list[PublishedVersion]


class EdgeConfig(BaseModel):
    """All that an edge agent must know to convert."""

    agent: ConfiguredAgent
    sensors: list[ConfiguredSensor]


class BrokerLogin(BaseModel):
    """What a client told the broker."""

    username: str = Field(max_length=200)
    password: str = Field(max_length=1000)


class BrokerAccount(BaseModel):
    """Whom the broker let in: `agent_id` is the agent that a sensor is assigned to."""

    kind: Literal["sensor", "agent"]
    id: UUID
    project_id: UUID
    agent_id: UUID | None
    default: bool
