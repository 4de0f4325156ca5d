"""Creating, reading, changing and deleting captures."""

from uuid import UUID

import asyncpg

from hub.captures import clocks, queries
from hub.captures.models import (
    DELETABLE,
    MACHINE,
    Capture,
    CaptureCreate,
    CaptureQuery,
    CaptureStatus,
    CaptureUpdate,
    Initiator,
)
from hub.captures.problems import (
    CaptureKept,
    CaptureNotDraft,
    CaptureNotOver,
    CaptureNotRunning,
    NothingToRecord,
    PreRollTooLong,
)
from hub.kit.context import Context
from hub.kit.db import Tx
from hub.kit.pages import Page, Position, page_of, position_of
from hub.kit.problems import NotFound
from hub.ledger.service import Fact, record
from hub.runs import service as runs
from hub.runs.models import OVER, RunStatus
from hub.runs.problems import RunNotRunning, RunOver

SKETCH = (CaptureStatus.DRAFT, CaptureStatus.RUNNING)


async def create(ctx: Context, run_id: UUID, body: CaptureCreate) -> Capture:
    """Draft a capture of a run and start it unless told otherwise.

    Raises PreRollTooLong, RunNotRunning, RunOver, NothingToRecord.
    """
    retention_s = ctx.hub.settings.retention_days * 86_400.0
    if body.pre_roll_s > retention_s:
        raise PreRollTooLong(days=ctx.hub.settings.retention_days)
    run = await runs.lock(ctx.tx, run_id)
    if run.status in OVER and not body.start:
        raise RunOver(number=run.number, current=run.status)
    ordinal = await queries.next_ordinal(ctx.tx, run_id)
    capture_id = await queries.insert(
        ctx.tx,
        run_id=run_id,
        ordinal_number=ordinal,
        duration_s=body.duration_s,
        pre_roll_s=body.pre_roll_s,
        notes=body.notes,
        initiated_by=ctx.caller.id,
        initiated_role=ctx.scope.role,
    )
    details = {"run_id": str(run_id), "ordinal_number": ordinal}
    await record(ctx, Fact("capture.created", subject_id=capture_id, details=details))
    if not body.start:
        return await read(ctx, capture_id)
    await _begin(ctx, run, capture_id)
    return await _begun(ctx, capture_id)


async def start(ctx: Context, capture_id: UUID) -> Capture:
    """Start a draft; raises CaptureNotDraft, RunNotRunning, NothingToRecord."""
    run_id = await queries.run_of(ctx.tx, capture_id)
    if run_id is None:
        raise NotFound(noun="capture")
    run = await runs.lock(ctx.tx, run_id)
    capture = await _lock(ctx.tx, capture_id)
    status = CaptureStatus(capture["status"])
    if not MACHINE.allows(status, CaptureStatus.RUNNING):
        raise CaptureNotDraft(ordinal=capture["ordinal_number"], current=status)
    await _begin(ctx, run, capture_id)
    return await _begun(ctx, capture_id)


async def _begin(ctx: Context, run: runs.LockedRun, capture_id: UUID) -> None:
    """Start a draft of a locked run."""
    if run.status is not RunStatus.RUNNING:
        raise RunNotRunning(number=run.number, current=run.status)
    if await queries.freeze_sensors(ctx.tx, capture_id, run.id) == 0:
        raise NothingToRecord(number=run.number, run_id=run.id)
    await queries.start(ctx.tx, capture_id, initiated_by=ctx.caller.id, initiated_role=ctx.scope.role)
    await record(ctx, Fact("capture.started", subject_id=capture_id, details={"run_id": str(run.id)}))


async def _begun(ctx: Context, capture_id: UUID) -> Capture:
    capture = await read(ctx, capture_id)
    return capture.model_copy(update={"warnings": await clocks.warnings(ctx.tx, capture_id)})


