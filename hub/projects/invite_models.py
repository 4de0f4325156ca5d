"""Shapes of the invites API."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from hub.kit.wire import absent
from hub.projects.models import Role

DEFAULT_EXPIRY_S, MAX_EXPIRY_S = 7 * 86_400, 90 * 86_400


class InviteCode(BaseModel):
    """The code of an invite."""

    invite_code: str = Field(min_length=1, max_length=200)


class InviteCreate(BaseModel):
    """A new invite into a project, good `max_uses` times until it expires."""

    project_id: UUID
    role: Role
    note: str = Field(default="", max_length=200)
    max_uses: int = Field(default=1, ge=1, le=1000)
    expires_in_s: int = Field(default=DEFAULT_EXPIRY_S, ge=60, le=MAX_EXPIRY_S)


class Invite(BaseModel):
    """An invite; `code` and `link` are only in the answer to its creation."""

    id: UUID
    project_id: UUID
    role: Role
    note: str
    max_uses: int
    uses: int
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    created_by_name: str | None
    code: str | None = Field(default=None, exclude_if=absent)
    link: str | None = Field(default=None, exclude_if=absent)


class InviteQuery(BaseModel):
    """Whose invites are wanted."""

    project_id: UUID


class InviteView(BaseModel):
    """What an invite is good for; without a project it opens an account only."""

    project_id: UUID | None
    project_name: str | None
    role: Role | None
    expires_at: datetime
