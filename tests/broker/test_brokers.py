"""What both brokers hold alike, the embedded one and Mosquitto: who gets in, what reaches whom, what waits."""

from uuid import uuid4

import pytest

from contract import topics
from tests.broker.parts import REFUSED, eventually


@pytest.fixture
def broker(either):
    """Each of the two brokers."""
    return either


@pytest.fixture
def enter(join):
    """Connect a client once the broker knows everybody whom the hub knows."""
    return join


async def attempt(broker, enter, login, topic, payload, **options):
    """Publish where it may be denied: the embedded broker acknowledges and drops, Mosquitto may end the connection."""
    client = await enter(broker, login)
    packet_id = client.publish(topic, payload, **options)
    await eventually(lambda: packet_id in client.acknowledged or client.closed.is_set(), "an answer")
    await client.vanish()


class TestLogin:
    async def test_wrong_password(self, hub, broker, enter):
        assert (await enter(broker, hub.sensor(), token="wrong")).code == REFUSED

    async def test_unknown_user(self, hub, broker, enter):
        unknown = hub.sensor()
        hub.logins.clear()
        assert (await enter(broker, unknown)).code == REFUSED

    async def test_nobody_takes_a_session_over_by_naming_its_client_id(self, hub, broker, enter):
        agent, sensor, enemy = hub.agent(), hub.sensor(), hub.sensor()
        receiver = await enter(broker, agent, clean=False, auto_acknowledge=True)
        await receiver.subscribe()
        await enter(broker, agent, token="a guess", client_id=str(agent.id))
        await enter(broker, enemy, client_id=str(agent.id))
        device = await enter(broker, sensor)
        await device.published(sensor.telemetry, 1)
        await eventually(lambda: receiver.payloads == [1], "the message")
        assert not receiver.closed.is_set()


class TestTopics:
    async def test_what_is_sent_to_anothers_topic_reaches_nobody(self, hub, broker, enter):
        sensor, another = hub.sensor(), hub.sensor()
        receiver = await enter(broker, hub.agent(), auto_acknowledge=True)
        await receiver.subscribe(topics.TELEMETRY_FILTER, topics.HEARTBEAT_FILTER)
        for number, topic in enumerate((another.telemetry, topics.heartbeat(another.id), "elsewhere")):
            await attempt(broker, enter, sensor, topic, number)
        device = await enter(broker, sensor)
        await device.published(topics.heartbeat(sensor.id), 4)
        await device.published(sensor.telemetry, 5)
        await eventually(lambda: len(receiver.received) == 2, "the sensor's own messages")
        assert [(message.topic, message.payload) for message in receiver.received] == [
            (topics.heartbeat(sensor.id), b"4"),
            (sensor.telemetry, b"5"),
        ]

    async def test_a_sensor_hears_nobody_whatever_it_subscribes_to(self, hub, broker, enter):
        spy, sensor = hub.sensor(), hub.sensor()
        receiver = await enter(broker, hub.agent(), auto_acknowledge=True)
        await receiver.subscribe()
        listener = await enter(broker, spy)
        await listener.subscribe("#", topics.TELEMETRY_FILTER, sensor.telemetry, spy.telemetry, "$SYS/#")
        device = await enter(broker, sensor)
        await device.published(sensor.telemetry, 1)
        await listener.published(spy.telemetry, 2)
        await eventually(lambda: receiver.payloads == [1, 2], "the messages")
        assert listener.received == []

    async def test_an_agent_hears_its_sensors_only_whatever_it_subscribes_to(self, hub, broker, enter):
        agent, other = hub.agent(default=False), hub.agent()
        mine, foreign = hub.sensor(agent), hub.sensor()
        receiver, another = [await enter(broker, one, auto_acknowledge=True) for one in (agent, other)]
        await receiver.subscribe("#", "+/+/+/+", topics.TELEMETRY_FILTER)
        await another.subscribe()
        for sensor, payload in ((foreign, 1), (mine, 2)):
            await (await enter(broker, sensor)).published(sensor.telemetry, payload)
        another.publish(topics.status(other.id), 3, retain=True)
        await eventually(lambda: receiver.received, "the message")
        await eventually(lambda: another.received, "the other agent's")
        assert {message.topic for message in receiver.received} == {mine.telemetry}

    async def test_each_message_goes_to_its_agent_only(self, hub, broker, enter):
        assigned, default = hub.agent(default=False), hub.agent()
        elsewhere = hub.agent(project_id=uuid4())
        sensors = [hub.sensor(assigned), hub.sensor(), hub.sensor(project_id=elsewhere.project_id)]
        sensors.append(hub.sensor(elsewhere))
        receivers = [await enter(broker, agent, auto_acknowledge=True) for agent in (assigned, default, elsewhere)]
        for receiver in receivers:
            await receiver.subscribe()
        for number, sensor in enumerate(sensors):
            await (await enter(broker, sensor)).published(sensor.telemetry, number)
        await eventually(lambda: all(receiver.received for receiver in receivers), "a message each")
        assert [receiver.payloads for receiver in receivers] == [[0], [1], [2]]

    async def test_a_new_assignment_takes_effect_within_seconds(self, hub, broker, enter):
        first, second = hub.agent(), hub.agent(default=False)
        sensor = hub.sensor()
        receivers = [await enter(broker, agent, auto_acknowledge=True) for agent in (first, second)]
        for receiver in receivers:
            await receiver.subscribe()
        device = await enter(broker, sensor)
        await device.published(sensor.telemetry, 0)
        sensor.agent_id = second.id
        await broker.follow()
        number = 0
        while not receivers[1].received:
            number += 1
            await device.published(sensor.telemetry, number)
            assert number < 20_000, "the assignment never arrived"
        await eventually(lambda: len(receivers[0].received) == receivers[1].payloads[0], "the messages before it")
        assert receivers[0].payloads == list(range(receivers[1].payloads[0]))


