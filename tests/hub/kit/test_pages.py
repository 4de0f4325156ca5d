"""Lists by cursor."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from hub.kit.pages import FIRST, PageQuery, Position, page_of, position_of
from hub.kit.problems import InvalidPayload

NEWEST = datetime(2026, 11, 23, 8, 0, 0, 125_001, tzinfo=UTC)
ROWS = [Position(NEWEST - timedelta(microseconds=n), UUID(int=n)) for n in range(4)]


def page(query: PageQuery, rows: list[Position]) -> tuple[list[int], str | None]:
    made = page_of(rows, query, lambda row: row.id.int, lambda row: row)
    return made.items, made.next_cursor


def test_without_cursor_from_the_beginning() -> None:
    assert position_of(PageQuery()) == FIRST
    assert ROWS[0] < FIRST


def test_last_page() -> None:
    assert page(PageQuery(limit=4), ROWS) == ([0, 1, 2, 3], None)


def test_cursor_is_exact() -> None:
    items, cursor = page(PageQuery(limit=2), ROWS[:3])
    assert items == [0, 1]
    assert position_of(PageQuery(cursor=cursor)) == ROWS[1], "to the microsecond: else items are lost or repeated"


@pytest.mark.parametrize("cursor", ["", "x", "====", "bm90aGluZw==", "\u00e9", "MjAyNi0xMS0yMw=="])
def test_cursor_that_was_not_made_here(cursor: str) -> None:
    with pytest.raises(InvalidPayload) as problem:
        position_of(PageQuery(cursor=cursor))
    assert problem.value.errors is not None
    assert problem.value.errors[0].loc == ["query", "cursor"]
