"""Moving runs from state to state, one at a time or many at once."""

from uuid import UUID

from hub.experiments import service as experiments
from hub.kit.context import Context
from hub.kit.problems import NotFound
from hub.ledger.service import Fact, record
from hub.projects.models import Role
from hub.runs import guards, queries, service
from hub.runs.access import admit_to
from hub.runs.models import MACHINE, BatchStatus, Run, RunFinish, Runs, RunStatus
from hub.runs.problems import RunMoveRefused


async def start(ctx: Context, run_id: UUID) -> Run:
    """Start a run at the database's time, and its experiment with it; raises RunMoveRefused, ExperimentArchived."""
    await _move(ctx, run_id, RunStatus.RUNNING)
    return await service.read(ctx, run_id)


async def finish(ctx: Context, run_id: UUID, body: RunFinish) -> Run:
    """End a run at the database's time, after its running captures; raises RunMoveRefused."""
    await _move(ctx, run_id, RunStatus(body.status))
    return await service.read(ctx, run_id)


async def move_all(ctx: Context, body: BatchStatus) -> Runs:
    """Move several runs, of any projects where the caller may, to one state; all of them or none."""
    runs = await service.read_all(ctx, body.run_ids)
    if len(runs) < len(set(body.run_ids)):
        raise NotFound(noun="run")
    # In one order, by experiment and number: two batches then never wait for each other in a circle.
    for run in runs:
        await admit_to(ctx, run.id, Role.EDITOR)
        await _move(ctx, run.id, body.status)
    return Runs(items=await service.read_all(ctx, body.run_ids))


async def _move(ctx: Context, run_id: UUID, target: RunStatus) -> None:
    experiment_id = await queries.experiment_of(ctx.tx, run_id)
    if experiment_id is None:
        raise NotFound(noun="run")
    # The experiment first: archiving it looks at its runs' states with the same lock held.
    experiment = await experiments.lock_open(ctx, experiment_id)
    run = await service.lock(ctx.tx, run_id)
    if not MACHINE.allows(run.status, target):
        raise RunMoveRefused(number=run.number, current=run.status, target=target)
    starts = target is RunStatus.RUNNING
    ends = run.status is RunStatus.RUNNING
    if starts:
        await experiments.begin(ctx, experiment_id, experiment)
    if ends:
        await guards.end_all(ctx, run_id)
    await queries.set_status(ctx.tx, run_id, target, starts=starts, ends=ends)
    details = {"from": run.status.value, "to": target.value, "experiment_id": str(experiment_id)}
    await record(ctx, Fact("run.status_changed", subject_id=run_id, details=details))
