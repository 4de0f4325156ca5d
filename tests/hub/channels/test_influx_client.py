"""InfluxDB's own client for Python, unmodified: writing, retrying, and reading what it is refused for."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from influxdb_client import InfluxDBClient, Point
from influxdb_client.client.exceptions import InfluxDBError
from influxdb_client.client.write_api import SYNCHRONOUS, WriteOptions
from influxdb_client.rest import ApiException

from tests.hub.callers import Caller
from tests.hub.channels.conftest import SENSOR, Proposals, Wait

# Its generated parts still ask for calls that newer libraries deprecate.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
Using = Callable[[Callable[[InfluxDBClient], Any]], Awaitable[Any]]


@pytest.fixture
def using(client: TestClient[Any, Any], gateway: Caller) -> Using:
    """Let something be done with the client, which is not written with asyncio, in a thread."""

    def use(do: Callable[[InfluxDBClient], Any], token: str | None) -> Any:
        with InfluxDBClient(str(client.make_url("")).rstrip("/"), token=token, org="lab", timeout=10_000) as influx:
            return do(influx)

    async def run(do: Callable[[InfluxDBClient], Any], token: str | None = gateway.token) -> Any:
        return await asyncio.to_thread(use, do, token)

    return run


def points(count: int) -> list[Point]:
    start = time.time_ns() // 1_000_000_000 * 1_000_000_000
    return [Point("bath").tag("lab", "3").field("inlet", float(i)).time(start + i * 1_000_000) for i in range(count)]


async def test_it_finds_somebody_here(using: Using) -> None:
    assert await using(lambda influx: influx.ping())
    assert (await using(lambda influx: influx.health())).status == "pass"
    assert (await using(lambda influx: influx.version())).startswith("2.")


async def test_points_become_a_proposal_then_a_sensors_samples(
    using: Using, proposals: Proposals, owner: Caller, settled: Wait
) -> None:
    sent = points(30)
    await using(lambda influx: influx.write_api(write_options=SYNCHRONOUS).write("any", record=sent))
    found = await proposals()
    assert set(found) == {"bath,lab=3/inlet"}
    path = f"/proposals/{found['bath,lab=3/inlet']['id']}/accept"
    sensor = (await owner.post(path, {"sensor": SENSOR})).ok["sensor"]
    assert (await settled(sensor["id"], 30))["stored"] == 30


async def test_batches_with_gzip(client: TestClient[Any, Any], gateway: Caller, proposals: Proposals) -> None:
    def write() -> None:
        url = str(client.make_url("")).rstrip("/")
        with (
            InfluxDBClient(url, token=gateway.token, org="lab", enable_gzip=True) as influx,
            influx.write_api(write_options=WriteOptions(batch_size=7, flush_interval=50)) as writer,
        ):
            for point in points(50):
                writer.write("any", record=point)

    await asyncio.to_thread(write)
    assert (await proposals())["bath,lab=3/inlet"]["held"] == 50


async def test_it_reads_what_was_wrong(using: Using) -> None:
    with pytest.raises(ApiException) as unknown:
        await using(lambda influx: influx.write_api(write_options=SYNCHRONOUS).write("any", record="m v=1"), "etpe_no")
    assert unknown.value.status == 401

    def half_wrong(influx: InfluxDBClient) -> None:
        influx.write_api(write_options=SYNCHRONOUS).write("any", record=f"m v=1 {time.time_ns()}\nm v=one")

    with pytest.raises(ApiException) as refused:
        await using(half_wrong)
    assert refused.value.status == 400
    assert "line 2: 'one' is neither number nor boolean" in InfluxDBError(response=refused.value.response).message
