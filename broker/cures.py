"""Cures for the five ways in which amqtt 0.12.1 loses messages of QoS 1, inherited by the embedded broker.

Faults 3 and 4 have one cause, that amqtt waits for each PUBACK in the task that sends, and so one cure.
"""

import asyncio
import math
from typing import Final

from amqtt.adapters import ReaderAdapter, WriterAdapter
from amqtt.broker import Server
from amqtt.contexts import ListenerConfig
from amqtt.errors import AMQTTError
from amqtt.mqtt.connack import NOT_AUTHORIZED, ConnackPacket
from amqtt.mqtt.protocol.broker_handler import BrokerProtocolHandler
from amqtt.mqtt.puback import PubackPacket
from amqtt.mqtt.pubcomp import PubcompPacket
from amqtt.mqtt.pubrec import PubrecPacket
from amqtt.mqtt.pubrel import PubrelPacket
from amqtt.session import INCOMING, ApplicationMessage, IncomingApplicationMessage, OutgoingApplicationMessage, Session

from broker.connections import Connection, Inbox, Outlet
from broker.sending import SendingBroker

CONNECT_TIMEOUT_S: Final = 10.0


class RouteOverSnapshots(SendingBroker):
    """Fault 1: a subscriber missed a message when the one before it went away in the same moment."""

    async def _broadcast_message(
        self,
        session: Session | None,
        topic: str | None,
        data: bytes | bytearray | None,
        force_qos: int | None = None,
    ) -> None:
        # amqtt awaits while it iterates over the lists that an ending session is removed from: the next one moves up
        # into the place just left. `receivers` goes over copies, which do not move.
        if topic is not None and data is not None:
            for target, qos in await self.receivers(topic):
                await self.offer(target, topic, data, qos)


class RouteBeforeAcknowledging(SendingBroker):
    """Fault 2: acknowledged messages were thrown away when their publisher disconnected."""

    async def _handle_client_session(  # noqa: PLR0917 - amqtt's signature
        self,
        reader: ReaderAdapter,
        writer: WriterAdapter,
        client_session: Session,
        handler: BrokerProtocolHandler,
        server: Server,
        listener_name: str,
    ) -> None:
        # amqtt puts a message into this queue, acknowledges it, and routes it later, unless the client is gone by
        # then. With a queue whose `put` routes, the acknowledgement says what it should.
        async def route(message: ApplicationMessage) -> None:
            done: asyncio.Future[ApplicationMessage] = asyncio.get_running_loop().create_future()
            done.set_result(message)
            connection = self._get_handler(client_session)
            if connection is None or await self._handle_message_delivery(client_session, connection, done):
                return
            if isinstance(connection, Connection):
                connection.cut()

        client_session.delivered_message_queue = Inbox(route, reader)
        await super()._handle_client_session(reader, writer, client_session, handler, server, listener_name)


class KeepUntilAcknowledged(Connection):
    """Faults 3 and 4: messages were forgotten on disconnect and after 5 s, and SUBACK waited for their PUBACKs."""

    async def _handle_qos1_message_flow(
        self, app_message: OutgoingApplicationMessage | IncomingApplicationMessage
    ) -> None:
        if app_message.direction == INCOMING:
            await super()._handle_qos1_message_flow(app_message)
            return
        # Nobody waits for the PUBACK, so no time-out, lost connection or silent client can make anybody forget the
        # message or stand still: it belongs to the session until `handle_puback` takes it out.
        if self.session is None or app_message.packet_id is None:
            raise AMQTTError("a message of QoS 1 without session or packet id")
        if isinstance(app_message, OutgoingApplicationMessage):
            self.session.inflight_out[app_message.packet_id] = app_message
        packet = app_message.build_publish_packet(dup=app_message.publish_packet is not None)
        app_message.publish_packet = packet
        await self._send_packet(packet)

    async def handle_puback(self, puback: PubackPacket) -> None:
        """Take a subscriber's acknowledgement: its session need not keep the message any longer."""
        if self.session is not None:
            self.session.inflight_out.pop(puback.packet_id, None)
        self.acknowledged.set()

    async def _retry_deliveries(self) -> None:
        # amqtt re-sends before it reads a SUBSCRIBE; here `send_again` does it beside.
        return

    async def send_again(self) -> None:
        """Send once more, in order, what an earlier connection of the session sent and saw no acknowledgement of."""
        for message in list(self.session.inflight_out.values()) if self.session else ():
            await self._handle_message_flow(message)

    async def _handle_qos2_message_flow(
        self, app_message: OutgoingApplicationMessage | IncomingApplicationMessage
    ) -> None:
        # Taken as at-least-once: a message repeated over a lost connection is a duplicate that the hub drops.
        if self.session is None or app_message.packet_id is None:
            raise AMQTTError("a message of QoS 2 without session or packet id")
        await self.session.delivered_message_queue.put(app_message)
        await self._send_packet(PubrecPacket.build(app_message.packet_id))

    async def handle_pubrel(self, pubrel: PubrelPacket) -> None:
        """End a publisher's QoS 2 exchange."""
        await self._send_packet(PubcompPacket.build(pubrel.packet_id))


