import contextlib

import pytest

from broker.embedded import EmbeddedBroker
from broker.hub_accounts import HubAccounts
from broker.settings import BrokerSettings
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
