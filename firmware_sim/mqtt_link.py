"""A device's MQTT connection: QoS 1, and after a loss everything unacknowledged once more."""

import asyncio
import random
from typing import Never

import aiomqtt
from aiomqtt.exceptions import MqttConnectError

from contract import topics
from firmware_sim.device import Device
from firmware_sim.outbox import Packet

WINDOW = 16
_BACKOFF_MAX_S = 10.0
_ACK_TIMEOUT_S = 30.0


class MqttLink:
    """Deliver one device's packets to the broker at `host`:`port`, for as long as `run` runs.

    `problem` says why nothing gets through now, None while connected; `connected` is set by the first connection.
    `connecting` bounds how many links of a fleet
    greet the broker at the same time.
    """

    def __init__(self, device: Device, host: str, port: int, connecting: asyncio.Semaphore | None = None) -> None:
        self.device = device
        self.problem: str | None = "not connected yet"
        self.connections = 0
        self.connected = asyncio.Event()
        self._host = host
        self._port = port
        self._last_sent = 0.0
        self._connecting = connecting or asyncio.Semaphore(1)

    async def run(self) -> Never:
        """Connect, deliver, and connect again after any loss, with growing jittered pauses, until cancelled."""
        pause_s = 0.2
        while True:
            before = self.connections
            try:
                await self._connection()
            except aiomqtt.MqttError as lost:
                self.problem = self._explain(lost)
            self.device.outbox.rewind()
            pause_s = 0.2 if self.connections > before else min(pause_s * 2, _BACKOFF_MAX_S)
            await asyncio.sleep(pause_s * random.uniform(0.5, 1.5))  # noqa: S311 - jitter, no secret

    async def _connection(self) -> None:
        identity = self.device.identity
        client = aiomqtt.Client(
            self._host,
            self._port,
            username=str(identity.sensor_id),
            password=identity.token,
            # The broker wants client ids to begin with the user name; the boot keeps two lives of a device apart.
            identifier=f"{identity.sensor_id}-{self.device.boot}",
            timeout=_ACK_TIMEOUT_S,
            keepalive=30,
        )
        client.pending_calls_threshold = WINDOW * 2
        await self._connecting.acquire()
        try:
            await client.__aenter__()
        finally:
            self._connecting.release()
        try:
            self.problem = None
            self.connections += 1
            self.connected.set()
            await self._deliver(client)
        finally:
            await client.__aexit__(None, None, None)

    async def _deliver(self, client: aiomqtt.Client) -> None:
        window = asyncio.Semaphore(WINDOW)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_until_lost(client))
                group.create_task(self._beat(client))
                while True:
                    await window.acquire()
                    ticket, packet = await self.device.outbox.take()
                    group.create_task(self._publish(client, ticket, packet, window))
        except* aiomqtt.MqttError as lost:
            raise _first(lost) from None

    async def _publish(self, client: aiomqtt.Client, ticket: int, packet: Packet, window: asyncio.Semaphore) -> None:
        self.device.note_sent(packet)
        self._last_sent = asyncio.get_running_loop().time()
        await client.publish(topics.telemetry(self.device.identity.sensor_id), packet.body, qos=1)
        await self.device.note_acknowledged(ticket, packet)
        window.release()

    async def _beat(self, client: aiomqtt.Client) -> Never:
        # A packet is a sign of life too; only a device that has nothing to send beats.
        clock = asyncio.get_running_loop().time
        while True:
            await asyncio.sleep(max(0.0, self._last_sent + self.device.heartbeat_s - clock()))
            if clock() - self._last_sent >= self.device.heartbeat_s:
                self._last_sent = clock()
                await client.publish(topics.heartbeat(self.device.identity.sensor_id), b"", qos=1)

    def _explain(self, lost: aiomqtt.MqttError) -> str:
        broker = f"the broker at {self._host}:{self._port}"
        if isinstance(lost, MqttConnectError):
            return (
                f"{broker} refuses the sensor {self.device.identity.name} ({lost}): its token is not the hub's,"
                " or the hub that would know it does not answer"
            )
        return f"{broker} cannot be reached or went away ({lost}): is the system running, and is --mqtt right?"


async def _until_lost(client: aiomqtt.Client) -> None:
    # A device subscribes to nothing; waiting for messages is how the loss of the connection is noticed at once.
    async for _ in client.messages:
        pass


def _first(group: BaseExceptionGroup[aiomqtt.MqttError]) -> aiomqtt.MqttError:
    inner = group.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner
