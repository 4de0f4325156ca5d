"""Each fault of amqtt 0.12.1, shown without its cure and gone with it; the former fails once amqtt is repaired."""

import asyncio

import pytest
from amqtt.broker import Broker
from amqtt.contexts import Action

from broker.connections import Connection
from broker.cures import AuthenticateFirst, RouteBeforeAcknowledging, RouteOverSnapshots
from broker.embedded import EmbeddedBroker, Serving
from contract import topics
from tests.broker.parts import REFUSED, Client, eventually


class RoutesOverLiveLists(Serving, AuthenticateFirst, RouteBeforeAcknowledging):
    handler_class = EmbeddedBroker.handler_class


class RoutesAfterAcknowledging(Serving, AuthenticateFirst, RouteOverSnapshots):
    handler_class = EmbeddedBroker.handler_class


class ForgetsTheUnacknowledged(Serving, AuthenticateFirst, RouteBeforeAcknowledging, RouteOverSnapshots):
    handler_class = Connection


class WaitsForAcknowledgements(ForgetsTheUnacknowledged):
    _publish_session_retained_messages = Broker._publish_session_retained_messages


class AuthenticatesLast(Serving, RouteBeforeAcknowledging, RouteOverSnapshots):
    handler_class = EmbeddedBroker.handler_class


async def _missed_when_a_neighbour_leaves(serve, hub, enter, kind):
    leaver, *stayers = [hub.agent() for _ in range(4)]

    class LeavesWhileRouting(kind):
        async def _topic_filtering(self, session, topic, action):
            if action == Action.RECEIVE and session.client_id == str(leaver.id):
                await self._delete_session(session.client_id)  # what the session monitor does, at the worst moment
            return await super()._topic_filtering(session, topic, action)

    sensor = hub.sensor()
    async with serve(LeavesWhileRouting) as broker:
        clients = [await enter(broker, agent, auto_acknowledge=True) for agent in (leaver, *stayers)]
        for client in clients:
            assert await client.subscribe() == [1]
        device = await enter(broker, sensor)
        await device.published(sensor.telemetry, 1)
        await device.published(sensor.telemetry, 2)
        await eventually(lambda: all(2 in client.payloads for client in clients[1:]), "the second message everywhere")
        return [client for client in clients[1:] if 1 not in client.payloads]


async def _lost_when_the_publisher_vanishes(serve, hub, enter, kind):
    class TakesItsTime(kind):
        async def _topic_filtering(self, session, topic, action):
            await asyncio.sleep(0.001 if action == Action.PUBLISH else 0)
            return await super()._topic_filtering(session, topic, action)

    agent, sensor, another = hub.agent(), hub.sensor(), hub.sensor()
    async with serve(TakesItsTime) as broker:
        receiver = await enter(broker, agent, auto_acknowledge=True)
        await receiver.subscribe()
        device = await enter(broker, sensor)
        for number in range(1000):
            device.publish(sensor.telemetry, number)
        await eventually(lambda: len(device.acknowledged) >= 200, "200 acknowledgements")
        await device.vanish()
        last = await enter(broker, another)
        await last.published(another.telemetry, 9999)
        await eventually(lambda: 9999 in receiver.payloads, "the other sensor's message")
        return {packet_id - 1 for packet_id in device.acknowledged} - set(receiver.payloads)


async def _with_unacknowledged(broker, hub, enter, count=3):
    """Leave an agent's session with messages that it was sent, has not acknowledged, and lost its connection on."""
    agent, sensor = hub.agent(), hub.sensor()
    receiver = await enter(broker, agent, clean=False)
    await receiver.subscribe()
    device = await enter(broker, sensor)
    for number in range(count):
        await device.published(sensor.telemetry, number)
    await eventually(lambda: receiver.received, "a message")
    return agent, sensor, device, receiver


async def _with_waiting(broker, hub, enter, count=3):
    """Leave an agent's session with messages that came while it was away."""
    agent, sensor = hub.agent(), hub.sensor()
    receiver = await enter(broker, agent, clean=False)
    await receiver.subscribe()
    await receiver.vanish()
    device = await enter(broker, sensor)
    for number in range(count):
        await device.published(sensor.telemetry, number)
    return agent, sensor, device


