from uuid import uuid4

import aiomqtt
import pytest

from edge.settings import EdgeSettings
from tests.edge.parts import SENSOR_TOKEN, TOKEN, Agent, Deployed, Device, Embedded, PeerHub


@pytest.fixture
async def hub():
    peer = PeerHub()
    await peer.start()
    yield peer
    await peer.stop()


@pytest.fixture
async def broker(request, tmp_path):
    """The deployed broker, or by indirect parameter the embedded one."""
    folder = tmp_path / "broker"
    running = {"mosquitto": Deployed, "embedded": Embedded}[getattr(request, "param", "mosquitto")](folder)
    await running.start()
    yield running
    await running.stop()


@pytest.fixture
async def agent(hub, broker, tmp_path):
    settings = EdgeSettings(
        _env_file=None,
        edge_agent_id=uuid4(),
        edge_token=TOKEN,
        edge_dir=tmp_path / "edge",
        hub_url=hub.url,
        mqtt_url=f"mqtt://127.0.0.1:{broker.port}",
        edge_backoff_max_s=0.2,
        edge_config_interval_s=0.05,
        edge_status_interval_s=0.1,
        edge_linger_ms=10,
        edge_request_timeout_s=5,
    )
    await broker.admit("agent", settings.edge_agent_id)
    agent = Agent(settings, broker)
    yield agent
    await agent.end()


@pytest.fixture
async def device(broker):
    sensor_id = uuid4()
    await broker.admit("sensor", sensor_id)
    identity = str(sensor_id)
    async with aiomqtt.Client(
        "127.0.0.1", broker.port, username=identity, password=SENSOR_TOKEN, identifier=identity
    ) as client:
        client.pending_calls_threshold = 10_000
        yield Device(client, sensor_id)
