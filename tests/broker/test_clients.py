"""Real, unmodified clients at both brokers: mosquitto_pub, mosquitto_sub and paho, over MQTT 3.1.1 and 5."""

import asyncio
import contextlib
import shutil

import pytest
from paho.mqtt.client import Client, MQTTv5, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from contract import topics
from tests.broker.parts import eventually

VERSIONS = {"embedded": ["311"], "mosquitto": ["311", "5"]}


@pytest.fixture
async def receiver(either, hub, join):
    """An edge agent that takes everything."""
    client = await join(either, hub.agent(), clean=False, auto_acknowledge=True)
    await client.subscribe()
    return client


@pytest.fixture
def versions(request):
    """The versions of MQTT that the broker under test speaks."""
    return VERSIONS[request.node.callspec.params["either"]]


async def run(program, broker, login, *arguments, version="311", token=None):
    """Run one of Mosquitto's command-line clients as a device; returns its exit code and output."""
    path = shutil.which(program)
    assert path, f"{program} is not installed: apt-get install mosquitto-clients"
    process = await asyncio.create_subprocess_exec(
        path, "-V", version, "-h", "127.0.0.1", "-p", str(broker.port),
        "-u", str(login.id), "-P", token or login.token, "-i", str(login.id), *arguments,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await asyncio.wait_for(process.communicate(b"1\n2\n3\n"), 20)
    return process.returncode, output.decode()


@contextlib.contextmanager
def paho(broker, login, version=MQTTv311, **options):
    """Run paho's client in a thread of its own, as devices do."""
    client = Client(CallbackAPIVersion.VERSION2, client_id=str(login.id), protocol=version, **options)
    client.username_pw_set(str(login.id), login.token)
    yield client
    client.disconnect()
    client.loop_stop()


class TestMosquittoPub:
    async def test_a_batch_and_a_bare_number(self, either, hub, receiver, versions):
        sensor = hub.sensor()
        await either.follow()
        batch = '{"samples": [{"t": 1732348800.125, "v": 1.5}]}'
        for version in versions:
            for payload in (batch, "23.5"):
                for qos in "012":
                    arguments = ("-t", sensor.telemetry, "-q", qos, "-m", payload)
                    code, output = await run("mosquitto_pub", either, sensor, *arguments, version=version)
                    assert (code, output) == (0, "")
        sent = len(versions) * 6
        await eventually(lambda: len(receiver.received) == sent, "every message")
        assert {message.payload for message in receiver.received} == {batch.encode(), b"23.5"}

    async def test_a_line_is_a_message(self, either, hub, receiver):
        sensor = hub.sensor()
        await either.follow()
        assert (await run("mosquitto_pub", either, sensor, "-t", sensor.telemetry, "-q", "1", "-l"))[0] == 0
        await eventually(lambda: receiver.payloads == [1, 2, 3], "every line, in order")

    async def test_a_wrong_token_is_told(self, either, hub, versions):
        sensor = hub.sensor()
        await either.follow()
        for version in versions:
            arguments = ("-t", sensor.telemetry, "-q", "1", "-m", "1")
            code, output = await run("mosquitto_pub", either, sensor, *arguments, version=version, token="wrong")
            assert code != 0
            assert "not authori" in output.lower()


class TestPaho:
    async def test_a_device_delivers_in_order(self, either, hub, receiver):
        sensor = hub.sensor()
        await either.follow()
        with paho(either, sensor) as client:
            client.connect("127.0.0.1", either.port)
            client.loop_start()
            sent = [client.publish(sensor.telemetry, str(number), qos=1 + number % 2) for number in range(100)]
            await asyncio.to_thread(sent[-1].wait_for_publish, 10)
            await eventually(lambda: all(message.is_published() for message in sent), "every acknowledgement")
        await eventually(lambda: len(receiver.received) == 100, "every message")
        for parity in (0, 1):  # in order within a quality of service
            assert [number for number in receiver.payloads if number % 2 == parity] == list(range(parity, 100, 2))

    async def test_an_agent_takes_up_its_session_again(self, either, hub, join):
        agent, sensor = hub.agent(), hub.sensor()
        await either.follow()
        seen = []
        for begin in (0, 50):
            with paho(either, agent, clean_session=False) as client:
                client.on_message = lambda _client, _data, message: seen.append(int(message.payload))
                client.on_connect = lambda client, *_: client.subscribe(topics.TELEMETRY_FILTER, qos=1)
                subscribed = []
                client.on_subscribe = lambda *_: subscribed.append(1)  # noqa: B023 - used at once
                client.connect("127.0.0.1", either.port)
                client.loop_start()
                await eventually(lambda: subscribed, "the subscription")  # noqa: B023 - used at once
                await eventually(lambda: len(seen) == begin, "what waited")  # noqa: B023 - used at once
            device = await join(either, sensor)
            for number in range(begin, begin + 50):
                await device.published(sensor.telemetry, number)
        assert seen == list(range(50))


class TestMqtt5:
    async def test_receive_maximum_bounds_what_an_agent_is_sent(self, deployed, hub, join):
        agent, sensor = hub.agent(), hub.sensor()
        await deployed.follow()
        held = []
        with paho(deployed, agent, version=MQTTv5, manual_ack=True) as client:
            client.on_message = lambda _client, _data, message: held.append(message)
            subscribed = []
            client.on_subscribe = lambda *_: subscribed.append(1)
            client.on_connect = lambda client, *_: client.subscribe(topics.TELEMETRY_FILTER, qos=1)
            properties = Properties(PacketTypes.CONNECT)
            properties.ReceiveMaximum = 10
            properties.SessionExpiryInterval = 3600
            client.connect("127.0.0.1", deployed.port, clean_start=False, properties=properties)
            client.loop_start()
            await eventually(lambda: subscribed, "the subscription")
            device = await join(deployed, sensor)
            for number in range(30):
                await device.published(sensor.telemetry, number)
            client.subscribe(topics.HEARTBEAT_FILTER, qos=1)  # whose answer comes after what was sent before it
            await eventually(lambda: len(subscribed) == 2, "the second subscription")
            assert len(held) == 10
            for taken in range(30):
                await eventually(lambda: len(held) > taken, "the next message")  # noqa: B023 - used at once
                client.ack(held[taken].mid, held[taken].qos)
        assert [int(message.payload) for message in held] == list(range(30))

    async def test_the_embedded_broker_speaks_3_1_1_only_and_stays_up(self, broker, hub, enter, monkeypatch):
        monkeypatch.setattr("broker.cures.CONNECT_TIMEOUT_S", 0.5)
        sensor = hub.sensor()
        code, _ = await run("mosquitto_pub", broker, sensor, "-t", sensor.telemetry, "-q", "1", "-m", "1", version="5")
        assert code != 0
        assert (await enter(broker, sensor)).code == 0
