"""Sealing changes nothing that is shown, adds what comes late, and goes on wherever it was interrupted."""

import asyncio
import os
import signal
import struct
import sys
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from contract.manifest import digest_of
from hub.kit.context import Hub
from hub.kit.db import Tx
from hub.sealing import job, worker
from hub.settings import Settings
from tests.cases import cases
from tests.hub.callers import Caller
from tests.hub.conftest import Make
from tests.hub.sealing.conftest import Recorded, seal_all

ROOT = Path(__file__).resolve().parents[3]
CHUNKS = "select md5(string_agg(chunk::text, '' order by chunk_no)) from telemetry_captured chunk where seal <= $1"


class TestWho:
    async def test_may_seal(
        self, anonymous: Caller, stranger: Caller, viewer: Caller, editor: Caller, recorded: Recorded
    ) -> None:
        path = f"/captures/{await recorded.capture()}/seal"
        assert (await anonymous.post(path)).status == 401
        assert (await stranger.post(path)).status == 404
        assert (await viewer.post(path)).code == "role-too-low"
        assert (await editor.post(path)).status == 202

    async def test_may_read_the_manifest(
        self, hub: Hub, anonymous: Caller, stranger: Caller, viewer: Caller, owner: Caller, recorded: Recorded
    ) -> None:
        path = f"/captures/{await recorded.capture()}"
        assert (await owner.post(f"{path}/seal")).status == 202
        await seal_all(hub)
        assert (await anonymous.get(f"{path}/manifest")).status == 401
        assert (await stranger.get(f"{path}/manifest")).status == 404
        assert (await viewer.get(f"{path}/manifest")).status == 200


class TestSeal:
    async def test_only_what_is_finished(self, owner: Caller, sensor: Make, run: Make) -> None:
        of = await run(await sensor())
        made = (await owner.post(f"/runs/{of['id']}/captures")).ok
        answer = await owner.post(f"/captures/{made['id']}/seal")
        assert (answer.status, answer.code) == (409, "capture-not-finished")
        answer = await owner.get(f"/captures/{made['id']}/manifest")
        assert (answer.status, answer.code) == (409, "capture-not-sealed")

    async def test_nothing_that_is_shown_changes(self, hub: Hub, owner: Caller, recorded: Recorded, db: Tx) -> None:
        await recorded.spread(3000)
        await recorded.capture()
        before = await recorded.shown()
        planned = (await owner.post(f"/captures/{recorded.id}/seal")).ok
        assert (planned["status"], planned["sealing"]["seal"], planned["sealing"]["sensors_done"]) == ("finished", 1, 0)
        assert (await owner.post(f"/captures/{recorded.id}/seal")).status == 202, "asking twice is asking once"
        await seal_all(hub)
        sealed = (await owner.get(f"/captures/{recorded.id}")).ok
        assert (sealed["status"], sealed["seals"], sealed["sealing"]) == ("sealed", 1, None)
        assert await recorded.shown() == before
        await recorded.check()
        await db.execute("delete from telemetry_recent")
        assert await recorded.shown() == before, "the capture holds its own copy"
        await recorded.check()
        assert await db.fetchval("select max(last_t - first_t) < 600000000 and max(n) <= 1000 from telemetry_captured")

    async def test_a_capture_without_samples(self, hub: Hub, owner: Caller, recorded: Recorded) -> None:
        await recorded.capture()
        await owner.post(f"/captures/{recorded.id}/seal")
        await seal_all(hub)
        (seal,) = (await owner.get(f"/captures/{recorded.id}/manifest")).ok["seals"]
        assert (seal["samples"], seal["sensors"][0]["first_t"]) == (0, None)
        answer = await owner.post(f"/captures/{recorded.id}/seal")
        assert (answer.status, answer.code) == (409, "nothing-to-seal")

    async def test_the_manifest_tells_what_the_export_holds(
        self, hub: Hub, owner: Caller, recorded: Recorded, db: Tx
    ) -> None:
        await recorded.spread(2500)
        await recorded.capture()
        await owner.post(f"/captures/{recorded.id}/seal")
        await seal_all(hub)
        (seal,) = (await owner.get(f"/captures/{recorded.id}/manifest")).ok["seals"]
        (series,) = seal["sensors"]
        rows = await recorded.exported()
        digest = digest_of(
            np.array([t for t, _ in rows], np.int64), np.array([struct.unpack("<d", raw)[0] for _, raw in rows])
        )
        assert (series["sha256"], series["samples"], series["added"]) == (digest.sha256.hex(), 2500, 2500)
        assert (seal["cause"], seal["requested_by"]["id"], seal["samples"]) == ("hand", owner.id, 2500)
        fact = await db.fetchval("select details from fact where kind = 'capture.sealed'")
        assert (fact["sha256"], fact["samples"]) == (seal["sha256"], 2500)


