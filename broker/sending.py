"""A broker that gives every session a bounded queue and every connection one task that sends from it."""

import asyncio
import contextlib
from typing import ClassVar, Final

import structlog
from amqtt.adapters import ReaderAdapter, WriterAdapter
from amqtt.broker import Broker, Server
from amqtt.contexts import Action, BrokerConfig
from amqtt.errors import AMQTTError, MQTTError, ProtocolHandlerError
from amqtt.mqtt.constants import QOS_1
from amqtt.mqtt.protocol.broker_handler import BrokerProtocolHandler
from amqtt.session import OutgoingApplicationMessage, Session

from broker.connections import WINDOW, Connection, Outbox

log: Final = structlog.get_logger(__name__)


class SendingBroker(Broker):
    """amqtt's broker with `queue_bytes` of memory for each subscriber; `handler_class` speaks to the clients."""

    handler_class: ClassVar[type[Connection]] = Connection

    def __init__(self, config: BrokerConfig, *, queue_bytes: int) -> None:
        super().__init__(config)
        self._queue_bytes = queue_bytes
        self._senders: dict[Connection, asyncio.Task[None]] = {}

    async def _handle_client_session(  # noqa: PLR0917 - amqtt's signature
        self,
        reader: ReaderAdapter,
        writer: WriterAdapter,
        client_session: Session,
        handler: BrokerProtocolHandler,
        server: Server,
        listener_name: str,
    ) -> None:
        if not isinstance(client_session.retained_messages, Outbox):
            client_session.retained_messages = Outbox(self._queue_bytes, client_session.client_id or "")
        connection = self.handler_class(self.plugins_manager, loop=self._loop)
        log.info(
            "client connected",
            client=client_session.client_id,
            address=client_session.remote_address,
            resumed=bool(client_session.parent),
            waiting=client_session.retained_messages.qsize(),
        )
        try:
            await super()._handle_client_session(reader, writer, client_session, connection, server, listener_name)
        except OSError as error:
            log.info("connection lost while it was set up", client=client_session.client_id, reason=str(error))
        finally:
            await self._end(connection, client_session)

    async def _end(self, connection: Connection, session: Session) -> None:
        if sender := self._senders.pop(connection, None):
            sender.cancel()
        connection.cut()
        await self._stop_handler(connection)
        # amqtt leaves a session connected for ever when its set-up failed or its client broke the protocol.
        if self._get_handler(session) is connection and session.transitions.state == "connected":
            session.transitions.disconnect()
        connection.ended.set()
        log.info("client disconnected", client=session.client_id)

    async def _publish_session_retained_messages(self, session: Session) -> None:
        # amqtt calls this when a connection is up. What waits, and all that follows, is sent beside the connection's
        # own loop, in order: first what was sent before and never acknowledged.
        if isinstance(connection := self._get_handler(session), Connection):
            self._senders[connection] = asyncio.create_task(self._send(session, connection))

    async def _send(self, session: Session, connection: Connection) -> None:
        try:
            await connection.send_again()
            while True:
                while len(session.inflight_out) >= WINDOW:
                    connection.acknowledged.clear()
                    await connection.acknowledged.wait()
                message = await session.retained_messages.get()
                await connection.mqtt_publish(message.topic, message.data, message.qos, retain=False)
        except (AMQTTError, MQTTError, ProtocolHandlerError, OSError) as error:
            log.info("sending to a client ended", client=session.client_id, reason=str(error))
            connection.cut()

    async def receivers(self, topic: str) -> list[tuple[Session, int]]:
        """Return the sessions that are subscribed to a topic and may receive it, each with its QoS."""
        found: list[tuple[Session, int]] = []
        for topic_filter, subscriptions in tuple(self._subscriptions.items()):
            if self._matches(topic, topic_filter):
                for session, qos in tuple(subscriptions):
                    if await self._topic_filtering(session, topic, Action.RECEIVE):
                        found.append((session, qos))
        return found

    async def offer(self, session: Session, topic: str, data: bytes | bytearray, qos: int) -> None:
        """Queue a message for a session; while its queue is full, wait."""
        if session.transitions.state == "connected" or (qos >= QOS_1 and not session.clean_session):
            await session.retained_messages.put(OutgoingApplicationMessage(None, topic, qos, data, retain=False))

    async def add_subscription(self, subscription: tuple[str, int], session: Session) -> int:
        """Subscribe a session with at most QoS 1; returns what was granted, 0x80 when it was denied."""
        topic_filter, qos = subscription
        return await super().add_subscription((topic_filter, min(qos, QOS_1)), session)

    async def _publish_retained_messages_for_subscription(
        self, subscription: tuple[str, int], session: Session
    ) -> None:
        # amqtt sends whoever connects the retained messages of everybody's filters. Only statuses are retained here,
        # and no account may receive those.
        return

    async def _delete_session(self, client_id: str) -> None:
        session = self._sessions[client_id][0] if client_id in self._sessions else None
        await super()._delete_session(client_id)
        if session is not None and isinstance(session.retained_messages, Outbox):
            session.retained_messages.close()

    async def _cleanup_session(self, client_id: str) -> None:
        # All at once, before anything is awaited: a client that comes back meanwhile begins with a new session.
        connection = self._sessions[client_id][1] if client_id in self._sessions else None
        await self._delete_session(client_id)
        if isinstance(connection, Connection) and not connection.ended.is_set():
            with contextlib.suppress(TimeoutError):
                await connection.let_go()
