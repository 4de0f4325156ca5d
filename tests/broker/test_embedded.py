"""The embedded broker over real sockets: who gets in, what reaches whom, what waits."""

import asyncio
import contextlib
import math
import socket
import struct

import psutil
import pytest

from broker.embedded import EmbeddedBroker, PortInUse
from contract import topics
from tests.broker.parts import REFUSED, eventually


class TestLogin:
    @pytest.mark.parametrize("client_id", ["", "another", "x{id}"])
    async def test_the_client_id_must_begin_with_the_user_name(self, hub, broker, enter, client_id):
        sensor = hub.sensor()
        assert (await enter(broker, sensor, client_id=client_id.format(id=sensor.id))).code == REFUSED
        assert (await enter(broker, sensor, client_id=f"{sensor.id}-boot-17")).code == 0

    async def test_a_last_will_only_on_ones_own_status(self, hub, broker, enter):
        agent, sensor = hub.agent(), hub.sensor()
        assert (await enter(broker, agent, will=(topics.status(agent.id), "offline"))).code == 0
        assert (await enter(broker, agent, will=(sensor.telemetry, "1"))).code == REFUSED
        assert (await enter(broker, sensor, will=(hub.sensor().telemetry, "1"))).code == REFUSED

    async def test_while_the_hub_is_away_only_known_devices_get_in(self, hub, broker, enter):
        known, unknown = hub.sensor(), hub.sensor()
        await (await enter(broker, known)).vanish()
        await hub.stop()
        assert (await enter(broker, known)).code == 0
        assert (await enter(broker, unknown)).code == REFUSED

    @pytest.mark.parametrize("sent", [b"GET / HTTP/1.1\r\n\r\n", b"\x10\xff\xff\xff\xff\xff", b"\x00" * 64, b""])
    async def test_something_that_is_no_mqtt_is_let_go(self, hub, broker, enter, sent):
        reader, writer = await asyncio.open_connection("127.0.0.1", broker.port)
        writer.write(sent)
        writer.write_eof()
        with contextlib.suppress(ConnectionResetError):
            assert await asyncio.wait_for(reader.read(), 10) == b""
        writer.close()
        assert (await enter(broker, hub.sensor())).code == 0


class TestTopics:
    async def test_subscriptions_beyond_the_two_wildcards_are_denied(self, hub, broker, enter):
        client = await enter(broker, hub.agent())
        assert await client.subscribe("#", topics.HEARTBEAT_FILTER, topics.STATUS_FILTER) == [0x80, 1, 0x80]

    async def test_a_sensor_may_subscribe_to_nothing(self, hub, broker, enter):
        sensor = hub.sensor()
        client = await enter(broker, sensor)
        filters = [topics.TELEMETRY_FILTER, sensor.telemetry, "#"]
        assert await client.subscribe(*filters) == [0x80, 0x80, 0x80]

    async def test_an_agent_publishes_nothing_but_its_status(self, hub, broker, enter):
        agent, other, sensor = hub.agent(), hub.agent(), hub.sensor()
        receiver = await enter(broker, other, auto_acknowledge=True)
        await receiver.subscribe()
        client = await enter(broker, agent)
        await client.published(sensor.telemetry, 1)
        client.publish(topics.status(other.id), 2, retain=True)
        await client.published(topics.status(agent.id), 3)
        assert broker.retained_messages == {}
        client.publish(topics.status(agent.id), 4, retain=True)
        await eventually(lambda: topics.status(agent.id) in broker.retained_messages, "the retained status")
        assert receiver.received == []

    @pytest.mark.parametrize("topic", ["$SYS/broker", ""])
    async def test_a_topic_that_mqtt_forbids_ends_the_connection(self, hub, broker, enter, topic):
        sensor = hub.sensor()
        device = await enter(broker, sensor)
        device.publish(topic, 1)
        await eventually(device.closed.is_set, "the end of the connection")
        assert (await enter(broker, sensor)).code == 0

    async def test_a_topic_with_a_wildcard_reaches_nobody(self, hub, broker, enter):
        receiver = await enter(broker, hub.agent(), auto_acknowledge=True)
        await receiver.subscribe()
        sensor = hub.sensor()
        device = await enter(broker, sensor)
        device.publish(topics.TELEMETRY_FILTER, 1)
        await device.disconnect()
        await (await enter(broker, sensor)).published(sensor.telemetry, 2)
        await eventually(lambda: receiver.payloads == [2], "the allowed message")

    async def test_telemetry_is_not_retained(self, hub, broker, enter):
        sensor = hub.sensor()
        device = await enter(broker, sensor)
        device.publish(sensor.telemetry, 1, retain=True)
        await device.published(sensor.telemetry, 2)
        assert broker.retained_messages == {}

    async def test_qos_0_and_2_arrive_too(self, hub, broker, enter):
        receiver = await enter(broker, hub.agent(), auto_acknowledge=True)
        await receiver.subscribe()
        sensor = hub.sensor()
        device = await enter(broker, sensor)
        for number in range(6):
            device.publish(sensor.telemetry, number, qos=number % 3)
        await eventually(lambda: len(receiver.received) == 6, "all messages")
        assert receiver.payloads == list(range(6))


