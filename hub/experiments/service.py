"""Creating, reading, changing, archiving and deleting experiments."""

from uuid import UUID

import asyncpg

from hub.experiments import guards, queries
from hub.experiments.models import (
    MACHINE,
    Experiment,
    ExperimentCreate,
    ExperimentQuery,
    ExperimentStatus,
    ExperimentUpdate,
)
from hub.experiments.problems import ExperimentArchived, ExperimentHeld, ExperimentMoveRefused
from hub.kit.context import Context
from hub.kit.pages import Page, Position, page_of, position_of
from hub.kit.problems import NotFound
from hub.ledger.service import Fact, record


def _experiment(row: asyncpg.Record) -> Experiment:
    return Experiment(**dict(row))


async def create(ctx: Context, body: ExperimentCreate) -> Experiment:
    """Create an experiment in the caller's project."""
    experiment_id = await queries.insert(
        ctx.tx,
        project_id=ctx.scope.scope_id,
        name=body.name,
        description=body.description,
        tags=body.tags,
        owner_id=ctx.caller.id,
    )
    await record(ctx, Fact("experiment.created", subject_id=experiment_id, details={"name": body.name}))
    return await read(ctx, experiment_id)


async def read(ctx: Context, experiment_id: UUID) -> Experiment:
    """Read an experiment."""
    row = await queries.find(ctx.tx, experiment_id)
    if row is None:
        raise NotFound(noun="experiment")
    return _experiment(row)


async def list_of_project(ctx: Context, project_id: UUID, query: ExperimentQuery) -> Page[Experiment]:
    """List a project's experiments, the newest first."""
    before = position_of(query)
    rows = await queries.page(
        ctx.tx,
        project_id=project_id,
        status=query.status,
        tag=query.tag,
        q=query.q,
        before_at=before.created_at,
        before_id=before.id,
        limit=query.limit + 1,
    )
    return page_of(rows, query, _experiment, lambda row: Position(row["created_at"], row["id"]))


async def update(ctx: Context, experiment_id: UUID, body: ExperimentUpdate) -> Experiment:
    """Change an experiment; raises ExperimentArchived or ExperimentMoveRefused."""
    current = await lock_open(ctx, experiment_id)
    before = (await read(ctx, experiment_id)).model_dump()
    await queries.update(
        ctx.tx, experiment_id=experiment_id, name=body.name, description=body.description, tags=body.tags
    )
    after = body.model_dump(exclude_none=True, exclude={"status"})
    await record(ctx, Fact("experiment.updated", subject_id=experiment_id, before=before, after=after))
    if body.status is not None:
        await _move(ctx, experiment_id, current, ExperimentStatus(body.status))
    return await read(ctx, experiment_id)


async def archive(ctx: Context, experiment_id: UUID) -> Experiment:
    """Archive an experiment; raises ExperimentHeld while a run of it is running or scheduled."""
    current = await lock_open(ctx, experiment_id)
    holders = await guards.against_archival(ctx.tx, experiment_id)
    if holders:
        raise ExperimentHeld(holders="; ".join(holders))
    await _move(ctx, experiment_id, current, ExperimentStatus.ARCHIVED)
    return await read(ctx, experiment_id)


async def delete(ctx: Context, experiment_id: UUID) -> None:
    """Delete an experiment; raises ExperimentHeld when it has runs."""
    row = await queries.lock(ctx.tx, experiment_id)
    if row is None:
        raise NotFound(noun="experiment")
    holders = await guards.against_deletion(ctx.tx, experiment_id)
    if holders:
        raise ExperimentHeld(holders="; ".join(holders))
    name = (await read(ctx, experiment_id)).name
    await queries.delete(ctx.tx, experiment_id)
    await record(ctx, Fact("experiment.deleted", subject_id=experiment_id, details={"name": name}))


async def lock_open(ctx: Context, experiment_id: UUID) -> ExperimentStatus:
    """Lock an experiment until the transaction ends and return its state; raises ExperimentArchived."""
    row = await queries.lock(ctx.tx, experiment_id)
    if row is None:
        raise NotFound(noun="experiment")
    current = ExperimentStatus(row["status"])
    if current is ExperimentStatus.ARCHIVED:
        raise ExperimentArchived(current=current)
    return current


async def begin(ctx: Context, experiment_id: UUID, current: ExperimentStatus) -> None:
    """Note that a run of the experiment, which the caller has locked, begins."""
    if current is not ExperimentStatus.RUNNING:
        await _move(ctx, experiment_id, current, ExperimentStatus.RUNNING)


async def _move(ctx: Context, experiment_id: UUID, current: ExperimentStatus, target: ExperimentStatus) -> None:
    if not MACHINE.allows(current, target):
        raise ExperimentMoveRefused(current=current, target=target)
    await queries.set_status(ctx.tx, experiment_id, target)
    details = {"from": current.value, "to": target.value}
    await record(ctx, Fact("experiment.status_changed", subject_id=experiment_id, details=details))
