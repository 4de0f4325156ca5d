"""Creating, reading and changing runs, and the sensors that take part in them."""

from typing import NamedTuple
from uuid import UUID

import asyncpg

from hub.experiments import service as experiments
from hub.kit.context import Context
from hub.kit.db import Tx
from hub.kit.pages import Page, Position, page_of, position_of
from hub.kit.problems import FieldError, InvalidPayload, NotFound
from hub.ledger.service import Fact, record
from hub.runs import queries
from hub.runs.models import OVER, Run, RunCreate, RunQuery, RunSensors, RunStatus, RunUpdate
from hub.runs.problems import RunOver
from hub.sensors import service as sensors


class LockedRun(NamedTuple):
    """A run whose state cannot change before this transaction ends."""

    id: UUID
    experiment_id: UUID
    number: int
    status: RunStatus


def _run(row: asyncpg.Record) -> Run:
    return Run(**dict(row))


async def create(ctx: Context, experiment_id: UUID, body: RunCreate) -> Run:
    """Create a run as a draft; raises ExperimentArchived."""
    await experiments.lock_open(ctx, experiment_id)
    run_id = await queries.insert(
        ctx.tx,
        experiment_id=experiment_id,
        name=body.name,
        params=body.params,
        config=body.config,
        git_sha=body.git_sha,
        environment=body.environment,
    )
    details = {"experiment_id": str(experiment_id), "name": body.name}
    await record(ctx, Fact("run.created", subject_id=run_id, details=details))
    return await read(ctx, run_id)


async def read(ctx: Context, run_id: UUID) -> Run:
    """Read a run."""
    rows = await queries.find(ctx.tx, [run_id])
    if not rows:
        raise NotFound(noun="run")
    return _run(rows[0])


async def read_all(ctx: Context, run_ids: list[UUID]) -> list[Run]:
    """Read several runs by experiment and number."""
    return [_run(row) for row in await queries.find(ctx.tx, run_ids)]


async def list_of_experiment(ctx: Context, experiment_id: UUID, query: RunQuery) -> Page[Run]:
    """List an experiment's runs, the newest first."""
    before = position_of(query)
    rows = await queries.page(
        ctx.tx,
        experiment_id=experiment_id,
        status=query.status,
        before_at=before.created_at,
        before_id=before.id,
        limit=query.limit + 1,
    )
    return page_of(rows, query, _run, lambda row: Position(row["created_at"], row["id"]))


async def update(ctx: Context, run_id: UUID, body: RunUpdate) -> Run:
    """Change what describes a run; raises RunOver for an archived one."""
    run = await lock(ctx.tx, run_id)
    if run.status is RunStatus.ARCHIVED:
        raise RunOver(number=run.number, current=run.status)
    before = (await read(ctx, run_id)).model_dump()
    await queries.update(
        ctx.tx,
        run_id=run_id,
        name=body.name,
        params=body.params,
        config=body.config,
        git_sha=body.git_sha,
        environment=body.environment,
    )
    after = body.model_dump(exclude_none=True)
    await record(ctx, Fact("run.updated", subject_id=run_id, before=before, after=after))
    return await read(ctx, run_id)


async def put_sensors(ctx: Context, run_id: UUID, body: RunSensors) -> Run:
    """Replace the sensors that take part; a capture that runs keeps the sensors it started with. Raises RunOver."""
    run = await lock(ctx.tx, run_id)
    if run.status in OVER:
        raise RunOver(number=run.number, current=run.status)
    wanted = [bound.sensor_id for bound in body.sensors]
    known = await sensors.lock_bindable(ctx.tx, sensor_ids=wanted, project_id=ctx.scope.scope_id)
    errors = [
        FieldError(loc=["body", "sensors", place, "sensor_id"], msg=msg)
        for place, sensor_id in enumerate(wanted)
        for msg, wrong in (
            ("no sensor of this project", sensor_id not in known),
            ("named twice", sensor_id in wanted[:place]),
        )
        if wrong
    ]
    if errors:
        raise InvalidPayload(errors=errors)
    before = (await read(ctx, run_id)).model_dump()
    await queries.unbind_all(ctx.tx, run_id)
    await queries.bind(ctx.tx, run_id=run_id, sensor_ids=wanted, modes=[bound.mode for bound in body.sensors])
    await record(ctx, Fact("run.sensors_put", subject_id=run_id, before=before, after=body.model_dump()))
    return await read(ctx, run_id)


async def lock(tx: Tx, run_id: UUID) -> LockedRun:
    """Lock a run until the transaction ends; raises NotFound."""
    row = await queries.lock(tx, run_id)
    if row is None:
        raise NotFound(noun="run")
    return LockedRun(row["id"], row["experiment_id"], row["number"], RunStatus(row["status"]))


async def runs_that_need(tx: Tx, sensor_id: UUID) -> list[str]:
    """Guard of deleting sensors: name the unfinished runs to which one is bound."""
    return [
        f"run {row['number']} of {row['experiment']} ({row['status']})"
        for row in await queries.unfinished_with_sensor(tx, sensor_id)
    ]


async def active_runs(tx: Tx, experiment_id: UUID) -> list[str]:
    """Guard of archiving experiments: name the runs that are running or scheduled."""
    rows = await queries.with_status(tx, experiment_id, [RunStatus.RUNNING, RunStatus.SCHEDULED])
    return [f"run {row['number']} ({row['status']})" for row in rows]


async def all_runs(tx: Tx, experiment_id: UUID) -> list[str]:
    """Guard of deleting experiments: name all runs."""
    return [f"run {row['number']}" for row in await queries.with_status(tx, experiment_id, list(RunStatus))]
