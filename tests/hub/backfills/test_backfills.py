"""Backfills over HTTP: who may start them, of what, what they make of a capture and what they leave alone."""

import csv
import io
import uuid
from typing import Any

import asyncpg
import pytest

from hub.kit.context import Hub
from hub.kit.db import Tx
from tests.hub.backfills.conftest import STEEP, backfill_all, new_version, series
from tests.hub.callers import Answer, Caller
from tests.hub.conftest import Device, Make
from tests.hub.ledger.conftest import told as facts
from tests.hub.past_rules import past_rules
from tests.hub.races import in_line, told
from tests.hub.rows import Rows
from tests.hub.sealing.conftest import Recorded, seal_all

# Raw, and physical by the first version (2 · raw + 1) and by STEEP.
VALUES = [(0.5 * i, 1.0 * i + 1, 5.0 * i) for i in range(50)]
DISTANCES = [abs(after - before) for _, before, after in VALUES]
NONE = {"ok": 0, "out_of_range": 0, "conversion_error": 0, "no_profile": 0}


@pytest.fixture
async def captured(recorded: Recorded) -> Recorded:
    """A finished capture of VALUES."""
    await recorded.spread(50)
    await recorded.capture()
    return recorded


async def ask(caller: Caller, captured: Recorded, profile: dict[str, Any], query: str = "") -> Answer:
    return await caller.post(f"/captures/{captured.id}/backfills{query}", {"profile_id": profile["id"]})


async def do_all(hub: Hub) -> None:
    await seal_all(hub)
    await backfill_all(hub)