class TestStatus:
    async def test_an_agent_publishes_nothing_but_its_own(self, hub, broker, enter):
        agent, other, sensor = hub.agent(), hub.agent(default=False), hub.sensor()
        receiver = await enter(broker, other, auto_acknowledge=True)
        await receiver.subscribe("#", topics.TELEMETRY_FILTER)
        await attempt(broker, enter, agent, sensor.telemetry, 1)
        await attempt(broker, enter, agent, topics.status(other.id), 2, retain=True)
        await attempt(broker, enter, agent, topics.status(agent.id), 3, retain=True)
        client = await enter(broker, agent, auto_acknowledge=True)
        await client.subscribe()
        await (await enter(broker, sensor)).published(sensor.telemetry, 4)
        await eventually(lambda: client.received, "the sensor's message")
        assert (client.payloads, receiver.received) == ([4], [])
        assert [await broker.status(one) for one in (agent, other)] == [b"3", b""]

    async def test_its_last_will_is_kept_when_it_vanishes(self, hub, broker, enter):
        agent = hub.agent()
        client = await enter(broker, agent, will=(topics.status(agent.id), "offline"))
        client.publish(topics.status(agent.id), b"online", retain=True)
        await client.vanish()

        async def told():
            return await broker.status(agent) == b"offline"

        await eventually(told, "the will")

    async def test_a_will_elsewhere_is_not_carried_out(self, hub, broker, enter):
        agent, victim, other = hub.agent(), hub.agent(default=False), hub.sensor()
        receiver = await enter(broker, agent, auto_acknowledge=True)
        await receiver.subscribe()
        for testator, topic in ((hub.sensor(), other.telemetry), (hub.agent(default=False), topics.status(victim.id))):
            await (await enter(broker, testator, will=(topic, "99"))).vanish()
        await (await enter(broker, other)).published(other.telemetry, 1)
        await eventually(lambda: receiver.received, "the sensor's message")
        assert receiver.payloads == [1]
        assert await broker.status(victim) == b""


class TestRevocation:
    async def test_a_revoked_token_ends_the_connection_and_no_other(self, hub, broker, enter):
        revoked, kept = hub.sensor(), hub.sensor()
        clients = [await enter(broker, sensor) for sensor in (revoked, kept)]
        old_token, revoked.token = revoked.token, "rotated"
        await broker.follow()
        await eventually(clients[0].closed.is_set, "the end of the connection")
        assert (await enter(broker, revoked, token=old_token)).code == REFUSED
        assert (await enter(broker, revoked)).code == 0
        assert not clients[1].closed.is_set()

    async def test_so_does_a_deletion(self, hub, broker, enter):
        deleted, kept = hub.sensor(), hub.sensor()
        clients = [await enter(broker, sensor) for sensor in (deleted, kept)]
        del hub.logins[str(deleted.id)]
        await broker.follow()
        await eventually(clients[0].closed.is_set, "the end of the connection")
        assert (await enter(broker, deleted)).code == REFUSED
        assert not clients[1].closed.is_set()


class TestQueues:
    async def test_what_comes_while_an_agent_is_away_waits_for_it_in_order(self, hub, broker, enter):
        agent, sensor = hub.agent(), hub.sensor()
        receiver = await enter(broker, agent, clean=False)
        await receiver.subscribe()
        device = await enter(broker, sensor)
        for number in range(300):
            device.publish(sensor.telemetry, number)
        await eventually(lambda: len(device.acknowledged) == 300, "every acknowledgement")
        await eventually(lambda: len(receiver.received) == 300, "every message")
        await receiver.vanish()
        for number in range(300, 600):
            device.publish(sensor.telemetry, number)
        await eventually(lambda: len(device.acknowledged) == 600, "every acknowledgement")
        receiver = await enter(broker, agent, clean=False, auto_acknowledge=True)
        assert receiver.resumed
        await eventually(lambda: len(receiver.received) == 600, "every message, the unacknowledged again")
        assert receiver.payloads == list(range(600))
        assert all(message.dup for message in receiver.received[:300])

    async def test_a_subscriber_that_does_not_acknowledge_gets_no_more_than_a_window(self, hub, broker, enter):
        agent, sensor = hub.agent(), hub.sensor()
        receiver = await enter(broker, agent, clean=False)
        await receiver.subscribe()
        device = await enter(broker, sensor)
        for number in range(1200):
            device.publish(sensor.telemetry, number)
        await eventually(lambda: len(device.acknowledged) == 1200, "every acknowledgement")
        await eventually(lambda: len(receiver.received) == 1000, "a full window")
        assert await receiver.subscribe(topics.HEARTBEAT_FILTER) == [1]  # answered after what was sent before it
        assert len(receiver.received) == 1000
        receiver.acknowledge_all()
        await eventually(lambda: len(receiver.received) == 1200, "the rest")
        assert receiver.payloads == list(range(1200))
