"""Trying profiles on raw values and on stored samples: nothing is stored, raw values are given to nobody else."""

import math
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.kit.db import Tx
from tests.hub.callers import Caller
from tests.hub.conftest import Device, Forget, Make
from tests.hub.telemetry.conftest import Wait, send

TABLE = {"kind": "table", "points": [[8.0, 1.0], [0.0, 0.0]], "extrapolation": "reject", "input_range": [0.0, 7.0]}


async def profile_of(caller: Caller, sensor: dict[str, Any]) -> dict[str, Any]:
    return (await caller.get(f"/sensors/{sensor['id']}/profiles")).ok["items"][0]


class TestRawValues:
    async def test_anonymous_and_stranger(
        self, anonymous: Caller, editor: Caller, stranger: Caller, sensor: Make
    ) -> None:
        url = f"/profiles/{(await profile_of(editor, await sensor()))['id']}/preview"
        assert (await anonymous.post(url, {"raw": [1.0]})).status == 401
        assert (await stranger.post(url, {"raw": [1.0]})).status == 404

    async def test_viewer(self, editor: Caller, viewer: Caller, sensor: Make, db: Tx, forget: Forget) -> None:
        url = f"/profiles/{(await profile_of(editor, await sensor()))['id']}/preview"
        refused = await viewer.post(url, {"raw": [1.0]})
        assert (refused.status, refused.code) == (403, "raw-not-allowed")
        await db.execute("update project set raw_policy = 'open'")
        forget()
        assert (await viewer.post(url, {"raw": [1.0]})).ok == {"physical": [3.0], "status": ["ok"]}

    async def test_every_status(self, editor: Caller, sensor: Make) -> None:
        url = f"/profiles/{(await profile_of(editor, await sensor(profile=TABLE)))['id']}/preview"
        assert (await editor.post(url, {"raw": [5.0, 7.5, 9.0]})).ok == {
            "physical": [0.625, 0.9375, None],
            "status": ["ok", "out_of_range", "out_of_range"],
        }
        steep = await sensor(profile={"kind": "linear", "slope": 1e308, "intercept": 0.0})
        url = f"/profiles/{(await profile_of(editor, steep))['id']}/preview"
        assert (await editor.post(url, {"raw": [10.0]})).ok == {"physical": [None], "status": ["conversion_error"]}

    @pytest.mark.parametrize("raw", [[], ["x"], [None], "1"])
    async def test_bad_payload(self, editor: Caller, sensor: Make, raw: object) -> None:
        url = f"/profiles/{(await profile_of(editor, await sensor()))['id']}/preview"
        answer = await editor.post(url, {"raw": raw})
        assert (answer.status, answer.body["errors"][0]["loc"][:2]) == (422, ["body", "raw"])

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"from": "2026-01-01T00:00:00Z"},
            {"raw": [1.0], "from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z"},
        ],
    )
    async def test_either_values_or_a_range(self, editor: Caller, sensor: Make, body: dict[str, Any]) -> None:
        url = f"/profiles/{(await profile_of(editor, await sensor()))['id']}/preview"
        answer = await editor.post(url, body)
        assert (answer.status, answer.body["errors"][0]["loc"]) == (422, ["body"])


class TestPayload:
    async def test_anonymous_stranger_viewer(
        self, anonymous: Caller, stranger: Caller, viewer: Caller, sensor: Make
    ) -> None:
        url = f"/sensors/{(await sensor())['id']}/profiles/preview"
        body = {"payload": TABLE, "raw": [1.0]}
        assert (await anonymous.post(url, body)).status == 401
        assert (await stranger.post(url, body)).status == 404
        refused = await viewer.post(url, body)
        assert (refused.status, refused.code) == (403, "raw-not-allowed")

    async def test_is_tried_and_not_stored(self, editor: Caller, sensor: Make, db: Tx) -> None:
        made = await sensor()
        body = {"payload": {"kind": "custom", "expression": "sqrt(x)"}, "raw": [9.0, -1.0]}
        answer = (await editor.post(f"/sensors/{made['id']}/profiles/preview", body)).ok
        assert answer == {"physical": [3.0, None], "status": ["ok", "conversion_error"]}
        assert await db.fetchval("select count(*) from conversion_profile") == 1

    async def test_names_what_is_wrong(self, editor: Caller, sensor: Make) -> None:
        url = f"/sensors/{(await sensor())['id']}/profiles/preview"
        answer = await editor.post(url, {"payload": {"kind": "custom", "expression": "x +"}, "raw": [1.0]})
        assert answer.status == 422
        assert answer.body["errors"][0]["loc"] == ["body", "payload", "expression"]