class TestStart:
    async def test_anonymous_stranger_editor(
        self, anonymous: Caller, stranger: Caller, editor: Caller, owner: Caller, captured: Recorded
    ) -> None:
        version = await new_version(owner, captured)
        assert (await ask(anonymous, captured, version)).status == 401
        assert (await ask(stranger, captured, version)).status == 404
        refused = await ask(editor, captured, version)
        assert (refused.status, refused.code) == (403, "role-too-low")

    async def test_seals_first_then_converts_into_a_revision(
        self, owner: Caller, captured: Recorded, hub: Hub, db: Tx
    ) -> None:
        answer = await ask(owner, captured, await new_version(owner, captured))
        started = answer.ok
        assert (answer.status, started["status"], started["revision"]) == (201, "waiting", 2)
        assert (started["samples"], started["done"], started["requested_by"]) == (None, 0, owner.name)
        assert await facts(db, answer) == ["backfill.started"]
        assert await backfill_all(hub) == 0, "the capture is not sealed yet"
        capture = (await owner.get(f"/captures/{captured.id}")).ok
        assert (capture["status"], capture["backfilling"], capture["revision"]) == ("finished", True, 1)
        assert await seal_all(hub)
        assert (await series(owner, captured))["physical"] == [before for _, before, _ in VALUES]
        assert await backfill_all(hub) == 2
        done = (await owner.get(f"/backfills/{started['id']}")).ok
        assert (done["status"], done["done"], done["samples"]) == ("finished", 50, 50)
        capture = (await owner.get(f"/captures/{captured.id}")).ok
        assert (capture["status"], capture["backfilling"], capture["revision"]) == ("sealed", False, 2)
        shown = await series(owner, captured)
        assert (shown["revision"], shown["physical"]) == (2, [after for _, _, after in VALUES])
        assert shown["raw"] == [raw for raw, _, _ in VALUES]
        kinds = await db.fetch("select kind from fact where subject_id = $1 order by id", uuid.UUID(started["id"]))
        assert [row["kind"] for row in kinds] == ["backfill.started", "backfill.finished"]

    async def test_tells_the_differences(self, owner: Caller, captured: Recorded, hub: Hub) -> None:
        version = await new_version(owner, captured, STEEP | {"input_range": [1.0, 100.0]})
        started = (await ask(owner, captured, version)).ok
        await do_all(hub)
        assert (await owner.get(f"/backfills/{started['id']}")).ok["difference"] == {
            "samples": 50,
            "changed": 50,
            "largest": max(DISTANCES),
            "mean": pytest.approx(sum(DISTANCES) / 50),
            "status_before": NONE | {"ok": 50},
            "status_after": NONE | {"ok": 48, "out_of_range": 2},
        }

    @pytest.mark.parametrize("status", ["draft", "running"])
    async def test_of_what_is_not_over(self, owner: Caller, recorded: Recorded, status: str) -> None:
        version = await new_version(owner, recorded)
        body = {"start": status == "running"}
        recorded.id = (await owner.post(f"/runs/{recorded.run['id']}/captures", body)).ok["id"]
        told(await ask(owner, recorded, version), "capture-not-convertible", f"Capture 1 is {status}")

    async def test_with_a_draft(self, owner: Caller, captured: Recorded) -> None:
        drafted = (await owner.post(f"/sensors/{captured.sensor['id']}/profiles", STEEP)).ok
        told(await ask(owner, captured, drafted), "profile-not-published", "Version 2")

    async def test_with_a_version_of_another_sensor(self, owner: Caller, captured: Recorded, sensor: Make) -> None:
        other = (await sensor())["active_profile"]
        for profile in (other, {"id": str(uuid.uuid4())}):
            answer = await ask(owner, captured, profile)
            assert (answer.status, answer.body["errors"][0]["loc"]) == (422, ["body", "profile_id"])

    async def test_of_a_deleted_sensor(self, owner: Caller, captured: Recorded) -> None:
        version = await new_version(owner, captured)
        await owner.put(f"/runs/{captured.run['id']}/sensors", {"sensors": []})
        assert (await owner.delete(f"/sensors/{captured.sensor['id']}")).status == 204
        told(await ask(owner, captured, version), "sensor-gone", captured.sensor["name"])

    async def test_twice(self, owner: Caller, captured: Recorded, hub: Hub) -> None:
        version = await new_version(owner, captured)
        first = (await ask(owner, captured, version)).ok
        told(await ask(owner, captured, version), "backfill-underway", first["id"], "revision 2")
        await do_all(hub)
        assert (await ask(owner, captured, version)).ok["revision"] == 3

    async def test_two_at_once(self, owner: Caller, captured: Recorded, db: Tx) -> None:
        version = await new_version(owner, captured)
        lock = "select from capture_session for update"
        first, second = await in_line(db, lock, ask(owner, captured, version), ask(owner, captured, version))
        assert first.status == 201
        told(second, "backfill-underway", first.ok["id"])

    async def test_one_after_the_other_each_against_the_one_before(
        self, owner: Caller, captured: Recorded, hub: Hub
    ) -> None:
        second = await new_version(owner, captured)
        third = await new_version(owner, captured, STEEP | {"intercept": 1.0})
        started = [(await ask(owner, captured, version)).ok for version in (second, third)]
        assert [one["revision"] for one in started] == [2, 3]
        await do_all(hub)
        found = (await owner.get(f"/backfills/{started[1]['id']}")).ok["difference"]
        assert (found["largest"], found["mean"]) == (1.0, 1.0)
        for number, first in ((1, 1.0), (2, 0.0), (3, 1.0)):
            assert (await series(owner, captured, f"&revision={number}"))["physical"][0] == first

    async def test_what_came_late_to_a_sealed_capture_is_sealed_first(
        self, owner: Caller, captured: Recorded, hub: Hub
    ) -> None:
        """So that a dry run and the backfill are about the same samples."""
        await owner.post(f"/captures/{captured.id}/seal")
        await seal_all(hub)
        await captured.publish([(captured.end - 1_000_000, 900.0)])
        version = await new_version(owner, captured)
        tried = (await ask(owner, captured, version, "?dry_run=true")).ok
        started = (await ask(owner, captured, version)).ok
        assert await backfill_all(hub) == 0, "it waits for the seal"
        await do_all(hub)
        found = (await owner.get(f"/backfills/{started['id']}")).ok
        assert (found["samples"], found["difference"]) == (tried["samples"], tried["difference"])
        assert (found["status"], found["samples"], found["difference"]["largest"]) == ("finished", 51, 7199.0)
        capture = (await owner.get(f"/captures/{captured.id}")).ok
        assert (capture["seals"], capture["late_waiting"]) == (2, 0)

    async def test_without_what_came_late_a_sealed_capture_is_not_sealed_again(
        self, owner: Caller, captured: Recorded, hub: Hub, db: Tx
    ) -> None:
        await owner.post(f"/captures/{captured.id}/seal")
        await seal_all(hub)
        assert (await ask(owner, captured, await new_version(owner, captured))).status == 201
        assert await db.fetchval("select count(*) from seal_job") == 0


