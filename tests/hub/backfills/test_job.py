"""The steps of a backfill: killed and gone on, cancelled in the middle, failing, and exact to the bit."""

import asyncio
import os
import signal
import sys
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import numpy as np
import pytest
from aiohttp import web
from hypothesis import HealthCheck, given

from contract.conversion.convert import convert
from contract.conversion.profile import Profile
from hub.backfills import job
from hub.conversion.sealing import seal_payload
from hub.kit.context import HUB, Hub
from hub.kit.db import APPLICATION_ROLE, Database, Tx
from hub.settings import Settings
from hub.telemetry.chunks import read_array
from tests.cases import cases
from tests.contract.conversion.profiles import profiles, raws
from tests.hub.backfills.conftest import backfill_all
from tests.hub.past_rules import past_rules
from tests.hub.races import until, waiting
from tests.hub.rows import Rows

N = 10


@pytest.fixture(autouse=True)
def app_is_there(app: web.Application, client: Any) -> None:
    """The hub has made its data keys."""


class Sealed:
    """A sealed capture of one sensor whose chunks the test made itself, with a backfill of it."""

    def __init__(self, rows: Rows, hub: Hub) -> None:
        self.rows, self.hub, self.db = rows, hub, rows.db
        self.capture = self.sensor = self.backfill = uuid.UUID(int=0)
        self.no = 0

    async def make(self, chunks: int, payload: dict[str, Any]) -> None:
        """Make chunks of ten samples each and plan the backfill by a version with this payload."""
        self.sensor = await self.rows.sensor()
        self.no = await self.db.fetchval("select no from sensor where id = $1", self.sensor)
        self.capture = await self.rows.capture("sealed", sensors=[self.sensor])
        self.backfill = await self.rows.backfill(self.capture, self.sensor)
        await self.use(payload)
        await self.db.execute(
            """
            insert into telemetry_captured
              (capture_id, sensor_no, chunk_no, seal, first_t, last_t, n, t_delta, raw, physical, profile_version,
               received_at)
            select $1, $2, i, 1, i * 10, i * 10 + 9, 10, array[0, 1, 1, 1, 1, 1, 1, 1, 1, 1],
              (select array_agg(i * 10.0 + k) from generate_series(0, 9) k),
              array_fill(1.0::float8, array[10]), 1, 0
            from generate_series(0, $3::int - 1) i
            """,
            self.capture,
            self.no,
            chunks,
        )

    async def use(self, payload: dict[str, Any] | bytes) -> None:
        """Give the version another payload."""
        profile_id = await self.db.fetchval("select profile_id from backfill where id = $1", self.backfill)
        sealed = payload if isinstance(payload, bytes) else await seal_payload(self.hub.vault, profile_id, payload)
        async with past_rules(self.db):
            await self.db.execute(
                "update conversion_profile set payload = null, payload_sealed = $2 where id = $1", profile_id, sealed
            )

    async def status(self) -> dict[str, Any]:
        """Read the job."""
        return dict(await self.db.fetchrow("select * from backfill where id = $1", self.backfill) or {})

    async def revision(self) -> dict[int, list[float]]:
        """Read what was written, chunk by chunk."""
        found = await self.db.fetch("select chunk_no, physical from telemetry_revision order by chunk_no")
        assert len({row["chunk_no"] for row in found}) == len(found)
        return {row["chunk_no"]: row["physical"] for row in found}


