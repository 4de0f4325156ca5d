"""What edge agents tell about themselves, and who sees it."""

from typing import Any

from hub.kit.db import Tx
from tests.hub.callers import Caller
from tests.hub.conftest import Device, Make

REPORT = {"state": "buffering", "version": "0.1.0", "waiting": 128, "dropped": 7, "hub_problem": "HTTP 503"}


async def instances(caller: Caller, agent: dict[str, Any]) -> list[dict[str, Any]]:
    return (await caller.get(f"/edge-agents/{agent['id']}")).ok["instances"]


class TestReport:
    async def test_only_edge_agents(self, anonymous: Caller, owner: Caller, sensor: Make, device: Device) -> None:
        for caller in (anonymous, owner, device(await sensor())):
            assert (await caller.post("/edge/status", REPORT)).status == 401

    async def test_members_see_the_newest_of_each_instance(
        self, viewer: Caller, agent: Make, device: Device, project: str
    ) -> None:
        edge, other = await agent(), await agent()
        assert await instances(viewer, edge) == []
        for report in (REPORT | {"waiting": 5}, REPORT, {"state": "online", "instance": 2}):
            assert (await device(edge).post("/edge/status", report)).status == 204
        first, second = await instances(viewer, edge)
        assert {name: first[name] for name in REPORT} == REPORT
        assert (first["instance"], second["instance"], second["state"], second["waiting"]) == (0, 2, "online", 0)
        listed = (await viewer.get(f"/projects/{project}/edge-agents")).ok["items"]
        assert [(one["id"], len(one["instances"])) for one in listed] == [(edge["id"], 2), (other["id"], 0)]

    async def test_what_cannot_be(self, agent: Make, device: Device) -> None:
        edge = device(await agent())
        for wrong in ({}, {"state": "offline"}, REPORT | {"waiting": -1}, REPORT | {"instance": 100}):
            assert (await edge.post("/edge/status", wrong)).status == 422


class TestSilence:
    async def test_one_that_went_without_a_word_is_offline(
        self, viewer: Caller, agent: Make, device: Device, db: Tx
    ) -> None:
        edge = await agent()
        for report in (REPORT, {"state": "stopped", "instance": 1}):
            await device(edge).post("/edge/status", report)
        await db.execute("update edge_status set told_at = told_at - interval '29 seconds'")
        assert [one["state"] for one in await instances(viewer, edge)] == ["buffering", "stopped"]
        await db.execute("update edge_status set told_at = told_at - interval '2 seconds'")
        assert [one["state"] for one in await instances(viewer, edge)] == ["offline", "stopped"]

    async def test_a_deleted_agent_takes_it_along(self, owner: Caller, agent: Make, device: Device, db: Tx) -> None:
        edge = await agent()
        await device(edge).post("/edge/status", REPORT)
        await owner.delete(f"/edge-agents/{edge['id']}")
        assert await db.fetchval("select count(*) from edge_status") == 0