class TestLate:
    async def test_later_seals_only_add(self, hub: Hub, owner: Caller, recorded: Recorded, db: Tx) -> None:
        samples = await recorded.spread(1000)
        await recorded.capture()
        await owner.post(f"/captures/{recorded.id}/seal")
        await seal_all(hub)
        first = await db.fetchval(CHUNKS, 1)
        await recorded.publish([(t + 1, v) for t, v in samples[::100]] + [samples[5]])
        assert (await owner.get(f"/captures/{recorded.id}")).ok["late_waiting"] == 10
        await recorded.check()
        await owner.post(f"/captures/{recorded.id}/seal")
        await seal_all(hub)
        assert await db.fetchval(CHUNKS, 1) == first
        manifest = (await owner.get(f"/captures/{recorded.id}/manifest")).ok
        assert [(one["added"], one["samples"]) for one in manifest["seals"]] == [(1000, 1000), (10, 1010)]
        assert manifest["waiting"] == 0
        await recorded.check()
        await db.execute("delete from telemetry_recent")
        await recorded.check()
        # The recent window is gone: that these are repeats only the capture knows.
        await recorded.publish(samples[:3])
        assert (await owner.get(f"/sensors/{recorded.sensor['id']}/ledger")).ok["duplicates"] == 4

    async def test_every_revision_gets_the_new_chunks(
        self, hub: Hub, owner: Caller, recorded: Recorded, db: Tx
    ) -> None:
        samples = await recorded.spread(10)
        await recorded.capture()
        await owner.post(f"/captures/{recorded.id}/seal")
        await seal_all(hub)
        await db.execute(
            "insert into capture_revision (capture_id, sensor_no, revision, profile_version)"
            " select capture_id, sensor_no, 2, 1 from capture_manifest"
        )
        await recorded.publish([(samples[3][0] + 1, 5.0)])
        await owner.post(f"/captures/{recorded.id}/seal")
        await seal_all(hub)
        rows = await db.fetch("select chunk_no, revision, physical from telemetry_revision")
        new = await db.fetchval("select chunk_no from telemetry_captured where seal = 2")
        assert [tuple(row) for row in rows] == [(new, 2, [11.0])]


steps = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.integers(0, 10_700_000_000), st.integers(1, 30)),
        st.tuples(st.just("again"), st.just(0), st.just(0)),
        st.tuples(st.just("seal"), st.just(0), st.just(0)),
        st.tuples(st.just("step"), st.just(0), st.just(0)),
        st.tuples(st.just("check"), st.just(0), st.just(0)),
    ),
    min_size=3,
    max_size=10,
)


