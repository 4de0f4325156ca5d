"""Reading a project's facts: the project's own and, for owners, those of its members' accounts."""

from collections.abc import AsyncIterator
from typing import Any, Final
from uuid import UUID

import asyncpg

from hub.audit import queries
from hub.audit.models import AuditFact, AuditFilter, AuditQuery, AuditUser
from hub.kit.context import Context
from hub.kit.db import Tx
from hub.kit.pages import FIRST, Page, Position, page_of, position_of
from hub.projects.models import Role

EXPORTED_AT_ONCE: Final = 1000
MOST_ID: Final = 2**63 - 1


async def page(ctx: Context, project_id: UUID, query: AuditQuery) -> Page[AuditFact]:
    """List facts, the newest first."""
    rows = await _newest(ctx, ctx.tx, project_id, query, before=position_of(query), limit=query.limit + 1)
    return page_of(rows, query, _fact, _position)


async def every(ctx: Context, tx: Tx, project_id: UUID, wanted: AuditFilter) -> AsyncIterator[list[AuditFact]]:
    """Yield all facts piece by piece, the newest first; needs a transaction that sees one moment throughout."""
    position = FIRST
    while rows := await _newest(ctx, tx, project_id, wanted, before=position, limit=EXPORTED_AT_ONCE):
        yield [_fact(row) for row in rows]
        position = _position(rows[-1])


async def _newest(
    ctx: Context, tx: Tx, project_id: UUID, wanted: AuditFilter, *, before: Position, limit: int
) -> list[asyncpg.Record]:
    asked: dict[str, Any] = {
        "project_id": project_id,
        "kinds": None if wanted.kind is None else _pattern(wanted.kind),
        "user_id": wanted.user_id,
        "subject_id": wanted.subject_id,
        "from_at": wanted.from_,
        "to_at": wanted.to,
        "q": wanted.q,
        "before_at": before.created_at,
        "before_id": min(before.id.int, MOST_ID),
        "limit": limit,
    }
    await queries.plan_for_arguments(tx)
    rows = await queries.of_project(tx, **asked)
    if ctx.scope.role == Role.OWNER:
        rows += await queries.of_members_accounts(tx, **asked)
        rows.sort(key=_position, reverse=True)
    return rows[:limit]


def _pattern(kind: str) -> str:
    """Write a pattern of LIKE: of one kind, or of all kinds of a noun."""
    escaped = kind.replace("_", r"\_")
    return escaped if "." in kind else f"{escaped}.%"


def _position(row: asyncpg.Record) -> Position:
    return Position(row["at"], UUID(int=row["id"]))


def _fact(row: asyncpg.Record) -> AuditFact:
    fields = dict(row)
    user_id, name, email = fields.pop("user_id"), fields.pop("user_name"), fields.pop("user_email")
    return AuditFact(user=None if user_id is None else AuditUser(id=user_id, name=name, email=email), **fields)
