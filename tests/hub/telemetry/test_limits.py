"""The limits of tokens: what is counted, who sets them, and that whoever waits as told is taken."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from hub.app import create_app
from hub.journal.service import JOURNAL
from hub.settings import Settings
from tests.hub.callers import Answer, Caller
from tests.hub.conftest import Device, HubServer, Make
from tests.hub.telemetry.conftest import Wait, send


def one_sample(t: float | None = None) -> dict[str, Any]:
    return {"samples": [{"t": time.time() if t is None else t, "v": 1.0}]}


def of(sensor: dict[str, Any], count: int, start: float | None = None) -> dict[str, Any]:
    """Make a series of an edge agent."""
    first = time.time() - 60 if start is None else start
    return {"sensor_id": sensor["id"], "t": [first + i * 0.001 for i in range(count)], "v": [1.0] * count}


async def until(status: int, sender: Caller, body: dict[str, Any]) -> Answer:
    """Send until the answer has this status."""
    async with asyncio.timeout(10):
        while (answer := await send(sender, body)).status != status:  # noqa: ASYNC110 - the condition is outside this loop
            await asyncio.sleep(0.01)
    return answer


@pytest.fixture
async def replica(settings: Settings) -> AsyncIterator[TestClient[web.Request, web.Application]]:
    """A second process on the same database and Valkey."""
    async with TestClient(HubServer(create_app(settings, frozenset({"api"})))) as client:
        yield client


class TestRequests:
    async def test_the_default_is_ten_at_once_and_one_in_ten_seconds(
        self, owner: Caller, sensor: Make, device: Device
    ) -> None:
        one = await sensor(limits={})
        assert one["limits"] == {"requests_per_s": 0.1, "burst": 10, "samples_per_s": 10_000.0}
        answers = [await send(device(one), one_sample()) for _ in range(12)]
        assert [answer.status for answer in answers] == [202] * 10 + [429] * 2
        refused = answers[-1]
        assert refused.code == "too-many-requests"
        assert 8 <= int(refused.headers["Retry-After"]) <= 10
        assert answers[0].headers["RateLimit-Policy"] == '"requests";q=10;w=100'

    async def test_who_waits_as_told_is_taken(self, sensor: Make, device: Device, stored: Wait) -> None:
        one = await sensor(limits={"requests_per_s": 2, "burst": 1})
        start = time.time()
        assert (await send(device(one), one_sample(start))).status == 202
        refused = await send(device(one), one_sample(start + 1))
        assert (refused.status, refused.headers["Retry-After"]) == (429, "1")
        await asyncio.sleep(int(refused.headers["Retry-After"]))
        assert (await send(device(one), one_sample(start + 1))).status == 202
        ledger = await stored(one)
        assert (ledger["received"], ledger["stored"]) == (2, 2), "a refused body is not received"

    async def test_what_is_no_packet_counts_too(self, sensor: Make, device: Device) -> None:
        one = await sensor(limits={"requests_per_s": 0.1, "burst": 2})
        assert [(await send(device(one), b"{")).status for _ in range(3)] == [400, 400, 429]

    async def test_samples_are_not_counted(self, sensor: Make, device: Device) -> None:
        one = await sensor(limits={"requests_per_s": 0.1, "burst": 5, "samples_per_s": 1})
        body = {"series": [{"t": [time.time() - i for i in range(1000)], "v": [0.0] * 1000}]}
        assert [(await send(device(one), body)).status for _ in range(2)] == [202, 202]

    async def test_processes_share(
        self, sensor: Make, device: Device, replica: TestClient[web.Request, web.Application]
    ) -> None:
        one = await sensor(limits={"requests_per_s": 0.1, "burst": 4})
        senders = [device(one), Caller(replica, one["token"])]
        statuses = [(await send(sender, one_sample())).status for _ in range(4) for sender in senders]
        assert statuses == [202] * 4 + [429] * 4

    async def test_another_token_of_the_sensor_brings_no_more(
        self, owner: Caller, sensor: Make, device: Device, db: Any, app: web.Application
    ) -> None:
        one = await sensor(limits={"requests_per_s": 0.1, "burst": 1})
        assert (await send(device(one), one_sample())).status == 202
        await db.execute(
            """
            update sensor
            set old_token_digest = token_digest, old_token_until = now() + interval '1 hour', token_digest = 'new'
            """
        )
        assert (await send(device(one), one_sample())).status == 429


class TestSamples:
    async def test_an_edge_agent_is_told_to_wait_and_loses_nothing(
        self, sensor: Make, agent: Make, device: Device, stored: Wait
    ) -> None:
        one, edge = await sensor(), await agent(default=True, limits={"samples_per_s": 1000})
        start = time.time() - 60
        first, second = ({"series": [of(one, 1400, start + n)]} for n in (0, 10))
        assert (await send(device(edge), first)).status == 202
        refused = await send(device(edge), second)
        assert (refused.status, refused.code, refused.headers["Retry-After"]) == (429, "too-many-samples", "1")
        assert "this edge agent" in refused.body["detail"]
        await asyncio.sleep(1)
        assert (await send(device(edge), second)).status == 202
        ledger = await stored(one)
        assert (ledger["received"], ledger["stored"]) == (2800, 2800)

    async def test_one_sensor_of_an_edge_agent(self, sensor: Make, agent: Make, device: Device) -> None:
        calm, wild = await sensor(), await sensor(limits={"samples_per_s": 50})
        edge = device(await agent(default=True))
        both = {"series": [of(calm, 100), of(wild, 100)]}
        assert (await send(edge, both)).status == 202
        refused = await send(edge, both)
        assert (refused.status, f"sensor {wild['id']}" in refused.body["detail"]) == (429, True)
        assert (await send(edge, {"series": [of(calm, 100)]})).status == 202
        assert (await until(202, edge, {"series": [of(wild, 1)]})).body["accepted"] == 1

    async def test_what_was_refused_costs_the_others_nothing(self, sensor: Make, agent: Make, device: Device) -> None:
        calm, wild = await sensor(limits={"samples_per_s": 150}), await sensor(limits={"samples_per_s": 0.1})
        edge = device(await agent(default=True))
        assert (await send(edge, {"series": [of(wild, 10)]})).status == 202
        for _ in range(5):
            assert (await send(edge, {"series": [of(calm, 100), of(wild, 1)]})).status == 429
        assert (await send(edge, {"series": [of(calm, 100)]})).status == 202

    async def test_processes_share(
        self, sensor: Make, agent: Make, device: Device, replica: TestClient[web.Request, web.Application]
    ) -> None:
        one, edge = await sensor(), await agent(default=True, limits={"samples_per_s": 100})
        assert (await send(device(edge), {"series": [of(one, 1000)]})).status == 202
        await until(429, Caller(replica, edge["token"]), {"series": [of(one, 1)]})


class TestJournal:
    async def test_who_was_limited_reads_why(
        self, owner: Caller, sensor: Make, agent: Make, device: Device, app: web.Application
    ) -> None:
        one, wild, calm = await sensor(limits={"burst": 1}), await sensor(limits={"samples_per_s": 1}), await sensor()
        assert [(await send(device(one), one_sample())).status for _ in range(3)] == [202, 429, 429]
        edge = device(await agent(default=True))
        statuses = [(await send(edge, {"series": [of(wild, 9), of(calm, 1)]})).status for _ in range(2)]
        assert statuses == [202, 429]
        await app[JOURNAL].flush()
        found = [(await owner.get(f"/sensors/{each['id']}/journal")).ok["items"] for each in (one, wild, calm)]
        assert [[(e["kind"], e["codes"]) for e in entries] for entries in found] == [
            [("rate_limited", {"too-many-requests": 2})],
            [("rate_limited", {"too-many-samples": 1})],
            [],
        ]

    async def test_an_edge_agent_that_is_limited_shows_on_each_sensor_that_waits(
        self, owner: Caller, sensor: Make, agent: Make, device: Device, app: web.Application
    ) -> None:
        ones, other = [await sensor(), await sensor()], await sensor()
        edge = device(await agent(default=True, limits={"samples_per_s": 1}))
        statuses = [(await send(edge, {"series": [of(one, 9) for one in ones]})).status for _ in range(2)]
        assert statuses == [202, 429]
        await app[JOURNAL].flush()
        found = [(await owner.get(f"/sensors/{each['id']}/journal")).ok["items"] for each in (*ones, other)]
        assert [len(entries) for entries in found] == [1, 1, 0]


class TestSetting:
    async def test_owners_only(self, owner: Caller, editor: Caller, sensor: Make, project: str) -> None:
        one = await sensor()
        change = {"limits": {"samples_per_s": 5}}
        refused = await editor.patch(f"/sensors/{one['id']}", change)
        assert (refused.status, refused.code) == (403, "role-too-low")
        new = {"name": "new", "type": "flow", "input_unit": "V", "display_unit": "l"}
        assert (await editor.post(f"/projects/{project}/sensors", new | change)).code == "role-too-low"
        assert (await editor.post(f"/projects/{project}/sensors", new)).ok["limits"]["samples_per_s"] == 10_000
        before = one["limits"]
        assert (await owner.patch(f"/sensors/{one['id']}", change)).ok["limits"] == before | {"samples_per_s": 5}
        assert (await editor.patch(f"/sensors/{one['id']}", {"name": "renamed"})).ok["limits"]["samples_per_s"] == 5
        trail = (await owner.get(f"/projects/{project}/audit?kind=sensor.updated&subject_id={one['id']}")).ok["items"]
        details = trail[-1]["details"]
        assert details["before"]["limits"]["samples_per_s"] == 10_000
        assert details["after"]["limits"]["samples_per_s"] == 5

    async def test_of_an_edge_agent(self, owner: Caller, agent: Make) -> None:
        edge = await agent()
        assert edge["limits"] == {"samples_per_s": 100_000}
        url = f"/edge-agents/{edge['id']}"
        assert (await owner.patch(url, {"limits": {"samples_per_s": 7}})).ok["limits"] == {"samples_per_s": 7}
        assert (await owner.patch(url, {"name": "other"})).ok["limits"] == {"samples_per_s": 7}

    @pytest.mark.parametrize("limits", [{"requests_per_s": 0}, {"burst": 0}, {"samples_per_s": -1}, {"burst": 1e12}])
    async def test_only_what_can_be(self, owner: Caller, sensor: Make, limits: dict[str, float]) -> None:
        assert (await owner.patch(f"/sensors/{(await sensor())['id']}", {"limits": limits})).status == 422

    async def test_a_change_counts_within_a_second(self, owner: Caller, sensor: Make, device: Device) -> None:
        one = await sensor(limits={"requests_per_s": 0.01, "burst": 1})
        assert [(await send(device(one), one_sample())).status for _ in range(2)] == [202, 429]
        await owner.patch(f"/sensors/{one['id']}", {"limits": {"requests_per_s": 1000, "burst": 1000}})
        began = time.monotonic()
        await until(202, device(one), one_sample())
        assert time.monotonic() - began < 2