async def _forgotten_on_disconnect(serve, hub, enter, kind):
    async with serve(kind) as broker:
        agent, sensor, device, receiver = await _with_unacknowledged(broker, hub, enter)
        await receiver.vanish()
        receiver = await enter(broker, agent, clean=False, auto_acknowledge=True)
        assert receiver.resumed
        await device.published(sensor.telemetry, 3)
        await eventually(lambda: 3 in receiver.payloads, "the last message")
        return set(range(4)) - set(receiver.payloads)


async def _unanswered_subscribe(serve, hub, enter, kind):
    async with serve(kind) as broker:
        agent, _, _ = await _with_waiting(broker, hub, enter)
        receiver = await enter(broker, agent, clean=False)
        try:
            return await receiver.subscribe(within_s=2) != [1]
        except TimeoutError:
            return True


async def _lost_to_a_stranger(serve, hub, enter, kind):
    async with serve(kind) as broker:
        agent, sensor, device = await _with_waiting(broker, hub, enter)
        stranger = await enter(broker, agent, token="a guess")
        assert stranger.code == REFUSED
        receiver = await enter(broker, agent, clean=False, auto_acknowledge=True)
        await receiver.subscribe()
        await device.published(sensor.telemetry, 3)
        await eventually(lambda: 3 in receiver.payloads, "the last message")
        return set(range(4)) - set(receiver.payloads)


FAULTS = [
    pytest.param(_missed_when_a_neighbour_leaves, RoutesOverLiveLists, id="1-neighbour-leaves"),
    pytest.param(_lost_when_the_publisher_vanishes, RoutesAfterAcknowledging, id="2-publisher-vanishes"),
    pytest.param(_forgotten_on_disconnect, ForgetsTheUnacknowledged, id="3-forgotten-on-disconnect"),
    pytest.param(_unanswered_subscribe, WaitsForAcknowledgements, id="4-subscribe-unanswered"),
    pytest.param(_lost_to_a_stranger, AuthenticatesLast, id="5-stranger"),
]


@pytest.mark.parametrize(("fault", "_uncured"), FAULTS)
async def test_nothing_is_lost(serve, hub, enter, fault, _uncured):
    assert not await fault(serve, hub, enter, EmbeddedBroker)


@pytest.mark.parametrize(("fault", "uncured"), FAULTS)
async def test_without_its_cure_each_fault_shows(serve, hub, enter, fault, uncured):
    assert await fault(serve, hub, enter, uncured)


@pytest.mark.slow
async def test_patience_does_not_end_after_five_seconds(serve, hub, enter):
    async with serve(EmbeddedBroker) as cured, serve(ForgetsTheUnacknowledged) as uncured:
        agent, _, _, _ = await _with_unacknowledged(uncured, hub, enter, count=1)
        receiver = (await _with_unacknowledged(cured, hub, enter, count=1))[3]
        session = uncured.sessions[str(agent.id)][0]
        await eventually(lambda: not session.inflight_out, "amqtt's patience to end")
        kept = next(session for session, _ in cured.sessions.values() if session.inflight_out)
        receiver.acknowledge(receiver.received[0])
        await eventually(lambda: not kept.inflight_out, "a late acknowledgement to count")


async def test_a_stranger_does_not_disturb_a_connected_agent(broker, hub, enter):
    agent, sensor, enemy = hub.agent(), hub.sensor(), hub.sensor()
    receiver = await enter(broker, agent, clean=False, auto_acknowledge=True)
    await receiver.subscribe()
    wrong_password = await Client.connect(broker.port, agent.id, "a guess", client_id=str(agent.id))
    others_id = await Client.connect(broker.port, enemy.id, enemy.token, client_id=str(agent.id))
    assert [wrong_password.code, others_id.code] == [REFUSED, REFUSED]
    device = await enter(broker, sensor)
    await device.published(sensor.telemetry, 1)
    await eventually(lambda: receiver.payloads == [1], "the message")
    assert not receiver.closed.is_set()
    await asyncio.gather(wrong_password.vanish(), others_id.vanish())


async def test_a_repeated_message_says_so_and_keeps_its_order(broker, hub, enter):
    agent, _, _, receiver = await _with_unacknowledged(broker, hub, enter, count=50)
    await eventually(lambda: len(receiver.received) == 50, "all messages")
    await receiver.vanish()
    receiver = await enter(broker, agent, clean=False)
    await eventually(lambda: len(receiver.received) == 50, "all messages again")
    assert receiver.payloads == list(range(50))
    assert all(message.dup and not message.retain for message in receiver.received)
    assert {message.topic.rsplit("/", 1)[0] for message in receiver.received} == {f"{topics.ROOT}/telemetry"}