@pytest.fixture
def sealed(rows: Rows, app: web.Application) -> Sealed:
    return Sealed(rows, app[HUB])


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps of four chunks."""
    monkeypatch.setattr(job, "CHUNKS_AT_ONCE", 4)


LINE = {"kind": "linear", "slope": 2.0, "intercept": 0.5}


def by_line(chunks: int) -> dict[int, list[float]]:
    return {i: [2.0 * (10 * i + k) + 0.5 for k in range(N)] for i in range(chunks)}


@pytest.mark.usefixtures("few")
class TestSteps:
    async def test_progress_is_seen_and_readers_see_all_or_nothing(self, sealed: Sealed) -> None:
        await sealed.make(10, LINE)
        seen: list[tuple[str, int | None, int]] = []
        while await job.step(sealed.hub) is not None:
            now = await sealed.status()
            seen.append((now["status"], now["samples"], now["done"]))
            shown = await sealed.db.fetchval("select count(*) from capture_revision")
            assert shown == (1 if now["status"] == "finished" else 0)
        assert seen == [("running", 100, 40), ("running", 100, 80), ("running", 100, 100), ("finished", 100, 100)]
        assert await sealed.revision() == by_line(10)

    async def test_a_capture_without_samples(self, sealed: Sealed) -> None:
        await sealed.make(0, LINE)
        assert await backfill_all(sealed.hub) == 1
        now = await sealed.status()
        assert (now["status"], now["samples"], now["difference"]) == ("finished", 0, None)

    async def test_two_workers_do_not_meet(self, sealed: Sealed) -> None:
        await sealed.make(40, LINE)
        await asyncio.gather(*(backfill_all(sealed.hub) for _ in range(2)))
        assert (await sealed.status())["status"] == "finished"
        assert await sealed.revision() == by_line(40)

    async def test_chunks_that_a_seal_adds_meanwhile(self, sealed: Sealed, others: Tx) -> None:
        """A seal holds its chunks back until it commits: the last step waits for it and takes them in."""
        await sealed.make(2, LINE)
        await job.step(sealed.hub)
        transaction = others.transaction()
        await transaction.start()
        await others.execute("lock table capture_revision in share mode")
        await others.execute(
            """
            insert into telemetry_captured
            select capture_id, sensor_no, 2, 2, 20, 29, n, t_delta,
              array[20, 21, 22, 23, 24, 25, 26, 27, 28, 29], physical, status, profile_version, received_at, meta
            from telemetry_captured
            where chunk_no = 0
            """
        )
        last = asyncio.create_task(backfill_all(sealed.hub))
        await waiting(sealed.db, 1)
        await transaction.commit()
        await last
        assert (await sealed.status())["done"] == 30
        assert await sealed.revision() == by_line(3)


@pytest.fixture
async def others(database_url: str) -> Any:
    """Another connection."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@pytest.mark.usefixtures("few")
class TestEnds:
    async def test_cancelled_in_the_middle_nothing_is_left(self, sealed: Sealed) -> None:
        await sealed.make(10, LINE)
        await job.step(sealed.hub)
        assert await sealed.revision() == by_line(4)
        await sealed.db.execute("update backfill set status = 'cancelled'")
        await backfill_all(sealed.hub)
        assert await sealed.revision() == {}
        now = await sealed.status()
        assert (now["status"], now["done"], now["next_chunk"]) == ("cancelled", 40, 0)
        assert await sealed.db.fetchval("select count(*) from capture_revision") == 0

    async def test_a_version_that_cannot_be_read(self, sealed: Sealed) -> None:
        await sealed.make(10, LINE)
        await job.step(sealed.hub)
        await sealed.use(b"garbage")
        await backfill_all(sealed.hub)
        now = await sealed.status()
        assert (now["status"], now["error"]) == ("failed", "SealBroken")
        assert now["ended_at"] is not None
        assert await sealed.revision() == {}
        fact = await sealed.db.fetchrow("select kind, details from fact order by id desc limit 1")
        assert fact is not None
        assert (fact["kind"], fact["details"]["error"]) == ("backfill.failed", "SealBroken")

    async def test_a_failing_step_is_tried_again(self, sealed: Sealed) -> None:
        await sealed.make(10, LINE)
        await sealed.db.execute("alter table telemetry_revision rename to telemetry_revision_away")
        try:
            assert await job.step(sealed.hub) is not None
            now = await sealed.status()
            assert (now["status"], now["failures"], now["error"]) == ("waiting", 1, "UndefinedTableError")
            assert await job.step(sealed.hub) is None, "not before a while has passed"
        finally:
            await sealed.db.execute("alter table telemetry_revision_away rename to telemetry_revision")
        await sealed.db.execute("update backfill set not_before = now()")
        await backfill_all(sealed.hub)
        now = await sealed.status()
        assert (now["status"], now["failures"], now["error"]) == ("finished", 0, None)

    async def test_a_step_that_takes_too_long_fails(self, sealed: Sealed, database_url: str) -> None:
        """The database is there for everybody else: such a step is not tried over and over without end."""
        await sealed.make(10, LINE)
        impatient = Database(database_url, statement_timeout_s=0.2, role=APPLICATION_ROLE)
        async with sealed.db.transaction():
            await sealed.db.execute("lock table telemetry_revision in access exclusive mode")
            assert await job.step(replace(sealed.hub, db=impatient)) is not None
        await impatient.close()
        now = await sealed.status()
        assert (now["status"], now["failures"], now["error"]) == ("waiting", 1, "TimeoutError")


