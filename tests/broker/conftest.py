import contextlib

import pytest

from broker.embedded import EmbeddedBroker
from broker.hub_accounts import HubAccounts
from broker.settings import BrokerSettings
from tests.broker.either import Deployed, Embedded
from tests.broker.parts import Client, PeerHub


@pytest.fixture
async def hub():
    peer = PeerHub()
    await peer.start()
    yield peer
    await peer.stop()


@pytest.fixture
def serve(hub):
    """Run a broker of a class, with settings, in this process."""

    @contextlib.asynccontextmanager
    async def serve(kind=EmbeddedBroker, **settings):
        given = {"mqtt_port": 0, "hub_url": hub.url, "broker_grace_s": 0, "broker_recheck_s": 0.3, **settings}
        known = BrokerSettings(_env_file=None, **given)
        async with HubAccounts(known.hub, timeout_s=1.0, recheck_s=known.broker_recheck_s) as accounts:
            broker = kind(known, accounts)
            await broker.start()
            try:
                yield broker
            finally:
                await broker.shutdown()

    return serve


@pytest.fixture
async def broker(serve):
    async with serve() as running:
        yield running


@pytest.fixture
async def enter():
    """Connect clients that are closed when the test ends."""
    clients = []

    async def enter(broker, login, **options):
        client = await Client.connect(broker.port, login.id, options.pop("token", login.token), **options)
        clients.append(client)
        return client

    yield enter
    for client in clients:
        await client.vanish()


@pytest.fixture
async def deployed(hub, tmp_path):
    """Mosquitto."""
    broker = Deployed(hub, tmp_path / "mosquitto")
    await broker.mosquitto.start()
    yield broker
    await broker.mosquitto.stop()


@pytest.fixture(params=["embedded", "mosquitto"])
async def either(request, hub, serve, tmp_path):
    """Each of the two brokers, told of the peer hub's accounts by `follow`."""
    if request.param == "embedded":
        async with serve() as running:
            yield Embedded(running)
        return
    broker = Deployed(hub, tmp_path / "mosquitto")
    await broker.mosquitto.start()
    yield broker
    await broker.mosquitto.stop()


@pytest.fixture
def join(enter):
    """Connect a client once the broker knows everybody whom the hub knows."""

    async def join(broker, login, **options):
        await broker.follow()
        return await enter(broker, login, **options)

    return join
