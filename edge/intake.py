"""Messages from the broker into the spool, acknowledged only once they are on disk."""

import asyncio
import contextlib
import math
import socket
import sqlite3
import ssl
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, NamedTuple, TypeVar
from uuid import UUID

import aiomqtt
import msgspec
import structlog
from paho.mqtt.enums import MessageType

from contract import topics
from edge.backoff import Backoff
from edge.entries import Taken, to_entries
from edge.heartbeats import Heartbeats
from edge.parse import Unreadable, parse
from edge.profiles import Profiles
from edge.spool import Entry, Refused, Spool, size_of
from edge.status import Status
from edge.unreadable import Fault

T = TypeVar("T")

log: Final = structlog.get_logger(__name__)

MAX_MESSAGES: Final = 200  # a commit's worth; more only delays the acknowledgement
QUIET_S: Final = 2.0  # after which a session that is left holds nothing more
MAX_UNREAD: Final = 20_000  # in memory while the spool is full; beyond it the broker must do the keeping
_PUBACK: Final = b"\x40\x02"  # of MQTT 3.1.1; the number of the message follows
_KEPT_OF_UNREADABLE_BYTES: Final = 4096


class BrokerAddress(NamedTuple):
    """Where the broker listens."""

    host: str
    port: int
    tls: bool


class Identity(NamedTuple):
    """Who the agent is on the broker; instances above 0 share the agent's messages, each message going to one."""

    agent_id: UUID
    instance: int = 0

    @property
    def login(self) -> str:
        """Name the user, which is the client id too."""
        return topics.login(self.agent_id, self.instance)

    @property
    def filters(self) -> list[str]:
        """Name what to subscribe to."""
        filters = [topics.TELEMETRY_FILTER, topics.HEARTBEAT_FILTER]
        return [topics.shared(self.agent_id, name) for name in filters] if self.instance else filters

    @property
    def status_topic(self) -> str:
        """Name the topic of the retained status."""
        return topics.status(self.agent_id, self.instance)


class SubscriptionRefused(aiomqtt.MqttError):
    """The broker does not let the agent subscribe."""


class SpoolFull(aiomqtt.MqttError):
    """The spool is full and too much lies unread in memory."""


class NotLeft(Exception):
    """The session on the broker could not be ended."""


class _Connection(aiomqtt.Client):
    """A client whose messages are acknowledged by hand: aiomqtt does it on receipt, and a crash loses what it held."""

    def acknowledge_by_hand(self) -> None:
        self._client.manual_ack_set(True)

    async def _wait_for(self, fut: Awaitable[T], timeout: float | None) -> T:
        # asyncio.wait_for, which aiomqtt uses, loses a stop that comes together with the answer (until Python 3.12).
        seconds = self.timeout if timeout is None else timeout
        try:
            async with asyncio.timeout(None if seconds == math.inf else seconds):
                return await fut
        except TimeoutError:
            raise aiomqtt.MqttError("Operation timed out") from None

    async def arrived(self, most: int) -> list[aiomqtt.Message]:
        """Wait for a message, and take what else is there."""
        messages = [await anext(self.messages)]
        # Its own iterator starts a task for each message, which is most of the cost of a busy session.
        while len(messages) < most and not self._queue.empty():
            messages.append(self._queue.get_nowait())
        return messages

    def acknowledge(self, messages: Sequence[aiomqtt.Message]) -> None:
        mids = [message.mid for message in messages if message.qos == 1]
        if mids:
            # As one packet: of its own accord paho makes two system calls for each, and the broker answers each alone.
            acks = b"".join(_PUBACK + mid.to_bytes(2, "big") for mid in mids)
            self._client._packet_queue(MessageType.PUBACK, acks, mids[-1], 1)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - as above


