"""Shapes of the audit API."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field, JsonValue

from hub.kit.pages import PageQuery

Kind = Annotated[
    str,
    Field(
        pattern=r"^[a-z_]+(\.[a-z_]+)?$",
        max_length=100,
        description="A kind, as capture.started, or the noun it begins with, as capture.",
    ),
]

# Further out a time zone's offset leaves the calendar.
Moment = Annotated[AwareDatetime, Field(ge=datetime(1970, 1, 1, tzinfo=UTC), le=datetime(9999, 1, 1, tzinfo=UTC))]


class AuditFilter(BaseModel):
    """Which facts are wanted: of from ≤ at < to; `q` is part of any of their texts, in any case."""

    kind: Kind | None = None
    user_id: UUID | None = Field(default=None, description="Who did it.")
    subject_id: UUID | None = Field(default=None, description="What it was done to.")
    from_: Moment | None = Field(default=None, alias="from")
    to: Moment | None = None
    q: str | None = Field(default=None, min_length=1, max_length=200)


class AuditQuery(AuditFilter, PageQuery):
    """Which part of the facts is wanted."""


class AuditUser(BaseModel):
    """A user, named as today."""

    id: UUID
    name: str
    email: str


class AuditFact(BaseModel):
    """Something that happened: who did it, to what, when and from where.

    `user` is null where a device, the system or nobody known did it. An update's details hold `before` and `after`
    with the fields that changed. A linked fact is part of the chain, which shows any later change.
    """

    id: int
    at: datetime
    kind: str
    subject_id: UUID | None
    user: AuditUser | None
    principal_kind: str | None
    role: str | None
    address: str | None
    user_agent: str | None
    request_id: str
    credential_id: UUID | None = Field(description="The session or personal token that was shown.")
    details: dict[str, JsonValue]
    linked: bool
