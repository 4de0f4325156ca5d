"""One client's connection: its bytes, its queues, and the ways in which it ends."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from amqtt.adapters import StreamReaderAdapter, StreamWriterAdapter
from amqtt.mqtt.disconnect import DisconnectPacket
from amqtt.mqtt.protocol.broker_handler import BrokerProtocolHandler
from amqtt.mqtt.puback import PubackPacket
from amqtt.session import ApplicationMessage

log: Final = structlog.get_logger(__name__)

WINDOW: Final = 1000  # messages that a subscriber may owe an acknowledgement for
MOST_UNROUTED: Final = 500  # messages of one connection that wait for room; then its bytes stay in the socket
_OVERHEAD_BYTES: Final = 600  # of a queued message, beside its payload


class PacketTooLarge(Exception):
    """A packet is larger than the broker takes."""


class Inlet(StreamReaderAdapter):
    """A client's bytes, read only while `open` is set and never more than `most_bytes` for one field of a packet."""

    def __init__(self, reader: asyncio.StreamReader, most_bytes: int) -> None:
        super().__init__(reader)
        self.open = asyncio.Event()
        self.open.set()
        self._most_bytes = most_bytes

    async def read(self, n: int = -1) -> bytes:
        """Read exactly `n` bytes."""
        if n > self._most_bytes:
            raise PacketTooLarge(f"a packet of {n} bytes, the most is {self._most_bytes}")
        await self.open.wait()
        return await super().read(n)


class Outlet(StreamWriterAdapter):
    """A client's other direction, which can be cut off even when the client does not read."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        super().__init__(writer)
        self._stream = writer

    def abort(self) -> None:
        """End the connection without waiting for the other side."""
        self._stream.transport.abort()


class Inbox(asyncio.Queue[ApplicationMessage]):
    """Takes a connection's messages one after the other and routes each before `put` returns.

    QoS 0 (`put_nowait`) is dropped once `MOST_UNROUTED` messages wait; of QoS 1 no more is read then.
    """

    def __init__(self, route: Callable[[ApplicationMessage], Awaitable[None]], inlet: object) -> None:
        super().__init__()
        self._route = route
        self._inlet = inlet if isinstance(inlet, Inlet) else None
        self._in_order = asyncio.Lock()
        self._unacknowledged: set[asyncio.Task[None]] = set()
        self._waiting = 0

    async def put(self, item: ApplicationMessage) -> None:
        """Route a message; on return every subscriber's queue has it."""
        self._count(1)
        try:
            async with self._in_order:
                await self._route(item)
        finally:
            self._count(-1)

    def put_nowait(self, item: ApplicationMessage) -> None:
        """Route a message that nobody waits for; raises QueueFull when too many wait already."""
        if self._waiting >= MOST_UNROUTED:
            raise asyncio.QueueFull
        task = asyncio.create_task(self.put(item))
        self._unacknowledged.add(task)
        task.add_done_callback(self._unacknowledged.discard)

    def _count(self, change: int) -> None:
        self._waiting += change
        if self._inlet is not None:
            if self._waiting < MOST_UNROUTED:
                self._inlet.open.set()
            else:
                self._inlet.open.clear()


class Outbox(asyncio.Queue[ApplicationMessage]):
    """What waits for one subscriber; at `limit_bytes` it is full, and `put` waits until half of it is gone.

    Waiting there is a publisher's message that has no PUBACK yet: nothing acknowledged is dropped.
    """

    def __init__(self, limit_bytes: int, client_id: str) -> None:
        super().__init__()
        self.bytes = 0
        self._limit_bytes = limit_bytes
        self._client_id = client_id
        self._room = asyncio.Event()
        self._room.set()
        self._closed = False

    async def put(self, item: ApplicationMessage) -> None:
        """Queue a message, as soon as there is room; once closed, forget it."""
        while not self._room.is_set():
            await self._room.wait()
        if not self._closed:
            self.put_nowait(item)

    def close(self) -> None:
        """Forget everything, since the subscriber's session is no more, and let the publishers go on."""
        if self.qsize():
            log.warning("messages dropped with their subscriber's session", client=self._client_id, count=self.qsize())
        self._closed = True
        while not self.empty():
            self.get_nowait()
        self._room.set()

    def _put(self, item: ApplicationMessage) -> None:
        super()._put(item)
        self.bytes += len(item.data) + _OVERHEAD_BYTES
        if self.bytes >= self._limit_bytes and self._room.is_set():
            self._room.clear()
            log.warning("subscriber's queue full: its publishers wait", client=self._client_id, count=self.qsize())

    def _get(self) -> ApplicationMessage:
        item = super()._get()
        self.bytes -= len(item.data) + _OVERHEAD_BYTES
        if self.bytes <= self._limit_bytes // 2 and not self._room.is_set():
            self._room.set()
            log.info("subscriber's queue has room again", client=self._client_id, count=self.qsize())
        return item


class Connection(BrokerProtocolHandler):
    """amqtt's protocol handler, whose end is noticed however early or silently it comes."""

    def __init__(self, *arguments: object, **named: object) -> None:
        super().__init__(*arguments, **named)  # pyright: ignore[reportArgumentType] - handed through
        self._gone: asyncio.Future[DisconnectPacket | None] = asyncio.get_running_loop().create_future()
        self.acknowledged = asyncio.Event()
        self.ended = asyncio.Event()

    @property
    def gone(self) -> bool:
        """Whether the connection has ended or is about to."""
        return self._gone.done()

    async def wait_disconnect(self) -> DisconnectPacket | None:
        """Wait for the connection's end; the client's goodbye, None when it went without one."""
        return await self._gone

    async def handle_disconnect(self, disconnect: DisconnectPacket | None) -> None:
        """Note the end of the connection."""
        # amqtt looks out for it only once everything is re-sent; an end that came earlier was missed.
        if not self._gone.done():
            self._gone.set_result(disconnect)

    async def stop(self) -> None:
        """Stop reading and close the connection."""
        await self.handle_disconnect(None)
        await super().stop()

    async def handle_puback(self, puback: PubackPacket) -> None:
        """Take a subscriber's acknowledgement."""
        await super().handle_puback(puback)
        self.acknowledged.set()

    async def send_again(self) -> None:
        """Send what an earlier connection left unacknowledged; amqtt did it when the connection began."""

    def handle_read_timeout(self) -> None:
        """End a connection that has been silent for one and a half times its keep-alive; amqtt keeps it for ever."""
        log.info("client silent", client=self.session.client_id if self.session else None)
        self.cut()

    def cut(self) -> None:
        """End the connection without a goodbye."""
        if not self._gone.done():
            self._gone.set_result(None)
        if isinstance(self.writer, Outlet):
            self.writer.abort()

    async def let_go(self, within_s: float = 10.0) -> None:
        """End the connection and wait until its session is free; raises TimeoutError."""
        self.cut()
        async with asyncio.timeout(within_s):
            await self.ended.wait()
