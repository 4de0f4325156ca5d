"""The database or the stream away: what is known goes on, and what may succeed later is a 503, never dropped."""

import asyncio
from typing import Any

import pytest
from influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import WriteOptions

from dev.postgres import Postgres
from dev.valkey import Valkey
from tests.hub.callers import Caller
from tests.hub.channels.conftest import SENSOR, Proposals, Wait, now_ns, write
from tests.hub.conftest import Make
from tests.hub.races import until

BOTH = ("/api/v2/write", "/write")


@pytest.fixture
def database_url(own_postgres: Postgres) -> str:
    """A database that this test may stop."""
    return own_postgres.url


@pytest.fixture
def valkey_url(own_valkey: Valkey) -> str:
    """A stream that this test may stop."""
    return own_valkey.url


async def test_known_channels_go_on_without_the_database(
    own_postgres: Postgres, gateway: Caller, proposals: Proposals, owner: Caller, settled: Wait
) -> None:
    t = now_ns()
    await write(gateway, f"m a=0,b=0,c=0 {t}")
    found = await proposals()
    sensor = (await owner.post(f"/proposals/{found['m/a']['id']}/accept", {"sensor": SENSOR})).ok["sensor"]
    await owner.post(f"/proposals/{found['m/c']['id']}/ignore")
    await write(gateway, f"m a=1 {t + 1_000_000}")
    await settled(sensor["id"], 2)
    await own_postgres.stop()
    try:
        for path in BOTH:
            assert (await write(gateway, f"m a=2,c=2 {t + 2_000_000}", path=path)).status == 204
            # What is known is taken even so; repeated, it is found to be a duplicate.
            for lines in (f"m a=3,b=3 {t + 3_000_000}", f"new v=1 {t}"):
                answer = await write(gateway, lines, path=path)
                assert (answer.status, answer.headers["Retry-After"]) == (503, "2")
                text: Any = answer.body
                assert "go on" in (text.get("message") or text["error"])
            unknown = await Caller(gateway.client, "etpe_unknown").call("POST", path, b"m v=1")
            assert (unknown.status, unknown.headers["Retry-After"]) == (503, "2"), "nobody knows this token now"
        for answer in (
            await gateway.post("/senml", [{"n": "x", "v": 1}], Content_Type="application/senml+json"),
            await gateway.post(f"/{gateway.token}/telemetry", {"x": 1}),
        ):
            assert (answer.status, answer.headers["Retry-After"]) == (503, "2")
    finally:
        await own_postgres.start()

    async def taken() -> bool:
        return (await write(gateway, f"m a=3,b=3 {t + 3_000_000}")).status == 204

    await until(taken, within_s=20)
    ledger = await settled(sensor["id"], 7)
    assert (ledger["stored"], ledger["received"]) == (4, 4 + ledger["duplicates"])


@pytest.mark.parametrize("path", BOTH)
async def test_without_the_stream_nothing_is_taken(
    own_valkey: Valkey, sensor: Make, gateway: Caller, proposals: Proposals, owner: Caller, path: str, settled: Wait
) -> None:
    await write(gateway, f"m v=0 {now_ns()}")
    proposal = (await proposals())["m/v"]
    sensor_id = (await owner.post(f"/proposals/{proposal['id']}/accept", {"sensor": SENSOR})).ok["sensor"]["id"]
    await settled(sensor_id)
    await own_valkey.stop()
    line = f"m v=1 {now_ns()}"
    try:
        answer = await write(gateway, line, path=path)
        assert (answer.status, answer.headers["Retry-After"]) == (503, "2")
    finally:
        await own_valkey.start()

    async def taken() -> bool:
        return (await write(gateway, line, path=path)).status == 204

    await until(taken, within_s=20)
    assert (await settled(sensor_id, 2))["stored"] == 2


async def test_what_was_accepted_while_the_stream_is_away_follows(
    own_valkey: Valkey, gateway: Caller, proposals: Proposals, owner: Caller, settled: Wait
) -> None:
    for i in range(5):
        await write(gateway, f"m v={i} {now_ns() + i * 1_000_000}")
    proposal = (await proposals())["m/v"]
    await own_valkey.stop()
    try:
        sensor = (await owner.post(f"/proposals/{proposal['id']}/accept", {"sensor": SENSOR})).ok["sensor"]
        assert (await proposals("bound"))["m/v"]["held"] == 5
    finally:
        await own_valkey.start()
    ledger = await settled(sensor["id"], 5)
    assert (ledger["received"], ledger["stored"], ledger["duplicates"]) == (5, 5, 0)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
async def test_influxdbs_own_client_sends_again(
    own_valkey: Valkey, gateway: Caller, proposals: Proposals, owner: Caller, settled: Wait
) -> None:
    t = now_ns()
    await write(gateway, f"bath inlet=0 {t}")
    proposal = (await proposals())["bath/inlet"]
    sensor = (await owner.post(f"/proposals/{proposal['id']}/accept", {"sensor": SENSOR})).ok["sensor"]
    await settled(sensor["id"])
    url, failures = str(gateway.client.make_url("")).rstrip("/"), list[str]()

    def send() -> None:
        options = WriteOptions(batch_size=10, flush_interval=20, retry_interval=50, max_retries=50)
        with (
            InfluxDBClient(url, token=gateway.token, org="lab") as influx,
            influx.write_api(
                write_options=options, retry_callback=lambda _conf, _data, error: failures.append(error.message)
            ) as writer,
        ):
            writer.write("any", record=[f"bath inlet={i} {t + i * 1_000_000}" for i in range(1, 11)])

    await own_valkey.stop()
    sending = asyncio.create_task(asyncio.to_thread(send))

    async def refused() -> bool:
        return len(failures) > 0

    try:
        await until(refused, within_s=20)
    finally:
        await own_valkey.start()
        await sending
    assert "cannot be made durable now" in failures[0]
    assert (await settled(sensor["id"], 11))["stored"] == 11