@cases(6, in_search=40, suppress=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(script=steps)
async def test_any_order_of_writes_and_steps(
    recorded: Recorded, hub: Hub, owner: Caller, script: list[tuple[str, int, int]]
) -> None:
    """Late writes, repeats and the single steps of seals in any order: at every moment the capture is whole."""
    await recorded.capture()
    last: list[tuple[int, float]] = []
    for action, back_us, count in [*script, ("seal", 0, 0), ("all", 0, 0), ("check", 0, 0)]:
        match action:
            case "write":
                last = [(recorded.end - back_us + i * 60_000_000, float(i)) for i in range(count)]
                await recorded.publish(last)
            case "again" if last:
                await recorded.publish(last)
            case "seal":
                assert (await owner.post(f"/captures/{recorded.id}/seal")).status in {202, 409}
            case "step":
                await job.step(hub)
            case "all":
                await seal_all(hub)
            case "check":
                await recorded.check()
            case _:
                pass


async def test_sealing_beside_the_writer(recorded: Recorded, hub: Hub, owner: Caller, db: Tx) -> None:
    """Samples keep coming late while two workers seal again and again: none is lost, none comes twice."""
    await recorded.spread(50)
    await recorded.capture()
    done = asyncio.Event()

    async def seal() -> None:
        while not done.is_set():
            await owner.post(f"/captures/{recorded.id}/seal")
            await seal_all(hub)

    async with asyncio.TaskGroup() as group:
        group.create_task(seal())
        group.create_task(seal())
        for i in range(12):
            await recorded.publish([(recorded.end - 1 - i - k * 900_000_000, float(k)) for k in range(10)])
        done.set()
    await recorded.check()
    await owner.post(f"/captures/{recorded.id}/seal")
    await seal_all(hub)
    assert [tuple(row) for row in await db.fetch("select seal, error from seal_job")] == []
    await db.execute("delete from telemetry_recent")
    await recorded.check()


async def test_a_killed_worker(recorded: Recorded, hub: Hub, owner: Caller, settings: Settings, db: Tx) -> None:
    """SIGKILL in the middle of a copy: another worker goes on, and the capture is what it would have been."""
    await recorded.spread(2000)
    await recorded.capture()
    await owner.post(f"/captures/{recorded.id}/seal")
    # The copy stands still in a later hour, in a transaction that has written already.
    await db.execute(
        """
        create function stand_still() returns trigger language plpgsql as $$
        begin
          if new.next_chunk > 7 then perform pg_sleep(60); end if;
          return new;
        end $$
        """
    )
    await db.execute(
        "create trigger stand_still before update on seal_part for each row execute function stand_still()"
    )
    environment = os.environ | {
        "ETP_DATABASE_URL": settings.database_url,
        "ETP_REDIS_URL": settings.redis_url,
        "ETP_DATA_DIR": str(settings.data_dir),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cli", "hub", "--roles", "worker", cwd=ROOT, env=environment | {"ETP_HTTP_PORT": "0"}
    )
    try:
        async with asyncio.timeout(30):
            while not await db.fetchval("select exists (select from pg_stat_activity where wait_event = 'PgSleep')"):  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.02)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        await process.wait()
        await db.execute("select pg_terminate_backend(pid) from pg_stat_activity where wait_event = 'PgSleep'")
        await db.execute("drop function stand_still() cascade")
    progress = (await owner.get(f"/captures/{recorded.id}")).ok["sealing"]
    assert 0 < progress["share"] < 1
    assert 0 < progress["samples"] < 2000
    await seal_all(hub)
    await db.execute("delete from telemetry_recent")
    await recorded.check()