class TestRevocation:
    async def test_a_rotated_agent_finds_what_came_meanwhile(self, hub, broker, enter):
        agent, sensor = hub.agent(), hub.sensor()
        receiver = await enter(broker, agent, clean=False, auto_acknowledge=True)
        await receiver.subscribe()
        agent.token = "rotated"
        await eventually(receiver.closed.is_set, "the end of the connection")
        device = await enter(broker, sensor)
        await device.published(sensor.telemetry, 1)
        receiver = await enter(broker, agent, clean=False, auto_acknowledge=True)
        assert receiver.resumed
        await eventually(lambda: receiver.payloads == [1], "the message")


class TestQueues:
    async def test_a_full_queue_holds_acknowledgements_back_and_drops_nothing(self, hub, serve, enter):
        async with serve(broker_queue_bytes=20_000) as broker:
            agent, other_agent = hub.agent(default=False), hub.agent()
            sensor, another = hub.sensor(agent), hub.sensor()
            receiver = await enter(broker, agent, clean=False)
            other = await enter(broker, other_agent, auto_acknowledge=True)
            await receiver.subscribe()
            await other.subscribe()
            await receiver.vanish()
            device, neighbour = await enter(broker, sensor), await enter(broker, another)
            for number in range(100):
                device.publish(sensor.telemetry, f"{number:0400d}".encode())
            await eventually(lambda: len(device.acknowledged) == 20, "the queue to be full")
            await neighbour.published(another.telemetry, 1)  # whose agent has room
            assert len(device.acknowledged) == 20
            receiver = await enter(broker, agent, clean=False, auto_acknowledge=True)
            await eventually(lambda: len(device.acknowledged) == 100, "every acknowledgement")
            await eventually(lambda: len(receiver.received) == 100, "every message")
            assert receiver.payloads == list(range(100))

    async def test_telemetry_waits_for_its_agent(self, hub, serve, enter):
        async with serve(broker_grace_s=math.inf) as broker:
            agent, sensor = hub.agent(), hub.sensor()
            device = await enter(broker, sensor)
            await device.published(topics.heartbeat(sensor.id), 0)
            packet_id = device.publish(sensor.telemetry, 1)
            sensor_2 = hub.sensor(hub.agent(default=False))
            device_2 = await enter(broker, sensor_2)
            packet_id_2 = device_2.publish(sensor_2.telemetry, 2)
            receiver = await enter(broker, agent, auto_acknowledge=True)
            await receiver.subscribe()
            await eventually(lambda: packet_id in device.acknowledged, "the acknowledgement")
            await eventually(lambda: receiver.payloads == [1], "the message")
            assert packet_id_2 not in device_2.acknowledged

    async def test_a_publisher_that_goes_away_while_it_waits_leaves_nothing_behind(self, hub, serve, enter):
        async with serve(broker_grace_s=math.inf) as broker:
            agent, sensor = hub.agent(), hub.sensor()
            for number in range(3):
                device = await enter(broker, sensor, client_id=str(sensor.id))
                device.publish(sensor.telemetry, number)
                await eventually(lambda: len(broker.sessions) == 1, "the session")
                await device.vanish()
            device = await enter(broker, sensor, client_id=str(sensor.id))
            last = device.publish(sensor.telemetry, 3)
            receiver = await enter(broker, agent, auto_acknowledge=True)
            await receiver.subscribe()
            await eventually(lambda: last in device.acknowledged, "the acknowledgement")
            await eventually(lambda: receiver.payloads[-1:] == [3], "the message")

    async def test_after_the_grace_telemetry_for_nobody_is_acknowledged(self, hub, serve, enter):
        async with serve(broker_grace_s=0.2) as broker:
            sensor = hub.sensor()
            device = await enter(broker, sensor)
            await device.published(sensor.telemetry, 1)

    async def test_a_session_left_for_another_client_id_is_forgotten(self, hub, broker, enter):
        agent = hub.agent()
        await (await enter(broker, agent, clean=False, client_id=f"{agent.id}-old")).vanish()
        await eventually(
            lambda: broker.sessions[f"{agent.id}-old"][0].transitions.state == "disconnected", "the end of it"
        )
        await enter(broker, agent, clean=False)
        assert set(broker.sessions) == {str(agent.id)}

    async def test_a_packet_that_is_too_large_ends_the_connection(self, hub, serve, enter):
        async with serve(broker_packet_bytes=10_000) as broker:
            sensor = hub.sensor()
            device = await enter(broker, sensor)
            await device.published(sensor.telemetry, b"1" * 9000)
            device.publish(sensor.telemetry, b"1" * 11_000)
            await eventually(device.closed.is_set, "the end of the connection")