class TestKilled:
    @pytest.mark.slow
    async def test_three_times_in_the_middle(
        self, sealed: Sealed, settings: Settings, tmp_path: Path, app: web.Application
    ) -> None:
        """Real workers, ended by SIGKILL while they store: the next one goes on, nothing is there twice."""
        chunks = 50_000  # some seconds of work, of which each life does a little
        await sealed.make(chunks, LINE)
        env = {name: value for name, value in os.environ.items() if not name.startswith("ETP_")} | {
            "ETP_DATABASE_URL": settings.database_url,
            "ETP_REDIS_URL": settings.redis_url,
            "ETP_DATA_DIR": str(settings.data_dir),
            "ETP_HTTP_PORT": "0",
        }

        async def done() -> int:
            return await sealed.db.fetchval("select done from backfill")

        async def worker() -> asyncio.subprocess.Process:
            return await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "cli", "hub", "--roles", "worker"),
                env=env,
                cwd=Path(__file__).parents[3],
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
            )

        for _ in range(3):
            before = await done()
            process = await worker()

            async def further(than: int = before) -> bool:
                return await done() > than

            await until(further, within_s=30)
            process.send_signal(signal.SIGKILL)
            await process.wait()
        now = await sealed.status()
        assert now["status"] == "running"
        assert 0 < now["done"] < chunks * N
        await backfill_all(sealed.hub)
        now = await sealed.status()
        assert (now["status"], now["done"], now["difference"]["samples"]) == ("finished", chunks * N, chunks * N)
        assert await sealed.revision() == by_line(chunks)


class TestExactness:
    """What a backfill stores is what one sample alone, or all at once, is converted to: bit for bit."""

    @pytest.mark.hypothesis
    async def test_of_any_profile(self, sealed: Sealed) -> None:
        await sealed.make(0, LINE)
        loop = asyncio.get_running_loop()

        @cases(30, suppress=list(HealthCheck))
        @given(profiles, raws)
        def holds(profile: Profile, raw: np.ndarray) -> None:
            raw = raw[np.isfinite(raw)]
            future = asyncio.run_coroutine_threadsafe(stored_by_backfill(sealed, profile, raw), loop)
            physical, status = future.result(timeout=20)
            together = convert(profile, raw)
            alone = [convert(profile, raw[i : i + 1]) for i in range(len(raw))]
            for values, codes in (together, (joined([p for p, _ in alone]), joined([s for _, s in alone]))):
                assert bits(values) == bits(physical)
                assert codes.tolist() == status.tolist()

        await asyncio.to_thread(holds)


def joined(parts: list[Any]) -> Any:
    return np.concatenate(parts) if parts else np.empty(0)


def bits(values: Any) -> list[int]:
    return np.where(np.isnan(values), np.nan, values).view(np.uint64).tolist()


async def stored_by_backfill(sealed: Sealed, profile: Profile, raw: Any) -> tuple[Any, Any]:
    """Store raw values as chunks of seven, let a backfill convert them, and read what it stored."""
    async with past_rules(sealed.db):
        for table in ("telemetry_captured", "telemetry_revision", "capture_revision"):
            await sealed.db.execute(f"delete from {table}")
        await sealed.db.execute(
            "update backfill set status = 'waiting', next_chunk = 0, done = 0, samples = null, difference = null"
        )
    await sealed.use(msgspec.to_builtins(profile))
    for place in range(0, len(raw), 7):
        part = raw[place : place + 7].tolist()
        await sealed.db.execute(
            """
            insert into telemetry_captured
              (capture_id, sensor_no, chunk_no, seal, first_t, last_t, n, t_delta, raw, physical, profile_version,
               received_at)
            select $1, $2, $3::int, 1, 0, 0, n, array_fill(0, array[n]), $4, $4, 1, 0
            from cardinality($4::float8[]) n
            """,
            sealed.capture,
            sealed.no,
            place // 7,
            part,
        )
    await backfill_all(sealed.hub)
    rows = await sealed.db.fetch(
        "select cardinality(physical) as n, array_send(physical) as physical, status"
        " from telemetry_revision order by chunk_no"
    )
    codes = [np.zeros(r["n"], np.uint8) if r["status"] is None else np.frombuffer(r["status"], np.uint8) for r in rows]
    return joined([read_array(row["physical"], ">f8") for row in rows]), joined(codes).astype(np.uint8)
