"""Records facts; audit trail, webhooks and notifications read them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from hub.kit.context import Context
from hub.kit.db import Tx
from hub.ledger import queries
from hub.ledger.changes import changed


@dataclass(frozen=True)
class Fact:
    """Something that happened: `kind` is noun and past participle, e.g. `capture.started`.

    Of an update `after` holds the fields that were given and `before` what stood there, more fields are no harm; those
    that differ are kept. Members read facts: no secrets, no profile payloads, no raw values.
    """

    kind: str
    subject_id: UUID | None = None
    project_id: UUID | None = None
    details: Mapping[str, Any] = field(default_factory=dict[str, Any])
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None


async def record(ctx: Context, fact: Fact) -> None:
    """Write the fact into the caller's transaction; it exists exactly when what it tells of was committed.

    An update that changed nothing is no fact.
    """
    await _write(ctx, ctx.tx, fact)


async def record_apart(ctx: Context, fact: Fact) -> None:
    """Write the fact in a short transaction of its own, where the route has none: before what it tells of begins."""
    async with ctx.hub.db.transaction() as tx:
        await _write(ctx, tx, fact)


async def _write(ctx: Context, tx: Tx, fact: Fact) -> None:
    details = dict(fact.details)
    if fact.after is not None:
        difference = changed(fact.before or {}, fact.after)
        if difference is None:
            return
        details |= {"before": difference.before, "after": difference.after}
    principal, grant = ctx.principal, ctx.grant
    await queries.insert(
        tx,
        kind=fact.kind,
        project_id=fact.project_id or (grant.scope_id if grant else None),
        subject_id=fact.subject_id,
        principal_kind=principal.kind if principal else None,
        principal_id=principal.id if principal else None,
        role=grant.role if grant else None,
        address=ctx.address,
        user_agent=ctx.user_agent,
        credential_id=principal.credential_id if principal else None,
        request_id=ctx.request_id,
        details=details,
    )


async def record_for_system(tx: Tx, fact: Fact, *, by: str) -> None:
    """Write a fact that no request brought about; `by` names the worker or the operator's command."""
    await queries.insert(
        tx,
        kind=fact.kind,
        project_id=fact.project_id,
        subject_id=fact.subject_id,
        principal_kind="system",
        principal_id=None,
        role=None,
        address=None,
        user_agent=None,
        credential_id=None,
        request_id=by,
        details=dict(fact.details),
    )
