"""Records facts; audit trail, webhooks and notifications read them."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from hub.kit.context import Context
from hub.kit.db import Tx
from hub.ledger import queries


@dataclass(frozen=True)
class Fact:
    """Something that happened: `kind` is noun and past participle, e.g. `capture.started`."""

    kind: str
    subject_id: UUID | None = None
    project_id: UUID | None = None
    details: dict[str, Any] = field(default_factory=dict[str, Any])


async def record(ctx: Context, fact: Fact) -> None:
    """Write the fact into the caller's transaction; it exists exactly when what it tells of was committed."""
    principal, grant = ctx.principal, ctx.grant
    await queries.insert(
        ctx.tx,
        kind=fact.kind,
        project_id=fact.project_id or (grant.scope_id if grant else None),
        subject_id=fact.subject_id,
        principal_kind=principal.kind if principal else None,
        principal_id=principal.id if principal else None,
        role=grant.role if grant else None,
        address=ctx.address,
        request_id=ctx.request_id,
        details=fact.details,
    )


async def record_for_system(tx: Tx, fact: Fact, *, by: str) -> None:
    """Write a fact that no request brought about; `by` names the worker."""
    await queries.insert(
        tx,
        kind=fact.kind,
        project_id=fact.project_id,
        subject_id=fact.subject_id,
        principal_kind="system",
        principal_id=None,
        role=None,
        address=None,
        request_id=by,
        details=fact.details,
    )
