"""What the edge agent's benchmark sends, and how its sink counts."""

import gzip
from uuid import uuid4

import msgspec
from aiohttp.test_utils import TestClient, TestServer

from bench import edge_load
from bench.edge_sink import Seen, make
from contract.packets import decode


def test_messages_are_packets_that_nobody_refuses() -> None:
    plan = edge_load.Plan(0, [uuid4(), uuid4()], messages=10, samples=5)
    packet = decode(edge_load._body(plan, 7))
    assert (packet.count, packet.rejects, packet.series[0].seq) == (5, [], 3)


async def test_the_sink_counts_what_it_acknowledges() -> None:
    batch = {"batch_id": "b", "series": [{"v": [1.0, 2.0], "p": [1.0, 2.0]}, {"v": [3.0], "p": [None]}]}
    body = msgspec.json.encode(batch)
    async with TestClient(TestServer(make("agent", ["sensor"]))) as client:
        for sent in (body, gzip.compress(body)):
            answer = await client.post("/api/v1/telemetry", data=sent)
            assert (answer.status, await answer.json()) == (202, {"batch_id": "b", "accepted": 3})
        seen = msgspec.json.decode(await (await client.get("/seen")).read(), type=Seen)
        assert (seen.samples, seen.of_first, seen.first_s <= seen.last_s) == (6, 3, True)
        await client.delete("/seen")
        assert msgspec.json.decode(await (await client.get("/seen")).read(), type=Seen) == Seen()
