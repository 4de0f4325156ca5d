"""Shapes of the limits that belong to a token."""

from enum import StrEnum
from typing import Final

from pydantic import BaseModel, Field

MAX_REQUESTS_PER_S: Final = 10_000
MAX_BURST: Final = 100_000
MAX_SAMPLES_PER_S: Final = 1_000_000_000


class TimeSource(StrEnum):
    """Who says when a sample was taken: the device, or the first that hears of it, for a device without a clock."""

    DEVICE = "device"
    ARRIVAL = "arrival"


class Limits(BaseModel):
    """What a sensor's token may send: requests over HTTP POST, samples over WebSocket, streams and MQTT."""

    requests_per_s: float = 0.1
    burst: int = Field(default=10, description="Requests that may come at once after a pause.")
    samples_per_s: float = 10_000.0


class LimitsUpdate(BaseModel):
    """Limits to set; absent ones stay, at first 0.1 requests a second, 10 at once, and 10,000 samples a second."""

    requests_per_s: float | None = Field(default=None, ge=0.0001, le=MAX_REQUESTS_PER_S)
    burst: int | None = Field(default=None, ge=1, le=MAX_BURST)
    samples_per_s: float | None = Field(default=None, ge=0.1, le=MAX_SAMPLES_PER_S)


AGENT_SAMPLES_PER_S: Final = 100_000.0


class AgentLimits(BaseModel):
    """What an edge agent's token may send in all; each of its sensors has a limit of its own beside it."""

    samples_per_s: float


class AgentLimitsUpdate(BaseModel):
    """Limits to set; absent ones stay, at first 100,000 samples a second."""

    samples_per_s: float | None = Field(default=None, ge=0.1, le=MAX_SAMPLES_PER_S)
