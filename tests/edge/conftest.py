from uuid import uuid4

import aiomqtt
import pytest

from edge.settings import EdgeSettings
from tests.edge.parts import TOKEN, Device, Mosquitto, PeerHub


@pytest.fixture
async def hub():
    peer = PeerHub()
    await peer.start()
    yield peer
    await peer.stop()


@pytest.fixture
async def broker(tmp_path):
    folder = tmp_path / "broker"
    folder.mkdir()
    mosquitto = Mosquitto(folder)
    await mosquitto.start()
    yield mosquitto
    await mosquitto.stop()


@pytest.fixture
def settings(hub, broker, tmp_path):
    return EdgeSettings(
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


@pytest.fixture
async def device(broker):
    async with aiomqtt.Client("127.0.0.1", broker.port) as client:
        client.pending_calls_threshold = 10_000
        yield Device(client)
