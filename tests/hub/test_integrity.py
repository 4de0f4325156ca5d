"""The database's own rules, tried with plain statements: what is needed, finished or published stays."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from hub.captures.models import MACHINE as CAPTURES
from hub.captures.models import CaptureStatus
from hub.conversion.models import ProfileStatus
from hub.experiments.models import MACHINE as EXPERIMENTS
from hub.experiments.models import ExperimentStatus
from hub.kit.db import Tx
from hub.runs.models import MACHINE as RUNS
from hub.runs.models import RunStatus
from tests.hub.rows import BIND, DELETE_SENSOR, FREEZE, MOVE_CAPTURE, MOVE_RUN, Rows

PROFILE_MOVES = {
    ("draft", "scheduled"),
    ("draft", "active"),
    ("scheduled", "active"),
    ("scheduled", "deprecated"),
    ("active", "deprecated"),
}


@contextmanager
def refused(rule: str, **facts: Any) -> Iterator[None]:
    """Expect that a statement violates the rule, with these facts at least."""
    with pytest.raises(asyncpg.CheckViolationError) as caught:
        yield
    assert caught.value.constraint_name == rule
    assert json.loads(caught.value.detail or "") | facts == json.loads(caught.value.detail or "")


def pairs(states: type[StrEnum]) -> list[tuple[str, str]]:
    return [(before.value, after.value) for before in states for after in states if before is not after]


class TestMachines:
    """Whatever moves a state in the database moves it as the models say; each thing begins as a draft."""

    async def tried(self, db: Tx, table: str, status: type[StrEnum]) -> set[tuple[str, str]]:
        """Return the moves that a row of `table`, put into each state past all rules, is let through."""
        allowed: set[tuple[str, str]] = set()
        for before, after in pairs(status):
            transaction = db.transaction()
            await transaction.start()
            await db.execute("set local session_replication_role = replica")
            await db.execute(f"update {table} set status = $1", before)
            await db.execute("set local session_replication_role = origin")
            with suppress(asyncpg.CheckViolationError):
                await db.execute(f"update {table} set status = $1", after)
                allowed.add((before, after))
            await transaction.rollback()
        return allowed

    @pytest.mark.parametrize(
        ("machine", "states", "table"),
        [(EXPERIMENTS, ExperimentStatus, "experiment"), (RUNS, RunStatus, "run")],
    )
    async def test_experiments_and_runs(
        self, rows: Rows, db: Tx, machine: Any, states: type[StrEnum], table: str
    ) -> None:
        await rows.run()
        assert await self.tried(db, table, states) == {
            (before, after) for before, after in pairs(states) if machine.allows(states(before), states(after))
        }

    async def test_captures(self, rows: Rows, db: Tx) -> None:
        await rows.capture()
        await db.execute("update capture_session set started_at = now(), stopped_at = now()")
        assert await self.tried(db, "capture_session", CaptureStatus) == {
            (before, after)
            for before, after in pairs(CaptureStatus)
            if CAPTURES.allows(CaptureStatus(before), CaptureStatus(after))
        }

    async def test_profiles(self, rows: Rows, db: Tx) -> None:
        await rows.profile()
        assert await self.tried(db, "conversion_profile", ProfileStatus) == PROFILE_MOVES

    async def test_begin_as_drafts(self, rows: Rows, db: Tx) -> None:
        run_id = await rows.run()
        insert = "insert into experiment (project_id, name, owner_id, status) values ($1, 'e', $2, 'archived')"
        with refused("experiment_status", current="new", target="archived"):
            await db.execute(insert, rows.project, rows.user)
        with refused("run_status"):
            await db.execute(
                "insert into run (experiment_id, number, name, status) select experiment_id, 9, 'r', 'running' from run"
            )
        with refused("capture_status"):
            await db.execute(
                """
                insert into capture_session (run_id, ordinal_number, initiated_by, initiated_role, status)
                values ($1, 1, $2, 'editor', 'failed')
                """,
                run_id,
                rows.user,
            )


class TestSensorsThatAreNeeded:
    @pytest.mark.parametrize("delete", [DELETE_SENSOR, "delete from sensor where id = $1"])
    async def test_stay(self, rows: Rows, db: Tx, delete: str) -> None:
        sensor = await rows.sensor()
        experiment = await rows.experiment()
        for status in ("draft", "scheduled", "running", "succeeded", "failed", "archived"):
            await rows.run(status, of=experiment, sensors=[sensor])
        recording = await rows.run("running")
        for status in ("draft", "running", "finished", "sealed", "failed"):
            await rows.capture(status, of=recording, sensors=[sensor])
        holders = (
            "run 1 of Warm-up (draft); run 2 of Warm-up (scheduled); run 3 of Warm-up (running); "
            "capture 2 of run 1 of Warm-up (running)"
        )
        with refused("sensor_held", holders=holders):
            await db.execute(delete, sensor)

    async def test_until_they_are_not(self, rows: Rows, db: Tx) -> None:
        sensor = await rows.sensor()
        run_id = await rows.run("running", sensors=[sensor])
        capture_id = await rows.capture("running", of=run_id, sensors=[sensor])
        await db.execute(MOVE_CAPTURE, capture_id, "finished")
        await db.execute(MOVE_RUN, run_id, "succeeded")
        await db.execute(DELETE_SENSOR, sensor)
        assert await db.fetchval("select count(*) from capture_sensor") == 1
        with pytest.raises(asyncpg.ForeignKeyViolationError):
            await db.execute("delete from sensor where id = $1", sensor)

    async def test_unused_ones_go(self, rows: Rows, db: Tx) -> None:
        one, two = await rows.sensor(), await rows.sensor()
        await db.execute(DELETE_SENSOR, one)
        await db.execute("delete from sensor where id = any($1)", [one, two])
        assert await db.fetchval("select count(*) from sensor") == 0

    async def test_deleted_ones_serve_no_more(self, rows: Rows, db: Tx) -> None:
        gone, here = await rows.sensor(), await rows.sensor()
        drafted = await rows.capture(sensors=[gone, here])
        bound = await rows.run(sensors=[here])
        await db.execute(DELETE_SENSOR, gone)
        with refused("sensor_gone", sensors="s1"):
            await db.execute(MOVE_CAPTURE, drafted, "running")
        with refused("sensor_gone", sensors="s1"):
            await db.execute(BIND, bound, gone)
        with refused("sensor_gone", sensors="s1"):
            await db.execute("update run_sensor set sensor_id = $1", gone)
        with refused("sensor_gone", sensors="s1"):
            await db.execute(FREEZE, await rows.capture(), gone)
        await db.execute("delete from capture_sensor where sensor_id = $1", gone)
        with refused("sensor_gone", sensors="s1"):
            await db.execute("update capture_sensor set sensor_id = $1", gone)
        await db.execute(MOVE_CAPTURE, drafted, "running")


class TestArchivedExperiments:
    async def test_no_run_of_them_is_active(self, rows: Rows, db: Tx) -> None:
        experiment = await rows.experiment()
        runs = {status: await rows.run(status, of=experiment) for status in RunStatus}
        archive = "update experiment set status = 'archived' where id = $1"
        with refused("experiment_held", holders="run 2 (scheduled); run 3 (running)"):
            await db.execute(archive, experiment)
        await db.execute(MOVE_RUN, runs[RunStatus.SCHEDULED], "draft")
        with refused("experiment_held", holders="run 3 (running)"):
            await db.execute(archive, experiment)
        await db.execute(MOVE_RUN, runs[RunStatus.RUNNING], "failed")
        await db.execute(archive, experiment)
        for target in ("scheduled", "running"):
            with refused("experiment_archived", current="archived"):
                await db.execute(MOVE_RUN, runs[RunStatus.DRAFT], target)
        await db.execute(MOVE_RUN, runs[RunStatus.DRAFT], "archived")

    async def test_no_run_comes(self, rows: Rows, db: Tx) -> None:
        archived, elsewhere = await rows.experiment("archived"), await rows.run()
        with refused("experiment_archived", current="archived"):
            await rows.run(of=archived)
        with refused("experiment_archived", current="archived"):
            await db.execute("update run set experiment_id = $2, number = 7 where id = $1", elsewhere, archived)


class TestCaptures:
    @pytest.mark.parametrize("status", ["running", "finished", "sealed"])
    async def test_with_data_stay(self, rows: Rows, db: Tx, status: str) -> None:
        await rows.capture(status, sensors=[await rows.sensor()])
        with refused("capture_kept", ordinal=1, current=status):
            await db.execute("delete from capture_session")
        for parent in ("run", "experiment"):
            with pytest.raises(asyncpg.ForeignKeyViolationError):
                await db.execute(f"delete from {parent}")

    async def test_deletions_that_cascade(self, rows: Rows, db: Tx) -> None:
        """A foreign key that a later migration lets cascade takes no finished capture along."""
        await rows.capture("finished")
        async with db.transaction():
            await db.execute("alter table capture_session drop constraint capture_session_run_id_fkey")
            await db.execute("alter table capture_session add foreign key (run_id) references run on delete cascade")
            with refused("capture_kept"):
                async with db.transaction():
                    await db.execute("delete from run")
            await db.execute("alter table capture_session drop constraint capture_session_run_id_fkey")
            await db.execute("alter table capture_session add foreign key (run_id) references run")

    @pytest.mark.parametrize("status", ["draft", "failed"])
    async def test_without_data_go(self, rows: Rows, db: Tx, status: str) -> None:
        await rows.capture(status, sensors=[await rows.sensor()])
        await db.execute("delete from capture_session")
        assert await db.fetchval("select count(*) from capture_sensor") == 0

    @pytest.mark.parametrize("table", ["capture_session", "capture_sensor", "conversion_profile", "sensor"])
    async def test_nothing_is_truncated(self, rows: Rows, db: Tx, table: str) -> None:
        await rows.capture("finished", sensors=[await rows.sensor()])
        with pytest.raises(asyncpg.CheckViolationError):
            await db.execute(f"truncate {table} cascade")

    @pytest.mark.parametrize("status", ["finished", "sealed", "failed"])
    @pytest.mark.parametrize("change", ["started_at = started_at - interval '1 s'", "stopped_at = now()"])
    async def test_range_of_one_that_is_over(self, rows: Rows, db: Tx, status: str, change: str) -> None:
        await rows.capture(status)
        with refused("capture_range", ordinal=1, current=status):
            await db.execute(f"update capture_session set {change}")
        await db.execute("update capture_session set notes = 'x', archived = true, status = status")

    async def test_place_of_any(self, rows: Rows, db: Tx) -> None:
        await rows.capture()
        for change in ("ordinal_number = 2", f"run_id = '{await rows.run()}'"):
            with refused("capture_range"):
                await db.execute(f"update capture_session set {change}")

    async def test_states_have_their_times(self, rows: Rows, db: Tx) -> None:
        await rows.capture()
        for move, time in (("running", "started_at"), ("finished", "stopped_at")):
            with pytest.raises(asyncpg.CheckViolationError, match="capture_session_has_range"):
                await db.execute("update capture_session set status = $1", move)
            await db.execute(f"update capture_session set status = $1, {time} = now()", move)

    @pytest.mark.parametrize("status", ["running", "finished", "sealed", "failed"])
    async def test_sensors_are_frozen(self, rows: Rows, db: Tx, status: str) -> None:
        one, two = await rows.sensor(), await rows.sensor()
        frozen = await rows.capture(status, sensors=[one])
        free = await rows.capture(sensors=[two])
        changes: list[tuple[str, list[UUID]]] = [
            (FREEZE, [frozen, two]),
            ("update capture_sensor set place = 2 where capture_id = $1", [frozen]),
            ("update capture_sensor set capture_id = $1 where capture_id = $2", [free, frozen]),
            ("update capture_sensor set capture_id = $1 where capture_id = $2", [frozen, free]),
            ("delete from capture_sensor where capture_id = $1", [frozen]),
        ]
        for statement, arguments in changes:
            with refused("capture_frozen", ordinal=1, current=status):
                await db.execute(statement, *arguments)
        await db.execute("delete from capture_sensor where capture_id = $1", free)


class TestRunsThatRecord:
    @pytest.mark.parametrize("status", ["draft", "scheduled", "succeeded", "failed", "archived"])
    async def test_start_only_while_it_runs(self, rows: Rows, db: Tx, status: str) -> None:
        drafted = await rows.capture(of=await rows.run(status))
        with refused("capture_run", number=1, current=status):
            await db.execute(MOVE_CAPTURE, drafted, "running")

    async def test_end_only_after_their_captures(self, rows: Rows, db: Tx) -> None:
        run_id = await rows.run("running")
        captures = [await rows.capture("running", of=run_id) for _ in range(2)]
        for target in ("succeeded", "failed"):
            with refused("run_recording", number=1, holders="capture 1, capture 2"):
                await db.execute(MOVE_RUN, run_id, target)
        for capture_id in captures:
            await db.execute(MOVE_CAPTURE, capture_id, "finished")
        await db.execute(MOVE_RUN, run_id, "succeeded")