class TestRevisions:
    async def test_each_can_be_read(self, owner: Caller, viewer: Caller, captured: Recorded, hub: Hub, db: Tx) -> None:
        before, recent = await series(owner, captured), await db.fetch("select * from telemetry_recent")
        await ask(owner, captured, await new_version(owner, captured, {"kind": "custom", "expression": "log(x)"}))
        await seal_all(hub)
        sealed = await db.fetch("select * from telemetry_captured")
        await backfill_all(hub)
        newest = await series(owner, captured)
        assert await series(owner, captured, "&revision=1") == before
        assert (newest["physical"][0], newest["status"][0]) == (None, "conversion_error")
        assert await series(owner, captured, "&revision=2") == newest
        assert "raw" not in await series(viewer, captured, "&revision=2")
        assert await db.fetch("select * from telemetry_captured") == sealed
        assert await db.fetch("select * from telemetry_recent") == recent

    async def test_unknown(self, owner: Caller, captured: Recorded) -> None:
        path = f"/captures/{captured.id}"
        for query in (f"/samples?sensor_id={captured.sensor['id']}&revision=2", "/export?format=csv&revision=2"):
            answer = await owner.get(path + query)
            assert (answer.status, answer.code) == (404, "revision-unknown")

    async def test_export(self, owner: Caller, captured: Recorded, hub: Hub) -> None:
        await ask(owner, captured, await new_version(owner, captured))
        await do_all(hub)
        for query, version, place in (("", "2", 2), ("&revision=2", "2", 2), ("&revision=1", "1", 1)):
            text = (await owner.get(f"/captures/{captured.id}/export?format=csv{query}")).ok.decode()
            rows = list(csv.DictReader(io.StringIO(text)))
            assert [float(row["physical_value"]) for row in rows] == [values[place] for values in VALUES]
            assert {row["profile_version"] for row in rows} == {version}

    async def test_what_came_late_has_them_too(self, owner: Caller, captured: Recorded, hub: Hub) -> None:
        """Before a seal takes it in, and after."""
        await ask(owner, captured, await new_version(owner, captured))
        await do_all(hub)
        await captured.publish([(captured.end - 1_000_000, 7.0)])
        for _ in range(2):
            assert (await series(owner, captured))["physical"][-1] == 70.0
            assert (await series(owner, captured, "&revision=1"))["physical"][-1] == 15.0
            text = (await owner.get(f"/captures/{captured.id}/export?format=csv")).ok.decode()
            assert ",7.0,70.0," in text
            await owner.post(f"/captures/{captured.id}/seal")
            await seal_all(hub)
        assert (await owner.get(f"/captures/{captured.id}")).ok["seals"] == 2

    async def test_other_sensors_keep_theirs(
        self, owner: Caller, sensor: Make, run: Make, device: Device, hub: Hub, db: Tx
    ) -> None:
        one, other = await sensor(), await sensor()
        bound = await run(one, other)
        mine, theirs = (Recorded(owner, device(each), db, each, bound) for each in (one, other))
        for each in (mine, theirs):
            await each.spread(3)
        theirs.id = await mine.capture()
        await ask(owner, mine, await new_version(owner, mine))
        await do_all(hub)
        shown, untouched = await series(owner, mine), await series(owner, theirs)
        assert (shown["physical"], shown["revision"]) == ([0.0, 5.0, 10.0], 2)
        assert (untouched["physical"], untouched["revision"]) == ([1.0, 2.0, 3.0], 2)


