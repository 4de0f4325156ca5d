"""Shapes of the profiles API."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
from pydantic import BaseModel, Field, WithJsonSchema, model_validator

from contract.conversion.convert import Status
from contract.conversion.profile import Profile as ProfilePayload
from hub.kit.wire import absent

# Every cache of profiles, edge agents' too, looks for changes more often than this.
LEAD_S: Final = 5.0


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

    `payload` is absent for whoever may not read raw values: it would give them away. The units are the sensor's when
    the version was drafted, null for versions older than that.
    """

    id: UUID
    sensor_id: UUID
    version: int
    kind: str
    payload: Payload | None = Field(default=None, exclude_if=absent)
    valid_from: datetime | None
    valid_to: datetime | None
    status: ProfileStatus
    input_unit: str | None
    display_unit: str | None
    created_at: datetime
    created_by: str | None = Field(description="Who drafted it, by name.")
    published_at: datetime | None
    published_by: str | None = Field(description="Who published it, by name.")


class ProfileDraft(BaseModel):
    """A draft: a profile's payload, and the units that it converts, which must be the sensor's where they are named.

    A payload may also be sent as it is, without anything around it.
    """

    payload: Payload
    input_unit: str | None = Field(default=None, max_length=40)
    display_unit: str | None = Field(default=None, max_length=40)

    @model_validator(mode="before")
    @classmethod
    def _bare(cls, data: Any) -> Any:
        return {"payload": data} if isinstance(data, dict) and "kind" in data and "payload" not in data else data


class PublishedVersion(BaseModel):
    """A version as edge agents need it."""

    version: int
    valid_from: datetime | None
    valid_to: datetime | None
    payload: dict[str, Any]
