"""The limits of tokens hold for foreign formats, told in the way that their clients send again after."""

import asyncio
from typing import Any

import pytest
from aiohttp import web

from hub.journal.service import JOURNAL
from tests.hub.callers import Caller
from tests.hub.channels.conftest import SENSOR, Proposals, Wait, now_ns, write
from tests.hub.conftest import Device, Make

VERSIONS = pytest.mark.parametrize(("path", "status"), [("/api/v2/write", 429), ("/write", 503)])


@VERSIONS
async def test_requests_of_a_sensor(
    sensor: Make, device: Device, owner: Caller, app: web.Application, path: str, status: int
) -> None:
    one = await sensor(limits={"requests_per_s": 0.1, "burst": 1})
    answers = [await write(device(one), f"m v=1 {now_ns()}", path=path) for _ in range(2)]
    assert [answer.status for answer in answers] == [204, status]
    assert 8 <= int(answers[1].headers["Retry-After"]) <= 10
    await app[JOURNAL].flush()
    entries = (await owner.get(f"/sensors/{one['id']}/journal")).ok["items"]
    assert [entry["codes"] for entry in entries] == [{"too-many-requests": 1}]


async def test_all_formats_count_the_same_requests(sensor: Make, device: Device) -> None:
    one = await sensor(limits={"requests_per_s": 0.1, "burst": 2})
    sender = device(one)
    senml: list[dict[str, Any]] = [{"n": "a", "v": 1.0}]
    assert (await sender.call("POST", "/api/v1/senml", senml)).status == 202
    assert (await sender.call("POST", "/telemetry", {"samples": []})).status == 202
    assert (await sender.call("POST", "/api/v1/senml", senml)).status == 429
    assert (await sender.call("POST", f"/api/v1/{one['token']}/telemetry", {"a": 1})).status == 429


@VERSIONS
async def test_samples_of_an_edge_agent(
    owner: Caller, agent: Make, device: Device, proposals: Proposals, settled: Wait, path: str, status: int
) -> None:
    gateway = device(await agent(limits={"samples_per_s": 200}))
    await write(gateway, f"bath inlet=0 {now_ns()}", path=path)
    proposal = (await proposals())["bath/inlet"]
    made = (await owner.post(f"/proposals/{proposal['id']}/accept", {"sensor": SENSOR})).ok["sensor"]
    start = now_ns() - 10**10
    first, second = ([f"bath inlet={i} {at + i * 10**6}" for i in range(300)] for at in (start, start + 10**9))
    assert (await write(gateway, *first, path=path)).status == 204
    refused = await write(gateway, *second, path=path)
    assert (refused.status, refused.headers["Retry-After"]) == (status, "1")
    await _until_taken(gateway, second, path)
    assert (await settled(made["id"], 601))["stored"] == 601


async def _until_taken(gateway: Caller, lines: list[str], path: str) -> None:
    async with asyncio.timeout(10):
        while (await write(gateway, *lines, path=path)).status != 204:  # noqa: ASYNC110 - the hub's bucket is waited for
            await asyncio.sleep(0.05)
