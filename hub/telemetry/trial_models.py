"""Shapes of test packets' answers."""

from pydantic import BaseModel, Field

from hub.telemetry.models import Status


class TrialQuery(BaseModel):
    """What becomes of the packet."""

    store: bool = Field(
        default=False, description="Take it as if the sensor had sent it, marked in each sample's meta."
    )


class TriedSample(BaseModel):
    """What a sample becomes; `index` is its place in the packet."""

    index: int
    t: float
    raw: float
    physical: float | None
    status: Status
    profile_version: int | None


class TrialProblem(BaseModel):
    """Why a sample is refused; index null means all of them."""

    index: int | None
    code: str
    detail: str


class Trial(BaseModel):
    """What the hub makes of a packet, and how many of its samples it stored."""

    samples: list[TriedSample]
    problems: list[TrialProblem]
    stored: int