class TestPublishWithBackfill:
    async def test_captures_of_the_last_days(self, owner: Caller, captured: Recorded, hub: Hub, db: Tx) -> None:
        drafted = (await owner.post(f"/sensors/{captured.sensor['id']}/profiles", STEEP)).ok
        old, recent = captured.id, await captured.capture()
        running = (await owner.post(f"/runs/{captured.run['id']}/captures", {})).ok
        async with past_rules(db):
            await db.execute(
                """
                update capture_session
                set started_at = started_at - interval '3 days', stopped_at = stopped_at - interval '3 days'
                where id = $1::text::uuid
                """,
                old,
            )
        answer = await owner.post(f"/profiles/{drafted['id']}/publish", {"mode": "backfill", "days": 2})
        assert answer.ok["status"] == "scheduled"
        (only,) = answer.ok["backfills"]
        assert (await owner.get(f"/backfills/{only}")).ok["capture_id"] == recent
        assert await facts(db, answer) == ["profile.published", "backfill.started"]
        await do_all(hub)
        assert (await series(owner, captured))["physical"] == [after for _, _, after in VALUES]
        assert (await owner.get(f"/captures/{running['id']}")).ok["backfilling"] is False

    @pytest.mark.parametrize("body", [{"mode": "backfill"}, {"mode": "prospective", "days": 2}, {"days": 2}])
    async def test_days_belong_to_backfill(self, owner: Caller, recorded: Recorded, body: dict[str, Any]) -> None:
        drafted = (await owner.post(f"/sensors/{recorded.sensor['id']}/profiles", STEEP)).ok
        assert (await owner.post(f"/profiles/{drafted['id']}/publish", body)).status == 422

    async def test_nothing_to_convert(self, owner: Caller, recorded: Recorded) -> None:
        drafted = (await owner.post(f"/sensors/{recorded.sensor['id']}/profiles", STEEP)).ok
        answer = await owner.post(f"/profiles/{drafted['id']}/publish", {"mode": "backfill", "days": 30})
        assert answer.ok["backfills"] == []


class TestDryRun:
    @pytest.mark.parametrize("sealed", [False, True])
    async def test_tells_and_stores_nothing(
        self, owner: Caller, captured: Recorded, hub: Hub, db: Tx, sealed: bool
    ) -> None:
        if sealed:
            await owner.post(f"/captures/{captured.id}/seal")
            await seal_all(hub)
        drafted = (await owner.post(f"/sensors/{captured.sensor['id']}/profiles", STEEP)).ok
        answer = await ask(owner, captured, drafted, "?dry_run=true")
        assert answer.status == 200
        assert (answer.ok["samples"], answer.ok["profile_version"]) == (50, 2)
        assert (answer.ok["difference"]["largest"], answer.ok["difference"]["changed"]) == (max(DISTANCES), 50)
        assert await facts(db, answer) == ["backfill.tried"]
        assert await db.fetchval("select count(*) from backfill") == 0
        assert (await owner.get(f"/captures/{captured.id}")).ok["status"] == ("sealed" if sealed else "finished")

    async def test_against_the_newest_revision(self, owner: Caller, captured: Recorded, hub: Hub) -> None:
        version = await new_version(owner, captured)
        await ask(owner, captured, version)
        await do_all(hub)
        assert (await ask(owner, captured, version, "?dry_run=true")).ok["difference"]["changed"] == 0

    async def test_editor(self, owner: Caller, editor: Caller, captured: Recorded) -> None:
        version = await new_version(owner, captured)
        assert (await ask(editor, captured, version, "?dry_run=true")).status == 403


