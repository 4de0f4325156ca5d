"""Reading a sensor's journal, as much of it as the reader may see."""

from uuid import UUID

import asyncpg

from hub.journal import queries
from hub.journal.models import JournalEntry, JournalQuery
from hub.kit.context import Context
from hub.kit.pages import Page, Position, page_of, position_of
from hub.projects.access import may_read_raw


async def page(ctx: Context, sensor_id: UUID, query: JournalQuery) -> Page[JournalEntry]:
    """List a sensor's entries, the newest first; details only for whoever may read raw values."""
    before = position_of(query)
    rows = await queries.page(
        ctx.tx,
        sensor_id=sensor_id,
        kind=query.kind,
        before_at=before.created_at,
        before_id=before.id,
        limit=query.limit + 1,
    )
    with_details = may_read_raw(ctx.scope)

    def entry(row: asyncpg.Record) -> JournalEntry:
        shown = JournalEntry(**dict(row))
        return shown if with_details else shown.model_copy(update={"details": None})

    return page_of(rows, query, entry, lambda row: Position(row["first_at"], row["id"]))