class Intake:
    """One persistent session on the broker, resumed for ever under the agent's id.

    `broker_problem` says why there is no session, `blocked` why messages are not taken; None while all is well.
    """

    def __init__(
        self,
        *,
        identity: Identity,
        address: BrokerAddress,
        read_token: Callable[[], str],
        spool: Spool,
        profiles: Profiles,
        heartbeats: Heartbeats,
        backoff: Backoff,
        now_us: Callable[[], int],
        status: Callable[[], Status],
        status_interval_s: float,
        drop_oldest: bool = False,
    ) -> None:
        self._identity = identity
        self._address = address
        self._read_token = read_token
        self._spool = spool
        self._profiles = profiles
        self._heartbeats = heartbeats
        self._backoff = backoff
        self._now_us = now_us
        self._status = status
        self._status_interval_s = status_interval_s
        self._drop_oldest = drop_oldest
        self.broker_problem: str | None = "not connected yet"
        self.blocked: str | None = None
        self.messages = 0
        self.samples = 0
        self.dropped = 0

    async def run(self) -> None:
        """Take messages for ever; when cancelled, say goodbye."""
        while True:
            try:
                await self._session()
            except* (aiomqtt.MqttError, OSError) as group:
                self.broker_problem = _reason(group)
            if (task := asyncio.current_task()) is not None and task.cancelling():
                # A broker that does not answer the goodbye must not swallow the stop.
                raise asyncio.CancelledError
            wait_s = self._backoff.next_s()
            log.warning("no session on the broker", reason=self.broker_problem, wait_s=wait_s)
            await asyncio.sleep(wait_s)
            if self.blocked is not None:
                # With nothing free the next session would only fill the memory again.
                await self._spool.room(self._spool.max_bytes // 10)

    async def leave(self) -> None:
        """Unsubscribe, take what the broker still holds for the session, and end it. Raises `NotLeft`.

        For an agent that will not come back: what its session holds, or gets as its share, would wait for ever.
        """
        try:
            async with self._connection() as client:
                await client.unsubscribe(self._identity.filters, timeout=60)
                self.broker_problem = None
                await self._take_the_rest(client)
                await self._publish_status(client, msgspec.structs.replace(self._status(), state="stopped"))
            async with self._connection(clean_session=True):
                log.info("session on the broker ended", messages=self.messages)
        except (aiomqtt.MqttError, OSError) as error:
            raise NotLeft(f"the session on the broker goes on, try again: {error}") from error

    async def _take_the_rest(self, client: _Connection) -> None:
        while True:
            try:
                async with asyncio.timeout(QUIET_S):
                    messages = await client.arrived(MAX_MESSAGES)
            except TimeoutError:
                return
            await self._take(client, messages)

    async def _session(self) -> None:
        async with self._connection() as client:
            try:
                async with asyncio.TaskGroup() as tasks:
                    # A task: the queued messages come first and wait for their acknowledgement.
                    tasks.create_task(self._attend(client))
                    await self._take_all(client)
            except asyncio.CancelledError:
                with contextlib.suppress(aiomqtt.MqttError):
                    await self._publish_status(client, msgspec.structs.replace(self._status(), state="stopped"))
                raise

    def _connection(self, *, clean_session: bool = False) -> _Connection:
        connection = _Connection(
            self._address.host,
            self._address.port,
            username=self._identity.login,
            password=self._read_token(),
            # Fixed, or the broker would not find the session with its waiting messages again.
            identifier=self._identity.login,
            clean_session=clean_session,
            keepalive=30,
            # Acknowledgements are tiny: without it each waits up to 40 ms for the broker to confirm the one before.
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
            tls_context=ssl.create_default_context() if self._address.tls else None,
            will=aiomqtt.Will(self._identity.status_topic, self._will(), qos=1, retain=True),
        )
        connection.acknowledge_by_hand()
        return connection

    def _will(self) -> bytes:
        # Whoever reads it must not take the counts of an agent that vanished for nought.
        return msgspec.json.encode(
            {"state": "offline", "agent": self._identity.agent_id, "instance": self._identity.instance}
        )

    async def _attend(self, client: _Connection) -> None:
        """Subscribe, then publish the retained status for ever."""
        codes = await client.subscribe([(name, 1) for name in self._identity.filters], timeout=60)
        values = [code if isinstance(code, int) else code.value for code in codes]
        if any(value >= 0x80 for value in values):
            raise SubscriptionRefused(f"subscription refused: {values}")
        self.broker_problem = None
        self._backoff.reset()
        log.info("session on the broker", host=self._address.host, port=self._address.port)
        while True:
            await self._publish_status(client, self._status())
            await asyncio.sleep(self._status_interval_s)

    async def _publish_status(self, client: _Connection, status: Status) -> None:
        await client.publish(self._identity.status_topic, msgspec.json.encode(status), qos=0, retain=True, timeout=5)

    async def _take_all(self, client: _Connection) -> None:
        while True:
            await self._take(client, await client.arrived(MAX_MESSAGES))

    async def _take(self, client: _Connection, messages: Sequence[aiomqtt.Message]) -> None:
        taken: list[Taken] = []
        refused: list[Refused] = []
        for message in messages:
            self._read(message, taken, refused)
        entries = to_entries(taken)
        await self._store(client, entries, refused)
        client.acknowledge(messages)
        self.messages += len(messages)
        self.samples += sum(entry.samples for entry in entries)

    def _read(self, message: aiomqtt.Message, taken: list[Taken], refused: list[Refused]) -> None:
        name = str(message.topic)
        topic = topics.parse(name)
        payload = bytes(message.payload)
        match topic:
            case topics.Topic("heartbeat", sensor_id):
                if not message.retain:
                    self._heartbeats.beat(sensor_id)
            case topics.Topic("telemetry", sensor_id):
                now_us = self._now_us()
                try:
                    clockless = self._profiles.is_clockless(sensor_id)
                    readings = parse(payload, sensor_id, now_us, replayed=message.retain, clockless=clockless)
                except Unreadable as error:
                    log.warning("message not readable", sensor=str(sensor_id), reason=str(error))
                    # What the broker repeats was told when it came.
                    fault = None if message.retain else Fault(sensor_id, error.code, str(error))
                    content = payload[:_KEPT_OF_UNREADABLE_BYTES]
                    refused.append(Refused(now_us, name, str(error), content, fault=fault))
                else:
                    versions = self._profiles.versions(sensor_id)
                    taken.extend(Taken(sensor_id, reading, versions) for reading in readings)
            case _:
                refused.append(Refused(self._now_us(), name, "no such topic", payload[:_KEPT_OF_UNREADABLE_BYTES]))

    async def _store(self, client: _Connection, entries: Sequence[Entry], refused: Sequence[Refused]) -> None:
        """Commit, waiting for room and for a disk that takes it; meanwhile nothing is acknowledged."""
        if not entries and not refused:
            return
        size = size_of(entries)
        while True:
            try:
                await self._make_room(size)
                await self._spool.append(entries, refused)
            except TimeoutError:
                problem = "the spool is full"
            except sqlite3.OperationalError as error:
                problem = str(error)
                await asyncio.sleep(1.0)
            else:
                self.blocked = None
                return
            if self.blocked is None:
                log.error("messages wait at the broker", reason=problem, waiting_bytes=self._spool.bytes)
            self.blocked = problem
            if len(client.messages) > MAX_UNREAD:
                raise SpoolFull(problem)

    async def _make_room(self, size: int) -> None:
        """Wait for room for a second, or drop what is oldest; raises TimeoutError."""
        if not self._drop_oldest:
            async with asyncio.timeout(1.0):
                await self._spool.room(size)
        elif not self._spool.fits(size):
            # What is being sent stays, so that the spool may exceed its bound by a batch and this one commit.
            samples = await self._spool.drop_oldest(size)
            self.dropped += samples
            if samples:
                log.error("spool full: oldest samples dropped", samples=samples, unreported=self._spool.unreported)


def _reason(group: BaseExceptionGroup[BaseException]) -> str:
    first: BaseException = group
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return f"{type(first).__name__}: {first}"
