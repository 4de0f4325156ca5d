"""Why a sample is refused: said alike over HTTP and, through an edge agent, over MQTT."""

import time
from collections import Counter
from typing import Any
from uuid import UUID

import msgspec
import orjson
import pytest
from aiohttp import web

from edge import unreadable as edge_unreadable
from edge.entries import Taken, to_entries
from edge.parse import Unreadable, parse
from hub.journal.service import JOURNAL
from tests.hub.callers import Caller
from tests.hub.conftest import Device, Make
from tests.hub.telemetry.conftest import Wait, send

FOREIGN = "0d9cf9c2-4a52-4a49-9d0b-2a39c1d0b6a1"
NOW = round(time.time(), 3)
FAULTS: list[list[Any]] = [
    [{"t": NOW, "v": "warm"}],
    [{"t": NOW, "v": None}],
    [{"t": NOW, "v": True}],
    [{"v": 1}, {"v": 2}],
    [{"t": "yesterday", "v": 1}],
    [{"t": "2026-11-23T08:00:00", "v": 1}],
    [{"t": NOW, "v": 1, "meta": 5}],
    [{"t": NOW, "v": [1, 2]}],
    [{"t": NOW, "v": [1, "x"]}],
    [{"t": 32503680000, "v": 1}],
    [17],
]
TOO_LARGE = b'{"samples":[{"t":%f,"v":1e999}]}' % NOW
BODIES = [b'{"samples":[{"t":1,"v":NaN}]}', b"garbage", b"[1]", b'{"samples":1}', b"\xff"]


async def journal_of(app: web.Application, owner: Caller, sensor: dict[str, Any]) -> Counter[tuple[str, str]]:
    """Count what a sensor's journal holds, by kind and code."""
    await app[JOURNAL].flush()
    counts = Counter[tuple[str, str]]()
    for entry in (await owner.get(f"/sensors/{sensor['id']}/journal")).ok["items"]:
        for code, count in entry["codes"].items():
            counts[entry["kind"], code] += count
    return counts


def through_an_agent(sensor: dict[str, Any], bodies: list[bytes]) -> dict[str, Any]:
    """Make the batch that an edge agent makes of a sensor's messages."""
    now_us = time.time_ns() // 1000
    sensor_id = UUID(sensor["id"])
    taken = [Taken(sensor_id, reading, ()) for body in bodies for reading in parse(body, sensor_id, now_us)]
    return {"batch_id": "one", "series": [orjson.loads(entry.body) for entry in to_entries(taken)]}


def said(rejected: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return codes and details."""
    return [(reject["code"], reject["detail"]) for reject in rejected]


async def test_of_samples(
    app: web.Application, owner: Caller, agent: Make, sensor: Make, device: Device, stored: Wait
) -> None:
    edge = await agent(default=True)
    direct, buffered = [await sensor(limits={"requests_per_s": 100, "burst": 100}) for _ in range(2)]
    bodies = [TOO_LARGE, *(orjson.dumps({"samples": samples}) for samples in FAULTS)]
    answers = [await send(device(direct), body) for body in bodies]
    batch = await send(device(edge), through_an_agent(buffered, bodies))
    assert [answer.status for answer in [*answers, batch]] == [422] * (len(bodies) + 1)
    by_series = [
        [reject for reject in batch.body["rejected"] if reject["series"] == place] for place in range(len(bodies))
    ]
    assert [said(answer.body["rejected"]) for answer in answers] == [said(rejected) for rejected in by_series]
    assert await stored(direct) == await stored(buffered)
    journals = [await journal_of(app, owner, one) for one in (direct, buffered)]
    assert journals[0] == journals[1]
    assert journals[0]["rejected", "time-missing"] == 2


async def test_of_another_sensor(owner: Caller, agent: Make, sensor: Make, device: Device) -> None:
    edge, made = await agent(default=True), await sensor()
    body = orjson.dumps({"sensor_id": FOREIGN, "samples": [{"t": NOW, "v": 1}]})
    direct = await send(device(made), body)
    buffered = await send(device(edge), through_an_agent(made, [body]))
    assert said(direct.body["rejected"]) == said(buffered.body["rejected"])


async def test_of_whole_bodies(app: web.Application, owner: Caller, agent: Make, sensor: Make, device: Device) -> None:
    edge = await agent(default=True)
    direct, buffered = await sensor(), await sensor()
    parts: list[edge_unreadable.Unreadable] = []
    for body in BODIES:
        answer = await send(device(direct), body)
        with pytest.raises(Unreadable) as caught:
            parse(body, UUID(buffered["id"]), 0)
        code, detail = caught.value.code, str(caught.value)
        assert code == answer.code
        parts.append(edge_unreadable.Unreadable(UUID(buffered["id"]), code, 1, detail))
    told = orjson.loads(msgspec.json.encode(edge_unreadable.Report(UUID(FOREIGN), parts)))
    assert (await device(edge).post("/edge/unreadable", told)).status == 204
    journals = [await journal_of(app, owner, one) for one in (direct, buffered)]
    assert journals[0] == journals[1]
    assert journals[0] == {("packet_refused", "telemetry-broken"): 3, ("packet_refused", "invalid-payload"): 2}
