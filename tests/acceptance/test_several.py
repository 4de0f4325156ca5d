"""Several writer and api processes at once, on Redis: shards move under load, and clients may ask any api."""

import asyncio
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from dev.ports import free_port
from tests.acceptance.journal import Journal, say, seeded
from tests.acceptance.load import Gateway, over_http
from tests.acceptance.system import System, eventually
from tests.closing import check_closes
from tests.services import run

pytestmark = pytest.mark.slow

SHARDS, SENSORS, GATEWAYS = 4, 40, 8
WRITERS, APIS = ("writer a", "writer b"), ("api", "api b")
HELD = """
select here.objid::bigint, array_remove(array_agg(turn.objid::int order by turn.objid), null)
from pg_locks here
left join pg_locks turn on turn.pid = here.pid and turn.locktype = 'advisory' and turn.classid = 7501
where here.locktype = 'advisory' and here.classid = 7502
group by here.objid
"""


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    started = System(tmp_path_factory.mktemp("several"), "redis", ETP_STREAM_SHARDS=str(SHARDS))
    try:
        run(started.start(WRITERS, APIS))
        yield started
    finally:
        run(started.stop())


async def held(system: System) -> dict[int, list[int]]:
    """Return the shards that each writer process holds."""
    return dict(map(tuple, await system.fetch(HELD)))


async def shared(system: System) -> bool:
    return sorted(len(shards) for shards in (await held(system)).values()) == [2, 2]


async def test_shards_move_under_load(system: System) -> None:
    seed, rng = seeded()
    journal = Journal()
    bench = await system.bench("several", SENSORS)
    token = bench.agent.token or ""
    gateways = [
        Gateway(system.hub_urls, token, bench.ids[i::GATEWAYS], journal, seed + i, repeats=0.1) for i in range(GATEWAYS)
    ]

    async def every_shard_goes_on(within_s: float) -> None:
        before = dict(map(tuple, await system.fetch("select shard, last_id from stream_shard")))

        async def moved() -> bool:
            now = await system.fetch("select shard, last_id from stream_shard")
            return all(before[shard] != last_id for shard, last_id in now)

        await eventually(moved, within_s)

    async with over_http(gateways):
        await eventually(lambda: shared(system), 30)
        killed, writer = rng.sample(WRITERS, 2)
        say(f"kill {killed}")
        await system.kill(killed)
        await every_shard_goes_on(10)
        await system.again(killed)
        await eventually(lambda: shared(system), 30)
        say(f"pause {writer}")
        system.pause(writer)
        try:
            # Were it paused in its transaction, the database would end that first.
            await every_shard_goes_on(15)
        finally:
            system.resume(writer)
        await eventually(lambda: shared(system), 30)
        say(f"kill {APIS[1]}")
        await system.kill(APIS[1])
        await asyncio.sleep(0.5)
        await system.again(APIS[1])
        await system.ready(APIS[1], system.http_ports[1])
        await every_shard_goes_on(10)
    await system.drained()
    check_closes(await system.ledgers(bench.ids), await system.stored(), journal)
    assert len(await system.fetch("select distinct sensor_no % 4 from sensor_ledger where stored > 0")) == SHARDS


async def test_a_batch_is_the_same_batch_at_every_api(system: System) -> None:
    bench = await system.bench("batches", 1)
    headers = {"Authorization": f"Bearer {bench.agent.token}"}
    body = {"batch_id": "one", "sensor_id": bench.ids[0], "samples": [{"v": 1.0}]}
    answers: list[tuple[int, int]] = []
    async with aiohttp.ClientSession() as session:

        async def post(url: str) -> None:
            async with session.post(f"{url}/telemetry", json=body, headers=headers) as answer:
                assert answer.status == 202
                receipt = await answer.json()
                answers.append((receipt["accepted"], receipt["duplicates"]))

        await asyncio.gather(*(post(url) for url in system.hub_urls * 5))
    assert Counter(answers) == {(1, 0): 1, (0, 1): 9}
    await system.drained()
    ledger = (await system.ledgers(bench.ids))[bench.ids[0]]
    assert (ledger["received"], ledger["stored"], ledger["duplicates"]) == (10, 1, 9)


async def test_the_number_of_shards_changes_without_a_loss(system: System, tmp_path: Path) -> None:
    """Senders go on; they are told to wait until every hub knows the new number."""
    seed, _ = seeded()
    journal = Journal()
    bench = await system.bench("reshard", SENSORS)
    token = bench.agent.token or ""
    gateways = [Gateway(system.hub_urls, token, bench.ids[i::4], journal, seed + i) for i in range(4)]
    async with over_http(gateways):
        await asyncio.sleep(1.0)
        say("reshard")
        done = await asyncio.to_thread(etp, system, "admin", "reshard", "2", shards=SHARDS)
        assert (done.returncode, done.stdout.splitlines()[0]) == (0, "There were 4 shards, now there are 2.")
        refused = await asyncio.to_thread(etp, system, "hub", "--roles", "api", shards=SHARDS)
        assert refused.returncode == 2
        assert "set it to 2" in refused.stderr
        waiting = journal.acknowledged_count
        await asyncio.sleep(0.5)
        assert journal.acknowledged_count == waiting
        for name in (*WRITERS, *APIS):
            await system.programs[name].stop()
            system.set(name, ETP_STREAM_SHARDS="2")
            await system.again(name)

        async def taken_again() -> bool:
            return journal.acknowledged_count > waiting + 1000

        await eventually(taken_again, 30)
    assert all(gateway.refusals.get(503) for gateway in gateways)
    await system.drained()
    mine = set(bench.ids)
    check_closes(await system.ledgers(bench.ids), [one for one in await system.stored() if one[0] in mine], journal)


def etp(system: System, *arguments: str, shards: int) -> "subprocess.CompletedProcess[str]":
    """Run the operator's command as a process of its own."""
    env = system.env | {"ETP_STREAM_SHARDS": str(shards), "ETP_HTTP_PORT": str(free_port())}
    return subprocess.run(
        [sys.executable, "-m", "cli", *arguments], env=env, capture_output=True, text=True, timeout=60, check=False
    )
