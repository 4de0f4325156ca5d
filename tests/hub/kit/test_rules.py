"""What a handler's check missed and the database refused is told as the handler would have told it."""

import asyncio
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from aiohttp import web

from hub.app import create_app
from hub.captures import service as captures
from hub.captures.models import CaptureStatus
from hub.experiments import guards as experiment_guards
from hub.experiments import service as experiments
from hub.experiments.models import ExperimentStatus
from hub.kit import rules
from hub.kit.context import Context
from hub.kit.db import Database, Tx
from hub.kit.endpoint import Routes, register
from hub.kit.problems import Problem, TryAgain
from hub.kit.states import Machine
from hub.runs import guards as run_guards
from hub.runs import service as runs
from hub.runs.models import RunStatus
from hub.sensors import guards as sensor_guards
from hub.sensors import service as sensors
from hub.settings import Settings
from tests.hub.callers import Answer, Caller
from tests.hub.races import told, waiting
from tests.hub.rows import DELETE_SENSOR, Rows


def same(missed: Answer, checked: Answer) -> None:
    """Expect that both refusals read alike, up to the request's id."""
    assert checked.status == 409
    assert missed.body | {"instance": ""} == checked.body | {"instance": ""}


class TestMissedChecks:
    """Each test answers once as the handler does, then with the handler's check put out of action."""

    @pytest.fixture
    def any_move(self, monkeypatch: pytest.MonkeyPatch) -> Any:
        return lambda: monkeypatch.setattr(Machine, "allows", lambda *_: True)

    async def test_sensor_held(self, owner: Caller, rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
        sensor = await rows.sensor()
        experiment = await rows.experiment()
        of = await rows.run("running", of=experiment, sensors=[sensor])
        for _ in range(10):
            await rows.capture("running", of=of, sensors=[sensor])
        await rows.run("scheduled", of=experiment, sensors=[sensor])
        checked = await owner.delete(f"/sensors/{sensor}")
        monkeypatch.setattr(sensor_guards, "_deletion_guards", [])
        same(await owner.delete(f"/sensors/{sensor}"), checked)

    async def test_experiment_held(self, editor: Caller, rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
        experiment = await rows.experiment()
        for status in ("running", "scheduled"):
            await rows.run(status, of=experiment)
        checked = await editor.post(f"/experiments/{experiment}/archive")
        monkeypatch.setattr(experiment_guards, "_archival", [])
        same(await editor.post(f"/experiments/{experiment}/archive"), checked)

    async def test_experiment_archived(
        self, editor: Caller, rows: Rows, db: Tx, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        experiment = await rows.experiment()
        run_id = await rows.run(of=experiment)
        await db.execute("update experiment set status = 'archived'")
        create = f"/experiments/{experiment}/runs", {"name": "r"}
        schedule = "/runs/batch-status", {"run_ids": [str(run_id)], "status": "scheduled"}
        checked = [await editor.post(*create), await editor.post(*schedule)]

        async def looks_open(_ctx: Context, _experiment_id: UUID) -> ExperimentStatus:
            return ExperimentStatus.DRAFT

        monkeypatch.setattr(experiments, "lock_open", looks_open)
        same(await editor.post(*create), checked[0])
        same(await editor.post(*schedule), checked[1])
        told(await editor.post(f"/runs/{run_id}/start"), "experiment-move-refused", "It is archived", "running")

    async def test_run_moved(self, editor: Caller, rows: Rows, any_move: Any) -> None:
        url = f"/runs/{await rows.run()}/finish"
        checked = await editor.post(url)
        any_move()
        same(await editor.post(url), checked)

    async def test_run_records(self, editor: Caller, rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
        run_id = await rows.run("running")
        await rows.capture("running", of=run_id)
        monkeypatch.setattr(run_guards, "_endings", [])
        told(await editor.post(f"/runs/{run_id}/finish"), "run-recording", "Run 1", "capture 1")

    @pytest.mark.parametrize(
        ("verb", "statuses"),
        [("start", ["running", "finished", "sealed", "failed"]), ("stop", ["draft", "finished", "sealed", "failed"])],
    )
    async def test_capture_moved(
        self, editor: Caller, rows: Rows, any_move: Any, verb: str, statuses: list[str]
    ) -> None:
        sensor = await rows.sensor()
        run_id = await rows.run("running", sensors=[sensor])
        urls = [f"/captures/{await rows.capture(status, of=run_id, sensors=[sensor])}/{verb}" for status in statuses]
        checked = [await editor.post(url) for url in urls]
        any_move()
        for url, answer in zip(urls, checked, strict=True):
            same(await editor.post(url), answer)

    async def test_capture_kept(self, editor: Caller, rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
        url = f"/captures/{await rows.capture('finished')}"
        checked = await editor.delete(url)
        monkeypatch.setattr(captures, "DELETABLE", frozenset(CaptureStatus))
        same(await editor.delete(url), checked)

    async def test_run_not_running(self, editor: Caller, rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
        run_id = await rows.run("scheduled", sensors=[await rows.sensor()])
        drafted = await rows.capture(of=run_id)
        urls = [f"/runs/{run_id}/captures", f"/captures/{drafted}/start"]
        checked = [await editor.post(url) for url in urls]
        lock = runs.lock

        async def looks_running(tx: Tx, run_id: UUID) -> runs.LockedRun:
            return (await lock(tx, run_id))._replace(status=RunStatus.RUNNING)

        monkeypatch.setattr(runs, "lock", looks_running)
        for url, answer in zip(urls, checked, strict=True):
            same(await editor.post(url), answer)

    async def test_sensor_gone(self, editor: Caller, rows: Rows, db: Tx, monkeypatch: pytest.MonkeyPatch) -> None:
        sensor = await rows.sensor()
        await db.execute(DELETE_SENSOR, sensor)

        async def looks_there(_tx: Tx, *, sensor_ids: list[UUID], project_id: UUID) -> dict[UUID, int]:
            return dict.fromkeys(sensor_ids, project_id.int)

        monkeypatch.setattr(sensors, "lock_bindable", looks_there)
        body = {"sensors": [{"sensor_id": str(sensor)}]}
        told(await editor.put(f"/runs/{await rows.run()}/sensors", body), "sensor-gone", "Deleted meanwhile: s1")


class PumpKept(Problem):
    """The pump is kept."""

    status = 409
    detail = "Pump {number} is needed."
    rules = frozenset({"pump_kept"})


class TestProblemOf:
    @pytest.fixture
    async def error(self, db: Tx) -> asyncpg.CheckViolationError:
        with pytest.raises(asyncpg.CheckViolationError) as caught:
            await db.execute("""select refuse('pump_kept', '{"number": 3, "current": "wet"}')""")
        return caught.value

    def test_first_that_stands_for_the_rule(self, error: asyncpg.CheckViolationError) -> None:
        problem = rules.problem_of(error, [TryAgain, PumpKept])
        assert (type(problem), str(problem)) == (PumpKept, "Pump 3 is needed.")

    def test_none_does(self, error: asyncpg.CheckViolationError) -> None:
        assert rules.problem_of(error, [TryAgain]) is None


class Everybody:
    scheme = None
    rule = "public"
    problems = ()

    async def admit(self, ctx: Context) -> None:
        """Admit."""


class TestTryAgain:
    @pytest.fixture
    def second_lock(self) -> asyncio.Event:
        """Set when the request may ask for its second lock."""
        return asyncio.Event()

    @pytest.fixture
    def app(self, settings: Settings, second_lock: asyncio.Event) -> web.Application:
        app = create_app(settings, frozenset({"api"}))
        routes = Routes("test")

        @routes.route("POST", "/test/crossing", access=Everybody())
        async def cross(ctx: Context) -> None:
            """Lock one row, then the other."""
            await ctx.tx.execute("set local role none")  # only the login may look for deadlocks sooner
            await ctx.tx.execute("set local deadlock_timeout = '1ms'")
            await ctx.tx.execute("update project set description = 'half done' where name = 'bench 3'")
            second_lock.set()
            await waiting(ctx.tx, 1)
            await ctx.tx.execute("select from project where name = 'bench 4' for update")

        for endpoint in routes.endpoints:
            register(app, endpoint)
        return app

    async def test_victim_of_a_deadlock(
        self, anonymous: Caller, project: str, other_project: str, db: Tx, second_lock: asyncio.Event
    ) -> None:
        async with asyncio.TaskGroup() as group, db.transaction():
            await db.execute("select from project where name = 'bench 4' for update")
            crossing = group.create_task(anonymous.post("/test/crossing"))
            await asyncio.wait_for(second_lock.wait(), 10)
            await db.execute("select from project where name = 'bench 3' for update")
        answer = crossing.result()
        assert (answer.status, answer.code, answer.headers["Retry-After"]) == (503, "try-again", "1")
        descriptions = await db.fetch(
            "select distinct description from project where id::text = any($1)", [project, other_project]
        )
        assert [row["description"] for row in descriptions] == [""]

    async def test_moments_that_do_not_fit(self, database_url: str, project: str, db: Tx) -> None:
        database = Database(database_url)

        async def write_over() -> None:
            async with database.connection() as connection, connection.transaction(isolation="repeatable_read"):
                await connection.fetch("select from project")
                await db.execute("update project set description = 'theirs'")
                await connection.execute("update project set description = 'ours'")

        with pytest.raises(TryAgain):
            await write_over()
        await database.close()
