"""Shapes of the profiles API."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from pydantic import BaseModel, Field, WithJsonSchema

from contract.conversion.convert import Status
from contract.conversion.profile import Profile as ProfilePayload
from hub.kit.wire import absent

MAX_PREVIEW = 10_000


def _schema() -> dict[str, Any]:
    _, parts = msgspec.json.schema_components((ProfilePayload,))
    return {"oneOf": list(parts.values())}


# Validated by the contract's own reader, which edge agents use too; pydantic only passes it on and documents it.
Payload = Annotated[dict[str, Any], WithJsonSchema(_schema())]
StatusName = Literal["ok", "out_of_range", "conversion_error", "no_profile"]
STATUS_NAMES: dict[int, StatusName] = {
    Status.OK: "ok",
    Status.OUT_OF_RANGE: "out_of_range",
    Status.CONVERSION_ERROR: "conversion_error",
    Status.NO_PROFILE: "no_profile",
}


class ProfileStatus(StrEnum):
    """Where a version stands."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    ACTIVE = "active"
    DEPRECATED = "deprecated"


class ActiveProfile(BaseModel):
    """The version that applies to what a sensor sends now."""

    id: UUID
    version: int
    kind: str


class Profile(BaseModel):
    """A version of a sensor's profile; `valid_from` null is the beginning, `valid_to` null no end.

    `payload` is absent for whoever may not read raw values: it would give them away.
    """

    id: UUID
    sensor_id: UUID
    version: int
    kind: str
    payload: Payload | None = Field(default=None, exclude_if=absent)
    valid_from: datetime | None
    valid_to: datetime | None
    status: ProfileStatus
    created_at: datetime


class PublishedVersion(BaseModel):
    """A version as edge agents need it."""

    version: int
    valid_from: datetime | None
    valid_to: datetime | None
    payload: dict[str, Any]


class Preview(BaseModel):
    """Raw values to try a profile on."""

    raw: list[Annotated[float, Field(allow_inf_nan=False)]] = Field(min_length=1, max_length=MAX_PREVIEW)


class Previewed(BaseModel):
    """What a profile makes of raw values, each in its place; null where there is no physical value."""

    physical: list[float | None]
    status: list[StatusName]