class TestConnections:
    @pytest.mark.parametrize("clean", [True, False])
    async def test_a_second_connection_takes_over(self, hub, broker, enter, clean):
        agent, sensor = hub.agent(), hub.sensor()
        device = await enter(broker, sensor)
        for number in range(5):
            receiver = await enter(broker, agent, clean=clean, auto_acknowledge=True)
            assert receiver.resumed == (number > 0 and not clean)
            await receiver.subscribe()
            await device.published(sensor.telemetry, number)
            await eventually(lambda: number in receiver.payloads, f"message {number}")  # noqa: B023 - used at once

    async def test_a_connection_that_fails_while_it_is_set_up_leaves_its_session_free(self, hub, serve, enter):
        failures = [OSError("no more files")]

        class FailsOnce(EmbeddedBroker.handler_class):
            async def start(self):
                if failures:
                    raise failures.pop()
                await super().start()

        class Broker(EmbeddedBroker):
            handler_class = FailsOnce

        async with serve(Broker) as broker:
            agent = hub.agent()
            failed = await enter(broker, agent, clean=False)
            await eventually(failed.closed.is_set, "the end of the connection")
            assert await (await enter(broker, agent, clean=False)).subscribe() == [1]

    async def test_many_at_once_under_one_client_id_leave_one(self, hub, broker, enter):
        agent, sensor = hub.agent(), hub.sensor()
        rivals = await asyncio.gather(*(enter(broker, agent, clean=False, auto_acknowledge=True) for _ in range(8)))
        await eventually(lambda: sum(not rival.closed.is_set() for rival in rivals) == 1, "one winner")
        winner = next(rival for rival in rivals if not rival.closed.is_set())
        await winner.subscribe()
        device = await enter(broker, sensor)
        await device.published(sensor.telemetry, 1)
        await eventually(lambda: winner.payloads == [1], "the message")

    async def test_a_client_gone_before_it_is_greeted_leaves_its_session_free(self, hub, broker, enter):
        agent, sensor = hub.agent(), hub.sensor()
        receiver = await enter(broker, agent, clean=False)
        await receiver.subscribe()
        device = await enter(broker, sensor)
        for number in range(300):
            device.publish(sensor.telemetry, number)
        await eventually(lambda: len(device.acknowledged) == 300, "every acknowledgement")
        for _ in range(10):
            hasty = await enter(broker, agent, clean=False)
            await hasty.vanish()
        session = broker.sessions[str(agent.id)][0]
        await eventually(lambda: session.transitions.state == "disconnected", "the end of the last connection")
        receiver = await enter(broker, agent, clean=False, auto_acknowledge=True)
        await eventually(lambda: len(receiver.received) == 300, "every message")
        assert receiver.payloads == list(range(300))

    async def test_a_silent_client_is_let_go_and_its_will_is_kept(self, hub, broker, enter):
        agent = hub.agent()
        client = await enter(broker, agent, keepalive=1, will=(topics.status(agent.id), "offline"))
        client.publish(topics.status(agent.id), b"online", retain=True)
        await eventually(client.closed.is_set, "the end of the connection")
        retained = broker.retained_messages
        await eventually(lambda: bytes(retained[topics.status(agent.id)].data) == b"offline", "the will")

    async def test_a_subscriber_that_does_not_read_can_be_taken_over(self, hub, broker, enter):
        agent, sensor = hub.agent(), hub.sensor()
        stuck = socket.create_connection(("127.0.0.1", broker.port))
        stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        name, token = str(agent.id).encode(), agent.token.encode()
        texts = b"".join(struct.pack("!H", len(text)) + text for text in (name, name, token))
        connect = b"\x00\x04MQTT\x04\xc0\x00\x00" + texts
        filters = struct.pack("!H", len(topics.TELEMETRY_FILTER)) + topics.TELEMETRY_FILTER.encode() + b"\x01"
        stuck.sendall(bytes([0x10, len(connect)]) + connect + bytes([0x82, len(filters) + 2]) + b"\x00\x01" + filters)
        await eventually(lambda: broker.subscriptions, "the subscription")
        device = await enter(broker, sensor)
        for number in range(150):
            await device.published(sensor.telemetry, f"{number:0100000d}".encode())
        receiver = await enter(broker, agent, clean=False, auto_acknowledge=True)
        assert receiver.resumed
        await eventually(lambda: len(receiver.received) == 150, "every message")
        here, there = ("127.0.0.1", broker.port), stuck.getsockname()
        await eventually(
            lambda: not any(held.laddr == here and held.raddr == there for held in psutil.Process().net_connections()),
            "the old connection to be closed",
        )
        stuck.close()

    async def test_a_publisher_that_is_not_read_from_can_be_taken_over(self, hub, serve, enter):
        async with serve(broker_queue_bytes=1024) as broker:
            agent, sensor = hub.agent(), hub.sensor()
            receiver = await enter(broker, agent, clean=False)
            await receiver.subscribe()
            await receiver.vanish()
            device = await enter(broker, sensor)
            for number in range(2000):
                device.publish(sensor.telemetry, number)
            inlet = broker.sessions[str(sensor.id)][1].reader
            await eventually(lambda: not inlet.open.is_set(), "the broker to stop reading")
            device = await enter(broker, sensor)
            assert device.code == 0
            assert broker.sessions[str(sensor.id)][1].reader.open.is_set()


class TestStart:
    async def test_a_taken_port_is_told_by_name(self, hub, broker, serve):
        with pytest.raises(PortInUse, match="ETP_MQTT_PORT"):
            async with serve(EmbeddedBroker, mqtt_port=broker.port):
                pass
