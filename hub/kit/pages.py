"""Lists by opaque cursor: the newest first, each page continuing after the last item of the one before."""

import base64
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Generic, NamedTuple, TypeVar
from uuid import UUID

from pydantic import BaseModel, Field

from hub.kit.problems import FieldError, InvalidPayload

Item = TypeVar("Item")
Row = TypeVar("Row")


class Page(BaseModel, Generic[Item]):
    """A part of a list; `next_cursor` is null on the last one."""

    items: list[Item]
    next_cursor: str | None = None


class PageQuery(BaseModel):
    """Which part of a list is wanted."""

    cursor: str | None = None
    limit: int = Field(default=100, ge=1, le=500)


class Position(NamedTuple):
    """The sort key of the last item seen: creation time, then id."""

    created_at: datetime
    id: UUID


FIRST = Position(datetime.fromisoformat("9999-01-01T00:00:00+00:00"), UUID(int=2**128 - 1))


def position_of(query: PageQuery) -> Position:
    """Read the cursor; a missing one means the beginning. Raises InvalidPayload for one we did not make."""
    if query.cursor is None:
        return FIRST
    try:
        at, identifier = base64.urlsafe_b64decode(query.cursor.encode()).decode().split(" ")
        return Position(datetime.fromisoformat(at), UUID(identifier))
    except ValueError as error:
        raise InvalidPayload(
            errors=[FieldError(loc=["query", "cursor"], msg="pass next_cursor of an earlier page")]
        ) from error


def page_of(
    rows: Sequence[Row], query: PageQuery, make: Callable[[Row], Item], key: Callable[[Row], Position]
) -> Page[Item]:
    """Make a page of rows of which one more than `limit` was fetched."""
    shown = rows[: query.limit]
    cursor = None
    if len(rows) > query.limit:
        last = key(shown[-1])
        cursor = base64.urlsafe_b64encode(f"{last.created_at.isoformat()} {last.id}".encode()).decode()
    return Page(items=[make(row) for row in shown], next_cursor=cursor)