class TestStoredSamples:
    @pytest.fixture
    async def recorded(self, sensor: Make, device: Device, stored: Wait) -> dict[str, Any]:
        """A sensor (physical = 2 · raw + 1) with the raw values 0 to 99, a second apart, and one far off."""
        made = await sensor()
        start = math.floor(time.time()) - 200
        samples = [{"t": start + i, "v": 1000.0 if i == 50 else float(i)} for i in range(100)]
        assert (await send(device(made), {"samples": samples})).status == 202
        await stored(made)
        moment = datetime.fromtimestamp(start, UTC)
        return made | {"from": moment.isoformat(), "to": (moment + timedelta(seconds=100)).isoformat()}

    def body(self, recorded: dict[str, Any], **more: Any) -> dict[str, Any]:
        return {"from": recorded["from"], "to": recorded["to"]} | more

    async def test_viewer(self, viewer: Caller, editor: Caller, recorded: dict[str, Any]) -> None:
        url = f"/profiles/{(await profile_of(editor, recorded))['id']}/preview"
        refused = await viewer.post(url, self.body(recorded))
        assert (refused.status, refused.code) == (403, "raw-not-allowed")

    async def test_before_after_and_differences(self, editor: Caller, recorded: dict[str, Any], db: Tx) -> None:
        payload = {"kind": "linear", "slope": 2.0, "intercept": 3.0, "input_range": [10.0, 100.0]}
        url = f"/sensors/{recorded['id']}/profiles/preview"
        shown = (await editor.post(url, self.body(recorded, payload=payload))).ok
        assert shown["raw"][:3] == [0.0, 1.0, 2.0]
        assert shown["before"]["physical"][:3] == [1.0, 3.0, 5.0]
        assert shown["after"]["physical"][:3] == [3.0, 5.0, 7.0]
        assert shown["difference"] == [2.0] * 100
        assert shown["t"] == sorted(shown["t"])
        none = {"ok": 0, "out_of_range": 0, "conversion_error": 0, "no_profile": 0}
        assert shown["summary"] == {
            "samples": 100,
            "changed": 100,
            "largest": 2.0,
            "mean": 2.0,
            "status_before": none | {"ok": 100},
            "status_after": none | {"ok": 89, "out_of_range": 11},
        }
        assert shown["decimated"] is False
        assert await db.fetchval("select last_physical from sensor_ledger") == 199.0

    async def test_thinned_without_losing_an_extreme(self, editor: Caller, recorded: dict[str, Any]) -> None:
        url = f"/profiles/{(await profile_of(editor, recorded))['id']}/preview"
        shown = (await editor.post(url, self.body(recorded, max_points=20))).ok
        assert shown["decimated"]
        assert len(shown["t"]) <= 20
        assert 1000.0 in shown["raw"]
        assert shown["summary"]["samples"] == 100
        assert (shown["summary"]["changed"], shown["summary"]["largest"]) == (0, 0.0)

    async def test_values_that_are_missing_on_one_side(self, editor: Caller, recorded: dict[str, Any]) -> None:
        body = self.body(recorded, payload={"kind": "custom", "expression": "log(x)"}, max_points=1000)
        shown = (await editor.post(f"/sensors/{recorded['id']}/profiles/preview", body)).ok
        assert (shown["after"]["physical"][0], shown["difference"][0]) == (None, None)
        assert shown["summary"]["status_after"]["conversion_error"] == 1

    async def test_nothing_there(self, editor: Caller, recorded: dict[str, Any]) -> None:
        url = f"/profiles/{(await profile_of(editor, recorded))['id']}/preview"
        shown = (await editor.post(url, {"from": "2020-01-01T00:00:00Z", "to": "2020-01-02T00:00:00Z"})).ok
        assert (shown["t"], shown["summary"]["samples"], shown["summary"]["mean"]) == ([], 0, None)
