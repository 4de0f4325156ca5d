"""Valkey's files lost under load: what is gone is counted, and nothing after it is skipped."""

import os
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import redis.asyncio

from hub.telemetry.stream import key_of
from tests.acceptance.journal import Journal, Sent, say, seeded
from tests.acceptance.load import Gateway, over_http
from tests.acceptance.system import System, eventually
from tests.closing import check_closes

pytestmark = pytest.mark.slow

GATEWAYS, SENSORS = 10, 40
HOUR_MS = 3_600_000


@pytest.fixture
async def system(tmp_path: Path) -> AsyncIterator[System]:
    running = System(tmp_path)
    try:
        await running.start()
        yield running
    finally:
        await running.stop()


@asynccontextmanager
async def load(system: System, journal: Journal, seed: int) -> AsyncIterator[None]:
    """Stream over HTTP while the body runs, and wait until all of it is in the table or lost."""
    bench = await system.bench("http", SENSORS)
    token, ids = bench.agent.token or "", bench.ids
    gateways = [Gateway(system.hub_urls, token, ids[i::GATEWAYS], journal, seed + i) for i in range(GATEWAYS)]
    async with over_http(gateways):
        await flowing(system, journal)
        yield
        await flowing(system, journal)
    await system.drained()


async def flowing(system: System, journal: Journal) -> None:
    """Wait until samples are acknowledged and stored that were not before."""
    acknowledged, stored = journal.acknowledged_count, await system.stored_count()

    async def more() -> bool:
        return journal.acknowledged_count > acknowledged + 500 and await system.stored_count() > stored

    await eventually(more, 60)


async def unstored(system: System, journal: Journal, samples: int) -> None:
    """Pause the writer until so many more samples are acknowledged: the stream alone holds them."""
    system.pause("writer")
    before = journal.acknowledged_count

    async def enough() -> bool:
        return journal.acknowledged_count > before + samples

    await eventually(enough, 60)


async def check(system: System, journal: Journal) -> Counter[str]:
    """Compare the table with the journal and the ledgers; returns how many samples of each sensor are lost."""
    stored, acknowledged = await system.stored(), journal.acknowledged()
    lost = Counter(sensor for sensor, _, _ in acknowledged - set(stored))
    sensors = sorted(journal.sensors())

    async def counted() -> bool:
        ledgers = await system.ledgers(sensors)
        return sum(ledger["lost"] for ledger in ledgers.values()) >= lost.total()

    await eventually(counted, 20)
    ledgers = await system.ledgers(sensors)
    check_closes(ledgers, stored, journal, lost)
    assert all((ledger["gaps"] > 0) == (lost[sensor] > 0) for sensor, ledger in ledgers.items())
    return lost


async def test_an_emptied_folder_costs_only_what_it_held_and_that_is_counted(system: System) -> None:
    seed, rng = seeded()
    journal = Journal()
    async with load(system, journal, seed):
        await unstored(system, journal, rng.randint(500, 1500))
        say("kill valkey, empty its folder")
        await system.kill("valkey")
        system.empty_valkeys_folder()
        await system.again("valkey")
        after = set(journal.packets)
        system.resume("writer")
        await eventually(lambda: enough_since(journal, after), 60)
    lost = await check(system, journal)
    assert lost.total() > 400
    await everything_since(system, journal, after)


async def test_a_cut_tail_and_a_clock_set_back_skip_nothing(system: System) -> None:
    """New ids lie an hour below the stored position.

    The server's clock is not ours to set, so its ids are set an hour ahead instead, and the cut takes that back: what
    comes after is numbered by the true clock.
    """
    seed, rng = seeded()
    journal = Journal()
    async with load(system, journal, seed):
        aof = system.newest_aof()
        size = aof.stat().st_size
        async with redis.asyncio.from_url(system.valkey.url) as stream:
            ahead = (await stream.time())[0] * 1000 + HOUR_MS
            await stream.execute_command("XSETID", key_of(0), f"{ahead}-0")
        await flowing(system, journal)
        await unstored(system, journal, rng.randint(500, 1500))
        say("kill valkey, cut its file")
        await system.kill("valkey")
        os.truncate(aof, size - rng.randint(1, 3000))
        await system.again("valkey")
        ((position,),) = await system.fetch("select last_id from stream_shard")
        assert int(position.partition("-")[0]) >= ahead
        after = set(journal.packets)
        system.resume("writer")
        await eventually(lambda: enough_since(journal, after), 60)
    lost = await check(system, journal)
    assert lost.total() > 400
    await everything_since(system, journal, after)


def since(journal: Journal, before: set[tuple[str, str, int]]) -> list[Sent]:
    """List the packets that were acknowledged and not yet sent when `before` had been."""
    return [packet for key, packet in journal.packets.items() if key not in before and packet.acknowledged]


async def enough_since(journal: Journal, before: set[tuple[str, str, int]]) -> bool:
    return len(since(journal, before)) >= SENSORS


async def everything_since(system: System, journal: Journal, before: set[tuple[str, str, int]]) -> None:
    """Check that every packet is stored that was acknowledged after these had been sent."""
    stored = set(await system.stored())
    assert all(sample in stored for packet in since(journal, before) for sample in packet.samples())
