"""Shapes of the auth API."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, EmailStr, Field


def _lower(value: str) -> str:
    return value.lower()


Email = Annotated[EmailStr, AfterValidator(_lower)]


class Login(BaseModel):
    """Credentials; `client: browser` gets the refresh token as a cookie that scripts cannot read."""

    email: Email
    password: str = Field(min_length=1, max_length=1000)
    client: Literal["browser"] | None = None


class Refresh(BaseModel):
    """The refresh token; a browser sends it as its cookie and leaves this empty."""

    refresh_token: str | None = None


class Tokens(BaseModel):
    """A fresh pair of tokens; `expires_in` counts seconds."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the name of the scheme
    expires_in: int
    refresh_token: str | None


class Membership(BaseModel):
    """A project that the user is a member of."""

    id: UUID
    name: str
    role: Literal["owner", "editor", "viewer"]


class Me(BaseModel):
    """Who is logged in."""

    id: UUID
    email: str
    name: str
    projects: list[Membership]
