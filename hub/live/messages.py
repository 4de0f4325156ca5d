"""Control messages of the live socket, as the client sends them."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field, TypeAdapter


class Auth(BaseModel):
    """Who watches; sent first by browsers, and again with each fresh token."""

    op: Literal["auth"]
    access_token: str


class Subscribe(BaseModel):
    """Watch sensors, or those that are bound to runs; `since` resumes after a cursor."""

    op: Literal["subscribe"]
    sensors: list[UUID] = Field(default=[], max_length=5000)
    runs: list[UUID] = Field(default=[], max_length=100)
    values: frozenset[Literal["raw", "physical"]] | None = None
    encoding: Literal["json", "binary"] = "json"
    since: str | None = Field(default=None, max_length=5000)


class Unsubscribe(BaseModel):
    """Stop watching sensors."""

    op: Literal["unsubscribe"]
    sensors: list[UUID] = Field(default=[], max_length=5000)


class Ping(BaseModel):
    """Ask for a sign of life."""

    op: Literal["ping"]


Message = Annotated[Auth | Subscribe | Unsubscribe | Ping, Field(discriminator="op")]
MESSAGE: TypeAdapter[Auth | Subscribe | Unsubscribe | Ping] = TypeAdapter(Message)
