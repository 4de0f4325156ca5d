"""Messages that edge agents could not read: in the journals of their sensors, counted once."""

import uuid
from typing import Any

import pytest
from aiohttp import web

from hub.journal.service import JOURNAL
from hub.kit.db import Tx
from tests.hub.callers import Caller
from tests.hub.conftest import Device, Make


def report(sensor: dict[str, Any], messages: int = 7, code: str = "telemetry-broken", **fields: Any) -> dict[str, Any]:
    part = {"sensor_id": sensor["id"], "code": code, "messages": messages, "detail": "NaN is no JSON value"}
    return {"report_id": str(uuid.uuid4()), "unreadable": [part | fields]}


class TestReport:
    async def test_only_edge_agents(self, anonymous: Caller, owner: Caller, sensor: Make, device: Device) -> None:
        made = await sensor()
        for caller in (anonymous, owner, device(made)):
            assert (await caller.post("/edge/unreadable", report(made))).status == 401

    async def test_it_counts_once_however_often_it_comes(
        self, app: web.Application, owner: Caller, agent: Make, sensor: Make, device: Device
    ) -> None:
        edge, made, other = await agent(default=True), await sensor(), await sensor()
        first, second = report(made), report(made, 2, "invalid-payload", detail="samples: expected a list")
        first["unreadable"] += report(other, 1)["unreadable"]
        for told in (first, first, second, first):
            assert (await device(edge).post("/edge/unreadable", told)).status == 204
        await app[JOURNAL].flush()
        (entry,) = (await owner.get(f"/sensors/{made['id']}/journal")).ok["items"]
        assert (entry["kind"], entry["count"]) == ("packet_refused", 9)
        assert entry["codes"] == {"telemetry-broken": 7, "invalid-payload": 2}
        assert entry["details"] == {"status": 422, "detail": "samples: expected a list"}
        (entry,) = (await owner.get(f"/sensors/{other['id']}/journal")).ok["items"]
        assert (entry["count"], entry["details"]["status"]) == (1, 400)

    async def test_a_sensor_of_another_project_has_nothing_of_it(
        self, app: web.Application, owner: Caller, agent: Make, sensor: Make, device: Device
    ) -> None:
        edge = await agent(default=True)
        elsewhere = (await owner.post("/projects", {"name": "elsewhere"})).ok["id"]
        foreign = await sensor(in_project=elsewhere)
        assert (await device(edge).post("/edge/unreadable", report(foreign))).status == 204
        await app[JOURNAL].flush()
        assert (await owner.get(f"/sensors/{foreign['id']}/journal")).ok["items"] == []

    @pytest.mark.parametrize("wrong", [{"messages": 0}, {"code": "made-up"}, {"detail": "x" * 501}])
    async def test_what_cannot_be(self, agent: Make, sensor: Make, device: Device, wrong: dict[str, Any]) -> None:
        edge, made = await agent(), await sensor()
        assert (await device(edge).post("/edge/unreadable", report(made, **wrong))).status == 422

    async def test_reports_are_forgotten_after_a_week(self, agent: Make, sensor: Make, device: Device, db: Tx) -> None:
        edge, made = device(await agent()), await sensor()
        old, young = report(made), report(made)
        for told in (old, young):
            await edge.post("/edge/unreadable", told)
        aged = "update edge_unreadable set at = at - interval '8 days' where report_id = $1::text::uuid"
        await db.execute(aged, old["report_id"])
        await edge.post("/edge/unreadable", report(made))
        kept = {str(row["report_id"]) for row in await db.fetch("select report_id from edge_unreadable")}
        assert len(kept) == 2
        assert young["report_id"] in kept
