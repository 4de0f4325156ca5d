"""Shapes of what edge agents tell about themselves."""

from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import BaseModel, Field

MAX_INSTANCE: Final = 99

Count = Annotated[int, Field(ge=0, lt=1 << 53)]
Trouble = Annotated[str | None, Field(max_length=500)]


class AgentCounts(BaseModel):
    """What an instance holds and did; counts are since its start, but for what waits or is kept in its spool."""

    version: str = Field(default="", max_length=100)
    waiting: Count = Field(default=0, description="Samples in its spool, not yet taken by the hub.")
    waiting_bytes: Count = 0
    spool_bytes: Count = Field(default=0, description="How much its spool can hold.")
    oldest_age_s: float = Field(default=0.0, ge=0, allow_inf_nan=False, description="How long the oldest waits.")
    received: Count = 0
    forwarded: Count = 0
    rejected: Count = 0
    dropped: Count = Field(default=0, description="Samples that a full spool had no room for.")
    unreported: Count = Field(default=0, description="Dropped samples that are in no ledger yet.")
    refused: Count = Field(default=0, description="Messages put aside, which nobody takes.")
    sensors: Count = Field(default=0, description="Sensors it knows.")
    hub_problem: Trouble = None
    broker_problem: Trouble = None
    blocked: Trouble = Field(default=None, description="Why its spool takes nothing.")


class AgentReport(AgentCounts):
    """One moment of an instance.

    `disconnected`: it has no session on the broker · `buffering`: the hub did not take its samples · `full`: neither
    does its spool, and the broker keeps them.
    """

    instance: int = Field(default=0, ge=0, le=MAX_INSTANCE)
    state: Literal["online", "disconnected", "buffering", "full", "stopped"]


class AgentInstance(AgentCounts):
    """What an instance last told, and when; `offline` is one that has told nothing for 30 seconds."""

    instance: int
    state: Literal["online", "disconnected", "buffering", "full", "stopped", "offline"]
    told_at: datetime
