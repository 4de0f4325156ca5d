"""A stream (in Redis) that reaches its bound: senders are told to wait, and nothing acknowledged is dropped."""

import asyncio
import time
from pathlib import Path

import aiohttp
import pytest

from tests.acceptance.journal import Journal, seeded
from tests.acceptance.load import Gateway, over_http
from tests.acceptance.system import System, eventually
from tests.closing import check_closes

pytestmark = pytest.mark.slow


async def test_a_full_stream_refuses_until_the_writer_has_caught_up(tmp_path: Path) -> None:
    seed, _ = seeded()
    system, journal = System(tmp_path, "redis", ETP_STREAM_MAX_BYTES=str(4 << 20)), Journal()
    try:
        await system.start()
        bench = await system.bench("http", 40)
        await system.kill("writer")
        token = bench.agent.token or ""
        gateways = [
            Gateway(system.hub_urls, token, bench.ids[i::4], journal, seed + i, period_us=1000) for i in range(4)
        ]
        async with over_http(gateways):

            async def refused() -> bool:
                return all(gateway.refusals.get(503) for gateway in gateways)

            async def stands_still() -> bool:
                # What the server holds for its clients counts too and comes and goes: near the bound a few get through.
                before = journal.acknowledged_count
                await asyncio.sleep(2.0)
                return journal.acknowledged_count == before

            await eventually(refused, 60)
            await eventually(stands_still, 60)
            held = journal.acknowledged_count
            assert await system.stored_count() == 0
            await _an_idle_sender_is_told_when_to_come_back(system, token, bench.ids[0])
            await system.again("writer")

            async def taken_again() -> bool:
                return journal.acknowledged_count > held + 1000

            await eventually(taken_again, 60)
        await system.drained()
        check_closes(await system.ledgers(bench.ids), await system.stored(), journal)
        assert journal.acknowledged() == journal.sent()
    finally:
        await system.stop()


async def _an_idle_sender_is_told_when_to_come_back(system: System, token: str, sensor: str) -> None:
    body = {"series": [{"sensor_id": sensor, "t": [time.time()], "v": [1.0]}]}
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{system.hub_url}/telemetry", json=body, headers=headers) as answer,
    ):
        problem = await answer.json()
        assert answer.status == 503
        assert answer.content_type == "application/problem+json"
        assert problem["type"].endswith("/stream-unavailable")
        assert int(answer.headers["Retry-After"]) > 0