async def stop(ctx: Context, capture_id: UUID) -> Capture:
    """End a capture at the database's time; samples taken before it still belong to it when they arrive late."""
    capture = await _lock(ctx.tx, capture_id)
    status = CaptureStatus(capture["status"])
    if not MACHINE.allows(status, CaptureStatus.FINISHED):
        raise CaptureNotRunning(ordinal=capture["ordinal_number"], current=status)
    await _end(ctx, capture["run_id"], capture_id)
    return await read(ctx, capture_id)


async def stop_all_of_run(ctx: Context, run_id: UUID) -> None:
    """End the running captures of a run that ends."""
    for capture_id in await queries.running_of_run(ctx.tx, run_id):
        await _end(ctx, run_id, capture_id)


async def _end(ctx: Context, run_id: UUID, capture_id: UUID) -> None:
    await queries.stop(ctx.tx, capture_id)
    await record(ctx, Fact("capture.stopped", subject_id=capture_id, details={"run_id": str(run_id)}))


async def read(ctx: Context, capture_id: UUID) -> Capture:
    """Read a capture."""
    row = await queries.find(ctx.tx, capture_id)
    if row is None:
        raise NotFound(noun="capture")
    return _capture(row)


async def list_of(
    ctx: Context, query: CaptureQuery, *, run_id: UUID | None = None, project_id: UUID | None = None
) -> Page[Capture]:
    """List the captures of a run or of a project, the newest first."""
    before = position_of(query)
    rows = await queries.page(
        ctx.tx,
        run_id=run_id,
        project_id=project_id,
        status=query.status,
        archived=query.archived,
        before_at=before.created_at,
        before_id=before.id,
        limit=query.limit + 1,
    )
    return page_of(rows, query, _capture, lambda row: Position(row["created_at"], row["id"]))


async def update(ctx: Context, capture_id: UUID, body: CaptureUpdate) -> Capture:
    """Change notes, or archive a capture that is over; raises CaptureNotOver."""
    capture = await _lock(ctx.tx, capture_id)
    status = CaptureStatus(capture["status"])
    if body.archived and status in SKETCH:
        raise CaptureNotOver(ordinal=capture["ordinal_number"], current=status)
    await queries.update(ctx.tx, capture_id=capture_id, notes=body.notes, archived=body.archived)
    after = body.model_dump(exclude_none=True)
    await record(ctx, Fact("capture.updated", subject_id=capture_id, before=dict(capture), after=after))
    return await read(ctx, capture_id)


async def delete(ctx: Context, capture_id: UUID) -> None:
    """Delete a draft or a failed capture; raises CaptureKept for every other."""
    capture = await _lock(ctx.tx, capture_id)
    status = CaptureStatus(capture["status"])
    if status not in DELETABLE:
        raise CaptureKept(ordinal=capture["ordinal_number"], current=status)
    await queries.delete(ctx.tx, capture_id)
    details = {"run_id": str(capture["run_id"]), "ordinal_number": capture["ordinal_number"]}
    await record(ctx, Fact("capture.deleted", subject_id=capture_id, details=details))


async def captures_that_need(tx: Tx, sensor_id: UUID) -> list[str]:
    """Guard of deleting sensors: name the running captures that record one."""
    return [
        f"capture {row['ordinal_number']} of run {row['number']} of {row['experiment']} (running)"
        for row in await queries.running_with_sensor(tx, sensor_id)
    ]


async def running_in_project(tx: Tx, project_id: UUID) -> list[str]:
    """Guard of deleting projects: name the captures that run."""
    return [
        f"capture {row['ordinal_number']} of run {row['number']} of {row['experiment']} (running)"
        for row in await queries.running_in_project(tx, project_id)
    ]


async def _lock(tx: Tx, capture_id: UUID) -> asyncpg.Record:
    row = await queries.lock(tx, capture_id)
    if row is None:
        raise NotFound(noun="capture")
    return row


def _capture(row: asyncpg.Record) -> Capture:
    fields = dict(row)
    initiator = Initiator(
        id=fields.pop("initiated_by"), name=fields.pop("initiated_name"), role=fields.pop("initiated_role")
    )
    return Capture(initiated_by=initiator, **fields)
