"""What edge agents had to drop: counted once, in the ledgers and in the audit trail."""

import uuid
from typing import Any

from aiohttp import web

from hub.journal.service import JOURNAL
from tests.hub.callers import Caller
from tests.hub.conftest import Device, Make


def report(sensor: dict[str, Any], samples: int = 7, first_us: int = 1_000, last_us: int = 2_000) -> dict[str, Any]:
    part = {"sensor_id": sensor["id"], "samples": samples, "first_us": first_us, "last_us": last_us}
    return {"report_id": str(uuid.uuid4()), "dropped": [part]}


async def dropped(owner: Caller, sensor: dict[str, Any]) -> int:
    return (await owner.get(f"/sensors/{sensor['id']}/ledger")).ok["dropped"]


class TestReport:
    async def test_only_edge_agents(self, anonymous: Caller, owner: Caller, sensor: Make, device: Device) -> None:
        made = await sensor()
        for caller in (anonymous, owner, device(made)):
            assert (await caller.post("/edge/dropped", report(made))).status == 401

    async def test_it_counts_once_however_often_it_comes(
        self, app: web.Application, owner: Caller, agent: Make, sensor: Make, device: Device, project: str
    ) -> None:
        edge, made, other = await agent(default=True), await sensor(), await sensor()
        told = report(made) | {"dropped": report(made)["dropped"] + report(other, 2)["dropped"]}
        for _ in range(2):
            assert (await device(edge).post("/edge/dropped", told)).status == 204
        assert (await device(edge).post("/edge/dropped", report(made, 5))).status == 204
        assert [await dropped(owner, one) for one in (made, other)] == [12, 2]
        facts = (await owner.get(f"/projects/{project}/audit?kind=edge_agent.samples_dropped")).ok["items"]
        assert [fact["details"] for fact in facts] == [{"sensors": 1, "samples": 5}, {"sensors": 2, "samples": 9}]
        assert {fact["subject_id"] for fact in facts} == {edge["id"]}
        await app[JOURNAL].flush()
        (entry,) = (await owner.get(f"/sensors/{made['id']}/journal")).ok["items"]
        assert (entry["kind"], entry["count"], entry["codes"]) == ("dropped", 12, {"spool-full": 12})

    async def test_a_deleted_sensor_counts_and_a_foreign_one_does_not(
        self, owner: Caller, agent: Make, sensor: Make, device: Device, project: str
    ) -> None:
        edge, made = await agent(), await sensor()
        elsewhere = (await owner.post("/projects", {"name": "elsewhere"})).ok["id"]
        fields = {"name": "s", "type": "voltage", "input_unit": "V", "display_unit": "V"}
        foreign = (await owner.post(f"/projects/{elsewhere}/sensors", fields)).ok
        await owner.delete(f"/sensors/{made['id']}")
        told = report(made) | {"dropped": report(made)["dropped"] + report(foreign)["dropped"]}
        assert (await device(edge).post("/edge/dropped", told)).status == 204
        assert await dropped(owner, foreign) == 0
        (fact,) = (await owner.get(f"/projects/{project}/audit?kind=edge_agent.samples_dropped")).ok["items"]
        assert fact["details"] == {"sensors": 1, "samples": 7}

    async def test_what_cannot_be(self, agent: Make, sensor: Make, device: Device) -> None:
        edge, made = await agent(), await sensor()
        for wrong in (report(made, 0), report(made, first_us=3, last_us=2), report(made) | {"dropped": []}):
            assert (await device(edge).post("/edge/dropped", wrong)).status == 422


async def test_a_capture_shows_what_was_dropped_in_its_time(
    owner: Caller, agent: Make, sensor: Make, run: Make, device: Device
) -> None:
    edge, made = await agent(default=True), await sensor()
    bound = await run(made)
    capture = (await owner.post(f"/runs/{bound['id']}/captures")).ok
    await owner.post(f"/captures/{capture['id']}/stop")
    before = report(made, 3)
    await device(edge).post("/edge/dropped", before)
    assert (await owner.get(f"/captures/{capture['id']}/ledger")).ok["dropped"] == 0
    await device(edge).post("/edge/dropped", report(made, 4, 1_000, 4_000_000_000_000_000))
    ledger = (await owner.get(f"/captures/{capture['id']}/ledger")).ok
    assert (ledger["dropped"], ledger["sensors"][0]["dropped"], ledger["received"]) == (4, 4, 0)
