"""What surrounds the broker in its tests: a hub with the login contract, and clients whose every packet is known."""

import asyncio
import contextlib
import inspect
import struct
import time
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from aiohttp import web

from contract import topics
from tests.services import free_port

REFUSED = 5


async def eventually(condition, what, within_s=10.0):
    """Wait until the condition holds; a deadline, not a duration, decides."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"not in {within_s} s: {what}"
        await asyncio.sleep(0.005)


@dataclass
class Login:
    """An account at the remote hub."""

    kind: str
    project_id: UUID
    agent_id: UUID | None = None
    default: bool = False
    id: UUID = field(default_factory=uuid4)
    token: str = field(default_factory=lambda: uuid4().hex)

    @property
    def telemetry(self):
        return topics.telemetry(self.id)


class PeerHub:
    """The remote hub, as far as `POST /api/v1/broker/login` goes."""

    def __init__(self):
        self.port = free_port()
        self.project_id = uuid4()
        self.logins = {}
        self.asked = []  # user names, in the order of the requests
        self.answer = None  # given instead of the true answer
        self._runner = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def add(self, kind, project_id=None, **fields):
        login = Login(kind, project_id or self.project_id, **fields)
        self.logins[str(login.id)] = login
        return login

    def sensor(self, agent=None, project_id=None):
        return self.add("sensor", project_id, agent_id=agent.id if agent else None)

    def agent(self, default=True, project_id=None):
        return self.add("agent", project_id, default=default)

    async def start(self):
        app = web.Application()
        app.router.add_post("/api/v1/broker/login", self._login)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True).start()

    async def stop(self):
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _login(self, request):
        body = await request.json()
        self.asked.append(body["username"])
        if self.answer is not None:
            given = self.answer()
            return await given if inspect.isawaitable(given) else given
        login = self.logins.get(body["username"])
        if login is None or login.token != body["password"]:
            return web.json_response({"status": 401}, status=401)
        return web.json_response(
            {
                "kind": login.kind,
                "id": str(login.id),
                "project_id": str(login.project_id),
                "agent_id": str(login.agent_id) if login.agent_id else None,
                "default": login.default,
            }
        )


@dataclass
class Received:
    """A message that a client was sent."""

    topic: str
    payload: bytes
    packet_id: int | None
    dup: bool
    retain: bool


class Client:
    """An MQTT 3.1.1 client that does nothing by itself: no acknowledgement, no ping, no reconnect."""

    def __init__(self, reader, writer):
        self._reader = reader
        self._writer = writer
        self._packet_id = 0
        self._answers = {}
        self.code = None
        self.resumed = False
        self.received = []
        self.acknowledged = set()  # packet ids of own messages that the broker has acknowledged
        self.closed = asyncio.Event()
        self.auto_acknowledge = False
        self._task = None

    @classmethod
    async def connect(
        cls, port, username, password, *, client_id=None, clean=True, keepalive=60, will=None, auto_acknowledge=False
    ):
        client = cls(*await asyncio.open_connection("127.0.0.1", port))
        client.auto_acknowledge = auto_acknowledge
        flags = 0xC0 | (0x02 if clean else 0) | (0x2C if will else 0)
        fields = [client_id if client_id is not None else str(username), *(will or ()), str(username), password]
        body = _text("MQTT") + bytes([4, flags]) + struct.pack("!H", keepalive) + b"".join(map(_text, fields))
        client.send(0x10, body)
        kind, answer = await asyncio.wait_for(client._packet(), 10)
        assert kind == 0x20, f"{kind:#x} instead of CONNACK"
        client.resumed, client.code = bool(answer[0]), answer[1]
        client._task = asyncio.create_task(client._read())
        return client

    @property
    def payloads(self):
        return [int(message.payload) for message in self.received]

    def send(self, kind, body):
        self._writer.write(bytes([kind]) + _length(len(body)) + body)

    def publish(self, topic, payload, qos=1, retain=False):
        """Send a message and return its packet id, without waiting for anything."""
        self._packet_id = self._packet_id % 65535 + 1
        data = payload if isinstance(payload, bytes) else str(payload).encode()
        identity = struct.pack("!H", self._packet_id) if qos else b""
        self.send(0x30 | qos << 1 | retain, _text(topic) + identity + data)
        return self._packet_id

    async def published(self, topic, payload):
        """Send a message and wait until it is acknowledged."""
        packet_id = self.publish(topic, payload)
        await eventually(lambda: packet_id in self.acknowledged, f"an acknowledgement of {payload}")

    async def subscribe(self, *filters, within_s=10.0):
        self._packet_id = self._packet_id % 65535 + 1
        answer = self._answers[self._packet_id] = asyncio.get_running_loop().create_future()
        wanted = b"".join(_text(name) + b"\x01" for name in filters or (topics.TELEMETRY_FILTER,))
        self.send(0x82, struct.pack("!H", self._packet_id) + wanted)
        return list(await asyncio.wait_for(answer, within_s))

    def acknowledge(self, message):
        self.send(0x40, struct.pack("!H", message.packet_id))

    def acknowledge_all(self):
        for message in self.received:
            self.acknowledge(message)
        self.auto_acknowledge = True

    async def flush(self):
        await self._writer.drain()

    async def disconnect(self):
        self.send(0xE0, b"")
        await self.vanish()

    async def vanish(self):
        """Close the socket without a goodbye."""
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _read(self):
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            while True:
                kind, body = await self._packet()
                self._take(kind, body)
        self.closed.set()

    def _take(self, kind, body):
        if kind & 0xF0 == 0x30:
            size = struct.unpack("!H", body[:2])[0]
            topic, rest = body[2 : 2 + size].decode(), body[2 + size :]
            packet_id = struct.unpack("!H", rest[:2])[0] if kind & 0x06 else None
            message = Received(topic, rest[2:] if packet_id else rest, packet_id, bool(kind & 8), bool(kind & 1))
            self.received.append(message)
            if self.auto_acknowledge and packet_id:
                self.acknowledge(message)
        elif kind == 0x40:
            self.acknowledged.add(struct.unpack("!H", body)[0])
        elif kind == 0x90:
            self._answers.pop(struct.unpack("!H", body[:2])[0]).set_result(body[2:])

    async def _packet(self):
        kind = (await self._reader.readexactly(1))[0]
        size = shift = 0
        while True:
            byte = (await self._reader.readexactly(1))[0]
            size |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return kind, await self._reader.readexactly(size)


def _text(value):
    data = value.encode()
    return struct.pack("!H", len(data)) + data


def _length(size):
    encoded = bytearray()
    while True:
        size, byte = divmod(size, 128)
        encoded.append(byte | (0x80 if size else 0))
        if not size:
            return bytes(encoded)
