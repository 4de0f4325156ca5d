"""Shapes of the projects API."""

from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

RawPolicy = Literal["open", "physical-only"]


class Role(StrEnum):
    """What a member may do, from least to most."""

    VIEWER = "viewer"
    EDITOR = "editor"
    OWNER = "owner"


RANK = {Role.VIEWER: 0, Role.EDITOR: 1, Role.OWNER: 2}


class ProjectCreate(BaseModel):
    """A new project; whoever creates it becomes its owner."""

    name: str = Field(min_length=1, max_length=200)
    description: str = Field(default="", max_length=10_000)
    raw_policy: RawPolicy = "physical-only"


class ProjectUpdate(BaseModel):
    """Fields to change; absent ones stay."""

    name: str | None = Field(default=None, min_length=1, max_length=200)
    description: str | None = Field(default=None, max_length=10_000)


class Project(BaseModel):
    """A project and the caller's role in it."""

    id: UUID
    name: str
    description: str
    raw_policy: RawPolicy
    role: Role
    created_at: datetime


class ProjectSettings(BaseModel):
    """What an owner decides for everybody: `open` lets viewers read raw values, `physical-only` does not."""

    raw_policy: RawPolicy


class Member(BaseModel):
    """Somebody who may see a project, since when and as what."""

    user_id: UUID
    name: str
    email: str
    role: Role
    since: datetime


class MemberPut(BaseModel):
    """The role that somebody is to have."""

    role: Role
