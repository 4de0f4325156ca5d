"""Deleting sensors and archiving experiments against what needs them: one wins, the other is told what holds it."""

import random
from uuid import UUID

import pytest

from hub.kit.db import Tx
from tests.hub.callers import Answer, Caller
from tests.hub.conftest import Make
from tests.hub.races import TIMES, at_random, in_line, told
from tests.hub.rows import FREEZE, Rows

LOCK_RUNS = "select from run for update"
LOCK_SENSORS = "select from sensor for update"
LOCK_AGENTS = "select from edge_agent for update"
LOCK_EXPERIMENTS = "select from experiment for update"


@pytest.fixture
def chance() -> random.Random:
    return random.Random(11)


class TestDeletionOfASensor:
    """Against the start of a capture: unbound in the same breath, only the capture can hold it."""

    async def release(self, owner: Caller, run_id: UUID, sensor_id: UUID) -> Answer:
        assert (await owner.put(f"/runs/{run_id}/sensors", {"sensors": []})).status == 200
        return await owner.delete(f"/sensors/{sensor_id}")

    async def set_up(self, rows: Rows) -> tuple[UUID, UUID]:
        sensor = await rows.sensor()
        return await rows.run("running", sensors=[sensor]), sensor

    async def test_after_the_start(self, owner: Caller, editor: Caller, rows: Rows, db: Tx) -> None:
        run_id, sensor = await self.set_up(rows)
        start, release = editor.post(f"/runs/{run_id}/captures"), self.release(owner, run_id, sensor)
        started, deleted = await in_line(db, LOCK_RUNS, start, release)
        assert started.ok["sensor_ids"] == [str(sensor)]
        told(deleted, "sensor-held", "capture 1 of run 1 of Warm-up (running)")

    async def test_before_the_start(self, owner: Caller, editor: Caller, rows: Rows, db: Tx) -> None:
        run_id, sensor = await self.set_up(rows)
        release, start = self.release(owner, run_id, sensor), editor.post(f"/runs/{run_id}/captures")
        deleted, started = await in_line(db, LOCK_RUNS, release, start)
        assert deleted.status == 204
        told(started, "nothing-to-record", "Bind a sensor")

    async def test_while_it_is_bound(self, owner: Caller, editor: Caller, rows: Rows, db: Tx) -> None:
        run_id, sensor = await self.set_up(rows)
        delete, start = owner.delete(f"/sensors/{sensor}"), editor.post(f"/runs/{run_id}/captures")
        deleted, started = await in_line(db, LOCK_SENSORS, delete, start)
        assert started.status == 201
        told(deleted, "sensor-held", "run 1 of Warm-up (running)")

    async def test_by_chance(self, owner: Caller, editor: Caller, rows: Rows, db: Tx, chance: random.Random) -> None:
        for _ in range(TIMES):
            run_id, sensor = await self.set_up(rows)
            start, release = editor.post(f"/runs/{run_id}/captures"), self.release(owner, run_id, sensor)
            started, deleted = await at_random(chance, start, release)
            assert {started.status, deleted.status} in ({201, 409}, {409, 204})
            if started.status == 201:
                told(deleted, "sensor-held", "capture 1")
            else:
                told(started, "nothing-to-record")
        assert not await db.fetchval(
            """
            select exists (
              select from capture_session capture
              join capture_sensor member on member.capture_id = capture.id
              join sensor on sensor.id = member.sensor_id
              where capture.status = 'running' and sensor.deleted_at is not null
            )
            """
        )


class TestDeletionOfASensorThatADraftNames:
    """Whatever wrote the draft: its start says that the sensor is gone."""

    async def test_against_the_start(
        self, owner: Caller, editor: Caller, rows: Rows, db: Tx, chance: random.Random
    ) -> None:
        recorded = await rows.sensor()
        run_id = await rows.run("running", sensors=[recorded])
        seen: set[int] = set()
        for number in range(1, TIMES + 1):
            sensor = await rows.sensor()
            capture_id = await rows.capture(of=run_id)
            await db.execute(FREEZE, capture_id, sensor)
            start, delete = editor.post(f"/captures/{capture_id}/start"), owner.delete(f"/sensors/{sensor}")
            started, deleted = await at_random(chance, start, delete)
            if started.status == 200:
                told(deleted, "sensor-held", f"capture {number} of run 1 of Warm-up (running)")
            else:
                assert deleted.status == 204
                told(started, "sensor-gone", "Deleted meanwhile: s")
            seen.add(started.status)
        assert seen <= {200, 409}