class AuthenticateFirst(SendingBroker):
    """Fault 5: whoever named a client id wiped that client's session, before a password was asked for."""

    async def _initialize_client_session(
        self, reader: ReaderAdapter, writer: WriterAdapter, remote_address: str, remote_port: int
    ) -> tuple[BrokerProtocolHandler, Session]:
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                handler, arrived = await BrokerProtocolHandler.init_from_connect(reader, writer, self.plugins_manager)
        except Exception as error:
            await _close(writer)
            raise AMQTTError(f"no valid CONNECT from {remote_address}:{remote_port}: {error!r}") from error
        # amqtt looks up, resumes or deletes the session of the client id first and asks for the password afterwards.
        if not await super()._authenticate(arrived, self.listeners_config["default"]):
            await ConnackPacket.build(0, NOT_AUTHORIZED).to_stream(writer)
            await _close(writer)
            raise AMQTTError(f"login refused to {remote_address}:{remote_port}")
        try:
            return handler, await self._session_for(arrived)
        except TimeoutError as error:
            await _close(writer)
            raise AMQTTError(f"{arrived.client_id} did not let go of its session") from error

    async def _authenticate(self, session: Session, _: ListenerConfig) -> bool:
        return True  # nobody comes this far without having been asked

    async def _session_for(self, arrived: Session) -> Session:
        client_id = arrived.client_id or ""
        arrived.keep_alive = math.ceil(arrived.keep_alive * 1.5)
        # The old connection has to be over before the new one begins: amqtt lets its late end disconnect the new one.
        while (held := self._sessions.get(client_id)) and held[0].transitions.state == "connected":
            if isinstance(held[1], Connection):
                await held[1].let_go()
        await self._forget_others(arrived)
        kept = self._sessions[client_id][0] if client_id in self._sessions else None
        if kept is None or kept.clean_session or arrived.clean_session:
            await self._delete_session(client_id)
            arrived.parent = 0
            return arrived
        for name in _RENEWED:
            setattr(kept, name, getattr(arrived, name))
        kept.parent = 1
        return kept

    async def _forget_others(self, arrived: Session) -> None:
        # One persistent session an account: what waits under a client id no longer used would wait, and fill, for ever.
        if not arrived.clean_session:
            for client_id, (session, _) in tuple(self._sessions.items()):
                unused = session.transitions.state == "disconnected"
                if session.username == arrived.username and client_id != arrived.client_id and unused:
                    await self._delete_session(client_id)


_RENEWED: Final = (
    "attributes",
    "keep_alive",
    "password",
    "remote_address",
    "remote_port",
    "ssl_object",
    "username",
    "will_flag",
    "will_message",
    "will_qos",
    "will_retain",
    "will_topic",
)


async def _close(writer: WriterAdapter) -> None:
    try:
        async with asyncio.timeout(1.0):
            await writer.close()
    except (OSError, TimeoutError):
        if isinstance(writer, Outlet):
            writer.abort()
