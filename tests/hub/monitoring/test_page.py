"""What Prometheus reads adds up at every moment, and tells what is away."""

import asyncio
import time
import uuid
from collections.abc import Iterable
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from hub.monitoring import page
from hub.settings import Role, Settings
from tests.hub.callers import Caller
from tests.hub.conftest import Device, HubServer, Make

COUNTS = ("stored", "duplicates", "rejected")


class Page:
    """A page that was read: values by name and labels."""

    def __init__(self, text: str) -> None:
        families: Iterable[Metric] = text_string_to_metric_families(text)
        self.values = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in families
            for sample in family.samples
        }
        self.names = {name for name, _ in self.values}

    def __call__(self, metric: str, **labels: str) -> float:
        """Return one value."""
        return self.values[metric, frozenset(labels.items())]

    def adds_up(self, **labels: str) -> bool:
        """Tell whether received = stored + duplicates + rejected + pending."""
        parts = sum(self(f"etp_samples_{name}_total", **labels) for name in COUNTS)
        return self("etp_samples_received_total", **labels) == parts + self("etp_samples_pending", **labels)


async def read(anyone: Caller) -> Page:
    answer = await anyone.get("/metrics")
    assert answer.status == 200
    return Page(answer.body.decode())


@pytest.fixture(autouse=True)
def _read_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests ask oftener than once a second; that a page is kept so long has a test of its own."""
    monkeypatch.setattr(page, "KEEP_S", 0.0)


async def send(device: Caller, times: list[float]) -> None:
    assert (await device.post("/telemetry", {"samples": [{"t": t, "v": 1.5} for t in times]})).ok


class TestSamples:
    @pytest.fixture
    def roles(self) -> frozenset[Role]:
        return frozenset({"api", "writer", "live"})

    async def test_the_counts_add_up_while_samples_arrive(
        self, anonymous: Caller, project: str, sensor: Make, device: Device
    ) -> None:
        thing = device(await sensor())
        begin = time.time() - 60
        seen: set[float] = set()

        async def stream() -> None:
            for i in range(40):
                await send(thing, [begin + i, begin + i + 0.5, begin + i])
                await asyncio.sleep(0.01)

        streaming = asyncio.create_task(stream())
        while not streaming.done():
            now = await read(anonymous)
            assert now.adds_up(project_id=project)
            seen.add(now("etp_samples_pending", project_id=project))
        await streaming
        async with asyncio.timeout(20):
            while (await read(anonymous))("etp_samples_pending", project_id=project):
                pass
        last = await read(anonymous)
        assert [last(f"etp_samples_{name}_total", project_id=project) for name in ("received", *COUNTS)] == [
            120,
            80,
            40,
            0,
        ]
        assert len(seen) > 1, "something was pending now and then"
        assert last("etp_writer_samples_total", shard="0") == 120
        assert last("etp_writer_transaction_seconds_count", shard="0") >= 1
        assert last("etp_sensors", project_id=project, state="online") == 1
        assert last("etp_live_viewers") == 0
        assert {"etp_samples_late_total", "etp_samples_lost_total", "process_resident_memory_bytes"} <= last.names

    async def test_what_did_not_come_is_told(
        self, anonymous: Caller, project: str, sensor: Make, agent: Make, device: Device
    ) -> None:
        made, other, edge = await sensor(), await sensor(), device(await agent(default=True))
        now = time.time()
        for thing, seq in ((made, 3), (made, 7), (other, 1), (other, 3)):
            body = {"seq": seq, "samples": [{"t": now + seq, "v": 1.5}]}
            assert (await device(thing).post("/telemetry", body)).ok
        wrong = {"sensor_id": made["id"], "t": [now], "v": [1.0], "p": [4.0], "profile_version": 1}
        assert (await edge.post("/telemetry", {"series": [wrong]})).ok
        part = {"sensor_id": other["id"], "samples": 4, "first_us": 1, "last_us": 2}
        told = {"report_id": str(uuid.uuid4()), "dropped": [part]}
        assert (await edge.post("/edge/dropped", told)).status == 204
        async with asyncio.timeout(20):
            while (page := await read(anonymous))("etp_samples_stored_total", project_id=project) < 5:
                pass
        assert page("etp_packets_sent_total", project_id=project) == 5 + 3
        assert page("etp_packets_missing", project_id=project) == 3 + 1
        assert page("etp_samples_dropped_total", project_id=project) == 4
        assert page("etp_samples_differing_total", project_id=project) == 1


class TestLag:
    """Nobody stores: what is sent waits in the stream."""

    async def test_what_waits_is_told(self, anonymous: Caller, project: str, sensor: Make, device: Device) -> None:
        thing = device(await sensor())
        assert (await read(anonymous))("etp_stream_lag_entries", shard="0") == 0
        await send(thing, [time.time(), time.time() - 1])
        await send(thing, [time.time()])
        now = await read(anonymous)
        assert now("etp_stream_lag_entries", shard="0") == 2
        assert now("etp_stream_lag_samples", shard="0") == now("etp_samples_pending", project_id=project) == 3
        assert now("etp_stream_lag_bytes", shard="0") > 3 * 25
        assert 0 < now("etp_stream_lag_seconds", shard="0") < 60
        assert now("etp_stream_lag_whole", shard="0") == 1
        assert now("etp_appender_queue_entries", shard="0") == 0
        assert now.adds_up(project_id=project)


class TestBySensor:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"metrics_by_sensor": True})

    async def test_each_sensor_has_its_own(self, anonymous: Caller, project: str, sensor: Make, device: Device) -> None:
        one, other = await sensor(), await sensor()
        await send(device(one), [time.time()])
        now = await read(anonymous)
        for thing, pending in ((one, 1), (other, 0)):
            labels = {"project_id": project, "sensor_id": thing["id"]}
            assert now("etp_samples_pending", **labels) == pending
            assert now.adds_up(**labels)


class TestRequests:
    async def test_routes_are_counted_by_their_pattern(self, anonymous: Caller, owner: Caller, sensor: Make) -> None:
        thing = await sensor()
        for _ in range(3):
            assert (await owner.get(f"/sensors/{thing['id']}")).ok
        assert (await anonymous.get(f"/sensors/{thing['id']}")).status == 401
        await anonymous.call("BREW", "/api/v1/coffee")
        now = await read(anonymous)
        route = {"method": "GET", "route": "/api/v1/sensors/{sensor_id}"}
        assert now("etp_http_requests_total", status="200", **route) == 3
        assert now("etp_http_requests_total", status="401", **route) == 1
        assert now("etp_http_request_seconds_count", **route) == 4
        assert not any("coffee" in value or value == "BREW" for _, labels in now.values for _, value in labels)


class TestCaptures:
    async def test_counts_and_lengths(self, anonymous: Caller, owner: Caller, run: Make, sensor: Make) -> None:
        running = await run(await sensor())
        capture = (await owner.post(f"/runs/{running['id']}/captures", {})).ok
        assert (await read(anonymous))("etp_captures", status="running") == 1
        assert (await read(anonymous))("etp_capture_longest_running_seconds") > 0
        assert (await owner.post(f"/captures/{capture['id']}/stop")).ok
        now = await read(anonymous)
        assert now("etp_captures", status="finished") == 1
        assert now("etp_capture_seconds_bucket", status="finished", le="10.0") == 1
        assert 0 < now("etp_capture_seconds_sum", status="finished") < 10


class TestAway:
    @pytest.fixture
    def settings(self, settings: Settings, free_port: int) -> Settings:
        return settings.model_copy(update={"database_url": f"postgresql://etp@127.0.0.1:{free_port}/etp"})

    async def test_without_the_database(self, anonymous: Caller) -> None:
        now = await read(anonymous)
        assert (now("etp_database_up"), now("etp_stream_up")) == (0, 1)
        assert "etp_samples_stored_total" not in now.names
        assert {"etp_stream_lag_entries", "etp_appender_queue_entries", "etp_worker_running"} <= now.names


class TestStreamAway:
    @pytest.fixture
    def settings(self, settings: Settings, free_port: int) -> Settings:
        return settings.model_copy(update={"redis_url": f"redis://127.0.0.1:{free_port}/0"})

    async def test_without_the_stream_nothing_is_guessed(self, app: web.Application, project: str) -> None:
        async with TestClient(HubServer(app)) as client:
            now = await read(Caller(client))
        assert (now("etp_database_up"), now("etp_stream_up")) == (1, 0)
        assert not {"etp_samples_pending", "etp_samples_received_total", "etp_stream_lag_entries"} & now.names


class TestOften:
    @pytest.fixture
    async def asked(self, monkeypatch: pytest.MonkeyPatch) -> list[int]:
        monkeypatch.setattr(page, "KEEP_S", 60.0)
        asked: list[int] = []
        ask: Any = page.Ledgers.read

        async def counting(ledgers: page.Ledgers) -> Any:
            asked.append(1)
            return await ask(ledgers)

        monkeypatch.setattr(page.Ledgers, "read", counting)
        return asked

    async def test_many_readers_ask_the_database_once(self, anonymous: Caller, asked: list[int]) -> None:
        pages = await asyncio.gather(*(read(anonymous) for _ in range(20)))
        assert all(one("etp_database_up") == 1 for one in pages)
        assert len(asked) == 1
