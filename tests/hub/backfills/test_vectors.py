"""Backfills of vectors: headlines become a revision, elements are that revision's as they are read."""

import asyncio
import csv
import io
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import orjson
import pytest

from hub.backfills import job
from hub.kit.context import Hub
from hub.kit.db import Tx
from hub.settings import Settings
from tests.hub.backfills.conftest import backfill_all, new_version, series
from tests.hub.callers import Caller
from tests.hub.races import until
from tests.hub.sealing.conftest import Spectra, seal_all

# The greatest raw element has the least physical value: what stands for a vector is told by raw.
FALLING = {"kind": "linear", "slope": -10.0, "intercept": 0.0, "input_range": [0.0, 8.0]}
RAW = [[1.0, 9.0, 2.0], [3.0, 9.0, 2.0], [0.5, 0.25, 0.125]]
FIRST = [[2 * each + 1 for each in one] for one in RAW]
SECOND = [[-10 * each for each in one] for one in RAW]
PEAKS = [max(one) for one in RAW]
CHANGES = [abs(-12 * each - 1) for one in RAW for each in one]
NONE = {"ok": 0, "out_of_range": 0, "conversion_error": 0, "no_profile": 0}
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
async def captured(spectra: Spectra) -> Spectra:
    """A finished capture of RAW: two of them at one time with one peak, the third half an hour before."""
    at = round(time.time() - 60, 3)
    await spectra.send((at, RAW[0]), (at, RAW[1]), (at - 1800, RAW[2]))
    await spectra.capture()
    return spectra


async def ask(captured: Spectra, version: dict[str, Any], query: str = "") -> dict[str, Any]:
    return (await captured.user.post(f"/captures/{captured.id}/backfills{query}", {"profile_id": version["id"]})).ok


async def do_all(hub: Hub) -> None:
    await seal_all(hub)
    await backfill_all(hub)


async def elements(captured: Spectra, query: str = "") -> tuple[int, list[list[float]]]:
    """Read the physical elements, those of RAW in its order."""
    shown = await captured.vectors(query)
    by_raw = {tuple(raw): physical for raw, physical in zip(shown["raw"], shown["physical"], strict=True)}
    return shown["revision"], [by_raw[tuple(raw)] for raw in RAW]


async def exported(captured: Spectra, query: str = "") -> dict[tuple[float, ...], tuple[list[float], str, str]]:
    text = (await captured.user.get(f"/captures/{captured.id}/export?format=csv{query}")).ok.decode()
    return {
        tuple(orjson.loads(row["raw_value"])): (
            orjson.loads(row["physical_value"]),
            row["profile_version"],
            row["status"],
        )
        for row in csv.DictReader(io.StringIO(text))
    }


class TestStart:
    async def test_every_element_by_every_revision(self, captured: Spectra, hub: Hub, db: Tx) -> None:
        stored = await db.fetch("select * from telemetry_vector order by t, identity")
        started = await ask(captured, await new_version(captured.user, captured, FALLING))
        assert (started["revision"], started["difference"], started["elements"]) == (2, None, None)
        await do_all(hub)
        done = (await captured.user.get(f"/backfills/{started['id']}")).ok
        assert (done["status"], done["done"], done["samples"]) == ("finished", 3, 3)
        for query, of in (("", (2, SECOND)), ("&revision=2", (2, SECOND)), ("&revision=1", (1, FIRST))):
            assert await elements(captured, query) == of
        assert (await series(captured.user, captured))["physical"] == [-5.0, -90.0, -90.0]
        assert (await series(captured.user, captured, "&revision=1"))["physical"] == [2.0, 19.0, 19.0]
        assert await db.fetch("select * from telemetry_vector order by t, identity") == stored, "no second copy"

    async def test_export(self, captured: Spectra, hub: Hub) -> None:
        await ask(captured, await new_version(captured.user, captured, FALLING))
        await do_all(hub)
        assert await exported(captured, "&revision=1") == {
            tuple(raw): (physical, "1", "ok") for raw, physical in zip(RAW, FIRST, strict=True)
        }
        worst = ["out_of_range" if peak > 8 else "ok" for peak in PEAKS]
        for query in ("", "&revision=2"):
            assert await exported(captured, query) == {
                tuple(raw): (physical, "2", status) for raw, physical, status in zip(RAW, SECOND, worst, strict=True)
            }

    async def test_verified(self, captured: Spectra, hub: Hub) -> None:
        await ask(captured, await new_version(captured.user, captured, FALLING))
        await do_all(hub)
        found = await captured.verified()
        assert found["holds"], found
        checks = [(one["part"], one["revision"], one["profile_version"], one["exact"]) for one in found["physical"]]
        assert checks == [("headlines", 1, 1, 3), ("headlines", 2, 2, 3), ("elements", 1, 1, 9), ("elements", 2, 2, 9)]
        await captured.db.execute("update telemetry_revision set physical[1] = physical[1] + 1e-9 where chunk_no = 0")
        found = await captured.verified()
        assert [one["differing"] for one in found["physical"]] == [0, 1, 0, 0]

    async def test_tells_the_differences_of_headlines_and_of_elements(self, captured: Spectra, hub: Hub) -> None:
        version = await new_version(captured.user, captured, FALLING)
        tried = await ask(captured, version, "?dry_run=true")
        started = await ask(captured, version)
        await do_all(hub)
        done = (await captured.user.get(f"/backfills/{started['id']}")).ok
        for one in (tried, done):
            assert one["difference"] == {
                "samples": 3,
                "changed": 3,
                "largest": 109.0,
                "mean": pytest.approx((109 + 109 + 7) / 3),
                "status_before": NONE | {"ok": 3},
                "status_after": NONE | {"ok": 1, "out_of_range": 2},
            }
            assert one["elements"] == {
                "samples": 9,
                "changed": 9,
                "largest": 109.0,
                "mean": pytest.approx(sum(CHANGES) / 9),
                "status_before": NONE | {"ok": 9},
                "status_after": NONE | {"ok": 7, "out_of_range": 2},
            }

    async def test_the_same_again_changes_nothing(self, captured: Spectra, hub: Hub) -> None:
        version = await new_version(captured.user, captured, FALLING)
        await ask(captured, version)
        await do_all(hub)
        assert (await ask(captured, version, "?dry_run=true"))["elements"]["changed"] == 0
        again = await ask(captured, version)
        await do_all(hub)
        done = (await captured.user.get(f"/backfills/{again['id']}")).ok
        assert (done["revision"], done["difference"]["changed"], done["elements"]["changed"]) == (3, 0, 0)
        assert (await elements(captured))[1] == SECOND

    async def test_published_for_the_captures_of_the_last_days(self, captured: Spectra, hub: Hub) -> None:
        drafted = (await captured.user.post(f"/sensors/{captured.sensor['id']}/profiles", {"payload": FALLING})).ok
        answer = await captured.user.post(f"/profiles/{drafted['id']}/publish", {"mode": "backfill", "days": 1})
        assert len(answer.ok["backfills"]) == 1
        await do_all(hub)
        assert await elements(captured) == (2, SECOND)