class TestCancel:
    async def test_editor(self, owner: Caller, editor: Caller, captured: Recorded) -> None:
        started = (await ask(owner, captured, await new_version(owner, captured))).ok
        assert (await editor.post(f"/backfills/{started['id']}/cancel")).status == 403

    async def test_before_it_runs(self, owner: Caller, captured: Recorded, hub: Hub, db: Tx) -> None:
        version = await new_version(owner, captured)
        started = (await ask(owner, captured, version)).ok
        answer = await owner.post(f"/backfills/{started['id']}/cancel")
        assert answer.ok["status"] == "cancelled"
        assert await facts(db, answer) == ["backfill.cancelled"]
        await seal_all(hub)
        assert await backfill_all(hub) == 0
        assert (await owner.get(f"/captures/{captured.id}")).ok["revision"] == 1
        told(await owner.post(f"/backfills/{started['id']}/cancel"), "backfill-over", "cancelled")
        assert (await ask(owner, captured, version)).ok["revision"] == 3, "a number is given once"

    async def test_finished(self, owner: Caller, captured: Recorded, hub: Hub) -> None:
        started = (await ask(owner, captured, await new_version(owner, captured))).ok
        await do_all(hub)
        told(await owner.post(f"/backfills/{started['id']}/cancel"), "backfill-over", "finished")


class TestRead:
    async def test_stranger(self, stranger: Caller, owner: Caller, captured: Recorded, project: str) -> None:
        started = (await ask(owner, captured, await new_version(owner, captured))).ok
        assert (await stranger.get(f"/backfills/{started['id']}")).status == 404
        assert (await stranger.get(f"/projects/{project}/backfills")).status == 404

    async def test_of_a_project(self, viewer: Caller, owner: Caller, captured: Recorded, project: str) -> None:
        started = (await ask(owner, captured, await new_version(owner, captured))).ok
        url = f"/projects/{project}/backfills"
        assert (await viewer.get(url)).ok["items"] == [started]
        for query, count in (
            (f"capture_id={captured.id}", 1),
            (f"sensor_id={captured.sensor['id']}&status=waiting", 1),
            (f"capture_id={uuid.uuid4()}", 0),
            ("status=finished", 0),
        ):
            assert len((await viewer.get(f"{url}?{query}")).ok["items"]) == count


class TestSensorOfABackfill:
    """I-1: it cannot be deleted before the backfill is over."""

    async def test_is_held(self, owner: Caller, captured: Recorded) -> None:
        started = (await ask(owner, captured, await new_version(owner, captured))).ok
        await owner.put(f"/runs/{captured.run['id']}/sensors", {"sensors": []})
        delete = f"/sensors/{captured.sensor['id']}"
        told(await owner.delete(delete), "sensor-held", "backfill of capture 1 of run 1 of Warm-up (waiting)")
        await owner.post(f"/backfills/{started['id']}/cancel")
        assert (await owner.delete(delete)).status == 204

    @pytest.mark.parametrize("delete", ["update sensor set deleted_at = now()", "delete from sensor"])
    async def test_in_the_database_too(self, rows: Rows, db: Tx, delete: str) -> None:
        of = await rows.sensor()
        capture = await rows.capture("sealed", sensors=[of])
        await db.execute("update run set status = 'succeeded'")
        await rows.backfill(capture, of)
        with pytest.raises(asyncpg.CheckViolationError) as caught:
            await db.execute(delete)
        assert caught.value.constraint_name == "sensor_held"
        assert "backfill of capture 1 of run 1 of Warm-up (waiting)" in (caught.value.detail or "")
        await db.execute("update backfill set status = 'cancelled'")
        await db.execute("update sensor set deleted_at = now()")