class TestBinding:
    async def bind(self, editor: Caller, run_id: UUID, sensor: UUID) -> Answer:
        return await editor.put(f"/runs/{run_id}/sensors", {"sensors": [{"sensor_id": str(sensor)}]})

    async def test_before_the_deletion(self, owner: Caller, editor: Caller, rows: Rows, db: Tx) -> None:
        run_id, sensor = await rows.run(), await rows.sensor()
        bind, delete = self.bind(editor, run_id, sensor), owner.delete(f"/sensors/{sensor}")
        bound, deleted = await in_line(db, LOCK_SENSORS, bind, delete)
        assert bound.status == 200
        told(deleted, "sensor-held", "run 1 of Warm-up (draft)")

    async def test_after_the_deletion(self, owner: Caller, editor: Caller, rows: Rows, db: Tx) -> None:
        run_id, sensor = await rows.run(), await rows.sensor()
        delete, bind = owner.delete(f"/sensors/{sensor}"), self.bind(editor, run_id, sensor)
        deleted, bound = await in_line(db, LOCK_SENSORS, delete, bind)
        assert (deleted.status, bound.status) == (204, 422)
        assert bound.body["errors"] == [
            {"loc": ["body", "sensors", 0, "sensor_id"], "msg": "no sensor of this project"}
        ]

    async def test_by_chance(self, owner: Caller, editor: Caller, rows: Rows, chance: random.Random) -> None:
        for _ in range(TIMES):
            run_id, sensor = await rows.run(), await rows.sensor()
            bind, delete = self.bind(editor, run_id, sensor), owner.delete(f"/sensors/{sensor}")
            bound, deleted = await at_random(chance, bind, delete)
            assert (bound.status, deleted.status) in {(200, 409), (422, 204)}


class TestAssignment:
    async def assign(self, editor: Caller, sensor: UUID, agent: str) -> Answer:
        return await editor.patch(f"/sensors/{sensor}", {"name": "renamed", "agent_id": agent})

    async def test_after_the_agents_deletion(
        self, owner: Caller, editor: Caller, rows: Rows, agent: Make, db: Tx
    ) -> None:
        made, sensor = await agent(), await rows.sensor()
        delete, assign = owner.delete(f"/edge-agents/{made['id']}"), self.assign(editor, sensor, made["id"])
        deleted, assigned = await in_line(db, LOCK_AGENTS, delete, assign)
        assert (deleted.status, assigned.status) == (204, 422)
        assert assigned.body["errors"] == [{"loc": ["body", "agent_id"], "msg": "no edge agent of this project"}]

    async def test_by_chance(
        self, owner: Caller, editor: Caller, rows: Rows, agent: Make, chance: random.Random
    ) -> None:
        for _ in range(TIMES // 3):
            made, sensor = await agent(), await rows.sensor()
            assert (await self.assign(editor, sensor, made["id"])).status == 200
            delete, again = owner.delete(f"/edge-agents/{made['id']}"), self.assign(editor, sensor, made["id"])
            deleted, assigned = await at_random(chance, delete, again)
            assert (deleted.status, assigned.status) in {(204, 200), (204, 422)}
            assert (await owner.patch(f"/sensors/{sensor}", {"name": f"{sensor}"})).ok["agent_id"] is None


class TestArchiving:
    async def test_before_the_start_of_a_run(self, editor: Caller, rows: Rows, db: Tx) -> None:
        experiment = await rows.experiment()
        run_id = await rows.run(of=experiment)
        archive, start = editor.post(f"/experiments/{experiment}/archive"), editor.post(f"/runs/{run_id}/start")
        archived, started = await in_line(db, LOCK_EXPERIMENTS, archive, start)
        assert archived.status == 200
        told(started, "experiment-archived", "is archived")

    async def test_after_the_start_of_a_run(self, editor: Caller, rows: Rows, db: Tx) -> None:
        experiment = await rows.experiment()
        run_id = await rows.run(of=experiment)
        start, archive = editor.post(f"/runs/{run_id}/start"), editor.post(f"/experiments/{experiment}/archive")
        started, archived = await in_line(db, LOCK_EXPERIMENTS, start, archive)
        assert started.status == 200
        told(archived, "experiment-held", "run 1 (running)")

    @pytest.mark.parametrize("target", ["running", "scheduled"])
    async def test_by_chance(self, editor: Caller, rows: Rows, chance: random.Random, target: str) -> None:
        for _ in range(TIMES):
            experiment = await rows.experiment()
            move = {"run_ids": [str(await rows.run(of=experiment))], "status": target}
            archived, moved = await at_random(
                chance,
                editor.post(f"/experiments/{experiment}/archive"),
                editor.post("/runs/batch-status", move),
            )
            if archived.status == 200:
                told(moved, "experiment-archived", "is archived")
            else:
                told(archived, "experiment-held", f"run 1 ({target})")
                assert moved.status == 200

    async def test_against_new_runs(self, editor: Caller, rows: Rows, chance: random.Random) -> None:
        """A new run is a draft and holds nothing: archiving goes through, and may come first."""
        for _ in range(TIMES):
            url = f"/experiments/{await rows.experiment()}"
            create = editor.post(f"{url}/runs", {"name": "r"})
            archived, created = await at_random(chance, editor.post(f"{url}/archive"), create)
            assert archived.status == 200
            if created.status != 201:
                told(created, "experiment-archived", "is archived")