class TestRead:
    async def test_a_viewer_sees_no_raw_elements(self, captured: Spectra, viewer: Caller, hub: Hub) -> None:
        await ask(captured, await new_version(captured.user, captured, FALLING))
        await do_all(hub)
        shown = await captured.vectors("&revision=2", viewer)
        assert (shown["revision"], "raw" in shown, len(shown["physical"])) == (2, False, 3)

    async def test_an_unknown_revision(self, captured: Spectra, owner: Caller) -> None:
        path = f"/captures/{captured.id}/vectors?sensor_id={captured.sensor['id']}"
        answer = await owner.get(f"{path}&revision=2")
        assert (answer.status, answer.code) == (404, "revision-unknown")

    async def test_what_came_late_has_them_too(self, captured: Spectra, hub: Hub) -> None:
        """Before a seal takes it in, and after; one more with the same peak at the same time."""
        await ask(captured, await new_version(captured.user, captured, FALLING))
        await do_all(hub)
        late = [5.0, 9.0, 0.5]
        await captured.send(((await captured.vectors())["t"][-1], late))
        for _ in range(2):
            for query, physical in (("", [-50.0, -90.0, -5.0]), ("&revision=1", [11.0, 19.0, 2.0])):
                shown = await captured.vectors(query)
                assert shown["physical"][shown["raw"].index(late)] == physical
                assert (await exported(captured, query))[tuple(late)][0] == physical
                assert len((await series(captured.user, captured, query))["t"]) == 4
            await captured.user.post(f"/captures/{captured.id}/seal")
            await seal_all(hub)
        found = await captured.verified()
        assert (found["holds"], found["physical"][-1]["samples"]) == (True, 12)


@pytest.mark.usefixtures("slow_steps")
class TestSteps:
    """Each step takes one of the two chunks."""

    @pytest.fixture
    def slow_steps(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(job, "ELEMENTS_AT_ONCE", 1)

    async def test_progress_and_cancelling(self, captured: Spectra, hub: Hub, db: Tx) -> None:
        started = await ask(captured, await new_version(captured.user, captured, FALLING))
        await seal_all(hub)
        await job.step(hub)
        now = (await captured.user.get(f"/backfills/{started['id']}")).ok
        assert (now["status"], now["done"], now["samples"], now["elements"]["samples"]) == ("running", 1, 3, 3)
        assert await elements(captured) == (1, FIRST), "not before all of it is there"
        await captured.user.post(f"/backfills/{started['id']}/cancel")
        await backfill_all(hub)
        assert await db.fetchval("select count(*) from telemetry_revision") == 0
        assert await elements(captured) == (1, FIRST)

    @pytest.mark.slow
    async def test_a_killed_worker(self, captured: Spectra, hub: Hub, settings: Settings, db: Tx) -> None:
        """SIGKILL in the middle of a step: the next one does it again, and counts each element once."""
        started = await ask(captured, await new_version(captured.user, captured, FALLING))
        await seal_all(hub)
        await job.step(hub)
        await db.execute(
            """
            create function stand_still() returns trigger language plpgsql as $$
            begin
              perform pg_sleep(60);
              return new;
            end $$
            """
        )
        await db.execute(
            "create trigger stand_still before update of elements on backfill for each row execute function"
            " stand_still()"
        )
        environment = os.environ | {
            "ETP_DATABASE_URL": settings.database_url,
            "ETP_REDIS_URL": settings.redis_url,
            "ETP_DATA_DIR": str(settings.data_dir),
        }
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "cli", "hub", "--roles", "worker"),
            cwd=ROOT,
            env=environment | {"ETP_HTTP_PORT": "0"},
        )
        asleep = "select exists (select from pg_stat_activity where wait_event = 'PgSleep')"
        try:
            await until(lambda: db.fetchval(asleep), within_s=30)
        finally:
            os.kill(process.pid, signal.SIGKILL)
            await process.wait()
            await db.execute("select pg_terminate_backend(pid) from pg_stat_activity where wait_event = 'PgSleep'")
            await db.execute("drop function stand_still() cascade")
        await backfill_all(hub)
        done = (await captured.user.get(f"/backfills/{started['id']}")).ok
        assert (done["status"], done["done"], done["elements"]["samples"]) == ("finished", 3, 9)
        assert await elements(captured) == (2, SECOND)
