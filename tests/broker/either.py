"""Both brokers behind one face: the embedded one asks the peer hub, Mosquitto gets its files written from it."""

import asyncio
import contextlib

import aiomqtt

from contract import topics
from hub.brokers import files
from hub.brokers.models import Account
from hub.sensors.broker_hash import broker_hash
from tests.mosquitto import OPERATOR, Mosquitto


class Embedded:
    """The embedded broker, which notices every change by itself."""

    def __init__(self, broker):
        self._broker = broker

    @property
    def port(self):
        return self._broker.port

    async def follow(self):
        """Let the broker know what the hub knows."""

    async def status(self, agent):
        """Read an agent's retained status, empty while there is none."""
        # Nobody may subscribe to it here: it is for whoever runs the broker.
        message = self._broker.retained_messages.get(topics.status(agent.id))
        return b"" if message is None else bytes(message.data)


class Deployed:
    """Mosquitto with the accounts of the peer hub."""

    def __init__(self, hub, folder):
        self._hub = hub
        self._hashes = {}
        self.mosquitto = Mosquitto(folder)

    @property
    def port(self):
        return self.mosquitto.port

    async def follow(self):
        logins = self._hub.logins.values()
        accounts = [
            Account(login.kind, login.id, login.project_id, login.agent_id, login.default, self._hash(login.token))
            for login in logins
        ]
        users = files.passwords(accounts, lambda account: account.hash, instances=2)
        await self.mosquitto.admit(accounts, users, instances=2)

    async def status(self, agent):
        name, password = OPERATOR
        async with aiomqtt.Client("127.0.0.1", self.port, username=name, password=password) as client:
            await client.subscribe(topics.status(agent.id))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.2):
                    return bytes((await anext(client.messages)).payload)
        return b""

    def _hash(self, token):
        return self._hashes.setdefault(token, broker_hash(token))
