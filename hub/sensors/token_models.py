"""Shapes of viewing and rotating tokens."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, Field

MAX_OVERLAP_S = 604_800

Expiry = Annotated[
    AwareDatetime,
    Field(le=datetime(9999, 1, 1, tzinfo=UTC), description="The token's end, in the future; null: it has none."),
]


class Rotation(BaseModel):
    """How to rotate a token: the old one stays good for `overlap_s`, by default it ends at once."""

    overlap_s: int = Field(default=0, ge=0, le=MAX_OVERLAP_S)


class SensorRotation(Rotation):
    """How to rotate a sensor's token; without `token` one is made."""

    token: str | None = Field(default=None, description="At least 128 random bits, in URL-safe characters or hex.")
    token_expires_at: Expiry | None = None


class ShownToken(BaseModel):
    """A sensor's token."""

    token: str


class RotatedToken(BaseModel):
    """A fresh token; `old_token_until` null means that the old one is good no more."""

    token: str
    old_token_until: datetime | None
