"""POST /sensors/{id}/test: what the hub would make of a packet, and what it stores only if asked."""

import time
from typing import Any

import pytest

from tests.hub.callers import Caller
from tests.hub.conftest import Make
from tests.hub.telemetry.conftest import Wait


def rows(*values: Any) -> dict[str, Any]:
    return {"samples": [{"t": round(time.time(), 3) + i, "v": v} for i, v in enumerate(values)]}


async def test_who_may(anonymous: Caller, stranger: Caller, viewer: Caller, editor: Caller, sensor: Make) -> None:
    url = f"/sensors/{(await sensor())['id']}/test"
    statuses = [(await caller.post(url, rows(1.0))).status for caller in (anonymous, stranger, viewer, editor)]
    assert statuses == [401, 404, 403, 200]


async def test_a_dry_run_converts_and_stores_nothing(editor: Caller, owner: Caller, sensor: Make) -> None:
    one = await sensor()
    body = rows(1.5, None, -0.5)
    trial = (await editor.post(f"/sensors/{one['id']}/test", body)).ok
    assert [(s["index"], s["raw"], s["physical"], s["status"], s["profile_version"]) for s in trial["samples"]] == [
        (0, 1.5, 4.0, "ok", 1),
        (2, -0.5, 0.0, "ok", 1),
    ]
    assert trial["samples"][0]["t"] == body["samples"][0]["t"]
    assert [(p["index"], p["code"]) for p in trial["problems"]] == [(1, "value-missing")]
    assert trial["stored"] == 0
    assert (await owner.get(f"/sensors/{one['id']}/ledger")).ok["received"] == 0
    assert (await owner.get(f"/sensors/{one['id']}/journal")).ok["items"] == []


async def test_stored_it_is_marked(editor: Caller, sensor: Make, stored: Wait, db: Any) -> None:
    one = await sensor()
    body = rows(1.0, 2.0)
    body["samples"][1]["meta"] = {"by": "hand"}
    trial = (await editor.post(f"/sensors/{one['id']}/test?store=true", body)).ok
    assert (trial["stored"], [s["physical"] for s in trial["samples"]]) == (2, [3.0, 5.0])
    assert (await stored(one))["stored"] == 2
    records = await db.fetch("select metadata from telemetry_record order by timestamp")
    assert [record["metadata"] for record in records] == [{"test": True}, {"by": "hand", "test": True}]


async def test_without_a_time_it_is_now(editor: Caller, sensor: Make) -> None:
    trial = (await editor.post(f"/sensors/{(await sensor())['id']}/test", {"samples": [{"v": 1.0}]})).ok
    assert trial["samples"][0]["t"] == pytest.approx(time.time(), abs=5)


async def test_the_profile_is_that_of_the_moment(editor: Caller, sensor: Make) -> None:
    bare = await sensor(profile=None)
    trial = (await editor.post(f"/sensors/{bare['id']}/test", rows(1.0))).ok
    assert [(s["physical"], s["status"], s["profile_version"]) for s in trial["samples"]] == [
        (None, "no_profile", None)
    ]
    strict = await sensor(profile={"kind": "linear", "slope": 1, "intercept": 0, "input_range": [0, 1]})
    trial = (await editor.post(f"/sensors/{strict['id']}/test", rows(7.0))).ok
    assert trial["samples"][0]["status"] == "out_of_range"


@pytest.mark.parametrize(
    ("body", "status"), [(b"{", 400), ({"samples": 1}, 422), ({"samples": [{"v": 1.0}] * 1001}, 422), (b"[]", 422)]
)
async def test_what_is_no_packet(editor: Caller, sensor: Make, body: Any, status: int) -> None:
    assert (await editor.post(f"/sensors/{(await sensor())['id']}/test", body)).status == status


async def test_only_json(editor: Caller, sensor: Make) -> None:
    answer = await editor.post(f"/sensors/{(await sensor())['id']}/test", rows(1.0), Content_Type="text/plain")
    assert answer.status == 415


async def test_another_sensor_is_not_tested_by_it(editor: Caller, sensor: Make) -> None:
    one, other = await sensor(), await sensor()
    trial = (await editor.post(f"/sensors/{one['id']}/test?store=true", rows(1.0) | {"sensor_id": other["id"]})).ok
    assert (trial["stored"], trial["samples"], trial["problems"][0]["code"]) == (0, [], "sensor-unknown")


async def test_it_leaves_a_fact_without_values(owner: Caller, editor: Caller, sensor: Make, project: str) -> None:
    one = await sensor()
    await editor.post(f"/sensors/{one['id']}/test", rows(123.456))
    (fact,) = (await owner.get(f"/projects/{project}/audit?kind=sensor.tested")).ok["items"]
    assert fact["details"] == {"samples": 1, "stored": False}


class TestArrival:
    """Sensors without a clock (`time_source: arrival`), tried like any other."""

    async def test_what_the_device_says_of_the_time_does_not_count(
        self, editor: Caller, owner: Caller, sensor: Make
    ) -> None:
        one = await sensor(time_source="arrival")
        trial = (await editor.post(f"/sensors/{one['id']}/test", {"samples": [{"t": 5.0, "v": 1.0}]})).ok
        assert trial["samples"][0]["t"] == pytest.approx(time.time(), abs=5)
        assert (await owner.get(f"/sensors/{one['id']}")).ok["clock_skew_s"] is None

    async def test_one_sample_a_batch(self, editor: Caller, sensor: Make) -> None:
        one = await sensor(time_source="arrival")
        trial = (await editor.post(f"/sensors/{one['id']}/test", rows(1.0, 2.0))).ok
        assert (trial["samples"], [p["code"] for p in trial["problems"]]) == ([], ["time-missing"] * 2)