class TestDue:
    async def status(self, owner: Caller, recorded: Recorded) -> tuple[str, Any]:
        """Read where the capture stands."""
        capture = (await owner.get(f"/captures/{recorded.id}")).ok
        return capture["status"], capture["sealing"] and capture["sealing"]["seal"]

    async def test_once_every_sensor_was_heard_past_stop_and_grace(
        self, hub: Hub, owner: Caller, recorded: Recorded, db: Tx
    ) -> None:
        await recorded.spread(10)
        await recorded.capture()
        await worker.find_due(hub)
        assert await self.status(owner, recorded) == ("finished", None)
        heard = recorded.end + 600_000_000
        await db.execute("update sensor_ledger set high_water = $1", heard - 1)
        await worker.find_due(hub)
        assert await self.status(owner, recorded) == ("finished", None)
        await db.execute("update sensor_ledger set high_water = $1", heard)
        await worker.find_due(hub)
        assert await self.status(owner, recorded) == ("finished", 1)
        await seal_all(hub)
        (seal,) = (await owner.get(f"/captures/{recorded.id}/manifest")).ok["seals"]
        assert (seal["cause"], seal["requested_by"]) == ("heard", None)

    async def test_after_a_week_at_the_latest(self, hub: Hub, owner: Caller, recorded: Recorded, db: Tx) -> None:
        await recorded.capture()
        await db.execute("set session_replication_role = replica")
        await db.execute(
            "update capture_session"
            " set started_at = now() - interval '8 days', stopped_at = now() - interval '6.9 days'"
        )
        await worker.find_due(hub)
        assert await self.status(owner, recorded) == ("finished", None)
        await db.execute("update capture_session set stopped_at = now() - interval '7.1 days'")
        await worker.find_due(hub)
        assert await self.status(owner, recorded) == ("finished", 1)

    async def test_late_samples_once_no_more_come(self, hub: Hub, owner: Caller, recorded: Recorded, db: Tx) -> None:
        await recorded.capture()
        await owner.post(f"/captures/{recorded.id}/seal")
        await seal_all(hub)
        await recorded.spread(5)
        await worker.find_due(hub)
        assert await self.status(owner, recorded) == ("sealed", None)
        await db.execute("update capture_late set at = at - interval '11 minutes'")
        await worker.find_due(hub)
        assert await self.status(owner, recorded) == ("sealed", 2)

    async def test_a_capture_that_lacks_acknowledged_samples_fails(
        self, hub: Hub, owner: Caller, recorded: Recorded, db: Tx
    ) -> None:
        await recorded.spread(5)
        await recorded.capture()
        no = await db.fetchval("select no from sensor")
        lost = (
            "insert into stream_lost (shard, run_id, sensor_no, samples, first_t, last_t) values (0, '', $1, 7, $2, $2)"
        )
        await db.execute(lost, no, recorded.end)
        await worker.find_due(hub)
        assert (await self.status(owner, recorded))[0] == "finished"
        await db.execute(lost, no, recorded.end - 1)
        await worker.find_due(hub)
        capture = (await owner.get(f"/captures/{recorded.id}")).ok
        assert (capture["status"], capture["failure"]) == (
            "failed",
            f"Samples that were acknowledged could not be kept: {recorded.sensor['name']} (7)",
        )
        assert capture["failure_code"] == "samples_lost"
        assert capture["failure_sensors"] == [{"sensor": recorded.sensor["name"], "samples": 7}]
        (listed,) = (await owner.get(f"/runs/{capture['run_id']}/captures")).ok["items"]
        assert listed["failure_code"] == "samples_lost"
        assert (await owner.post(f"/captures/{recorded.id}/seal")).code == "capture-not-finished"
        assert len(await recorded.exported()) == 5, "what it holds can be read"

    async def test_so_does_one_of_samples_that_cannot_be_held(
        self, hub: Hub, owner: Caller, recorded: Recorded, db: Tx
    ) -> None:
        await recorded.spread(5)
        await recorded.capture()
        await db.execute(
            """
            insert into telemetry_not_stored (sensor_no, reason, first_t, last_t, n, t)
            select no, 'not-storable', $1, $1, 2, array[$1, $1]::bigint[]
            from sensor
            """,
            recorded.end - 1,
        )
        await worker.find_due(hub)
        capture = (await owner.get(f"/captures/{recorded.id}")).ok
        assert (capture["failure_code"], capture["failure_sensors"]) == (
            "samples_not_storable",
            [{"sensor": recorded.sensor["name"], "samples": 2}],
        )
