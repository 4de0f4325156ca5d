"""What only the deployed broker does: it keeps what waits over its own end, and lets agents share."""

import asyncio
import re

from contract import topics
from tests.broker.parts import Client, eventually
from tests.mosquitto import CONF


class TestRestart:
    async def test_what_waits_survives_a_shutdown(self, deployed, hub, join):
        agent, sensor = hub.agent(), hub.sensor()
        receiver = await join(deployed, agent, clean=False)
        await receiver.subscribe()
        await receiver.vanish()
        device = await join(deployed, sensor)
        for number in range(100):
            await device.published(sensor.telemetry, number)
        await deployed.mosquitto.stop()
        await deployed.mosquitto.start()
        receiver = await join(deployed, agent, clean=False, auto_acknowledge=True)
        assert receiver.resumed
        await eventually(lambda: receiver.payloads == list(range(100)), "every message, in order")

    async def test_and_a_kill_once_it_was_saved(self, deployed, hub, join):
        agent, sensor = hub.agent(), hub.sensor()
        receiver = await join(deployed, agent, clean=False)
        await receiver.subscribe()
        await receiver.vanish()
        device = await join(deployed, sensor)
        await device.published(sensor.telemetry, 1)
        saved = deployed.mosquitto.folder / "data" / "mosquitto.db"
        await eventually(lambda: saved.exists() and str(sensor.id).encode() in saved.read_bytes(), "the next save")
        await deployed.mosquitto.kill()
        await deployed.mosquitto.start()
        receiver = await join(deployed, agent, clean=False, auto_acknowledge=True)
        await eventually(lambda: receiver.payloads == [1], "the message")


class TestShare:
    async def test_each_message_goes_to_one_of_them(self, deployed, hub, join):
        agent, sensor = hub.agent(), hub.sensor()
        await deployed.follow()
        group = topics.shared(agent.id, topics.TELEMETRY_FILTER)
        instances = [
            await Client.connect(deployed.port, topics.login(agent.id, number), agent.token, auto_acknowledge=True)
            for number in (1, 2)
        ]
        for instance in instances:
            assert await instance.subscribe(group) == [1]
        device = await join(deployed, sensor)
        for number in range(200):
            await device.published(sensor.telemetry, number)
        await eventually(lambda: sum(len(one.received) for one in instances) == 200, "every message")
        parts = [set(instance.payloads) for instance in instances]
        assert parts[0] | parts[1] == set(range(200))
        assert min(len(part) for part in parts) > 50
        await asyncio.gather(*(instance.vanish() for instance in instances))


class TestConfiguration:
    def test_nobody_comes_in_without_a_password_and_every_listener_names_its_clients(self):
        conf = CONF.read_text()
        assert re.search(r"^allow_anonymous false$", conf, re.MULTILINE)
        listeners = list((CONF.parent / "listeners").iterdir())
        assert len(listeners) == 2
        for listener in listeners:
            assert re.search(r"^listener .*\nuse_username_as_clientid true$", listener.read_text(), re.MULTILINE)

    async def test_it_listens_where_it_is_told_and_nowhere_else(self, deployed):
        opened = re.findall(r"Opening \S+ listen socket on port (\d+)", deployed.mosquitto.log)
        assert opened == [str(deployed.port)]
