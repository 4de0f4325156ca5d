"""The embedded broker: amqtt, cured, on one address, with the accounts of the hub."""

import asyncio
import contextlib
import errno
import logging
import socket
from collections.abc import Collection
from functools import partial
from typing import Any, Final
from uuid import UUID

import structlog
from amqtt.contexts import Action, BrokerConfig, ListenerConfig
from amqtt.session import Session

from broker.accounts import Accounts
from broker.connections import Connection, Inlet, Outlet
from broker.cures import AuthenticateFirst, KeepUntilAcknowledged, RouteBeforeAcknowledging, RouteOverSnapshots
from broker.gate import ACCOUNT_ID, Gate
from broker.sending import SendingBroker
from broker.settings import BrokerSettings
from contract import topics

log: Final = structlog.get_logger(__name__)

REPORT_S: Final = 60.0
REFUSED_KEEP_S: Final = 600.0  # long enough to give an agent its new token
_REFUSED_AT: Final = "etp.refused_at"
RECHECK_S: Final = 1.0  # an assignment to an agent makes no noise here
_BACKLOG: Final = 1024  # every device comes back at once after a restart


class PortInUse(RuntimeError):
    """Another program listens on the broker's port."""


class Serving(SendingBroker):
    """Listens, lets go of clients whose token is revoked, and tells how it goes."""

    def __init__(self, settings: BrokerSettings, accounts: Accounts) -> None:
        for name in ("amqtt", "transitions"):
            logging.getLogger(name).setLevel(logging.WARNING)
        super().__init__(
            BrokerConfig(
                listeners={"default": ListenerConfig(bind=f"{settings.mqtt_host}:{settings.mqtt_port}")},
                plugins={"broker.gate.Gate": {"accounts": accounts}},
            ),
            queue_bytes=settings.broker_queue_bytes,
        )
        self._settings = settings
        self._accounts = accounts
        self._gate = next(plugin for plugin in self.plugins_manager.plugins if isinstance(plugin, Gate))
        self._socket: socket.socket | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._next_subscription = asyncio.Event()
        self._messages = 0

    @property
    def port(self) -> int:
        """The TCP port that the broker listens on."""
        if self._socket is None:
            raise RuntimeError("the broker is not started")
        return self._socket.getsockname()[1]

    async def start(self) -> None:
        """Listen; on return clients may connect. Raises `PortInUse`."""
        self._socket = _listen(self._settings.mqtt_host, self._settings.mqtt_port)
        await super().start()
        self._tasks = [asyncio.create_task(self._let_go_of_refused()), asyncio.create_task(self._report())]

    async def shutdown(self) -> None:
        """Stop listening, disconnect everybody and say what is lost with the memory."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for server in self._servers.values():
            server.instance.close()
        undelivered = sum(_undelivered(session) for session, _ in self._sessions.values())
        for _, connection in tuple(self._sessions.values()):
            if isinstance(connection, Connection):
                connection.cut()
        await super().shutdown()
        log.info("broker stopped", undelivered=undelivered)

    async def _create_server_instance(self, listener_name: str, *_: Any, **__: Any) -> asyncio.Server:
        connected = partial(self.stream_connected, listener_name=listener_name)
        return await asyncio.start_server(connected, sock=self._socket, backlog=_BACKLOG)

    async def stream_connected(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, listener_name: str
    ) -> None:
        """Serve one client."""
        inlet = Inlet(reader, self._settings.broker_packet_bytes)
        await self._client_connected(listener_name, inlet, Outlet(writer))

    async def _topic_filtering(self, session: Session, topic: str, action: Action) -> bool:
        # amqtt asks its plugins in tasks. Asked directly, they answer for all receivers of a message at one moment: an
        # assignment that changes between two answers would give the message to both agents, or to none.
        return await self._gate.topic_filtering(session=session, topic=topic, action=action)

    async def _broadcast_message(
        self,
        session: Session | None,
        topic: str | None,
        data: bytes | bytearray | None,
        force_qos: int | None = None,
    ) -> None:
        self._messages += 1
        if session is not None and topic is not None and not await self._someone_receives(session, topic):
            return
        await super()._broadcast_message(session, topic, data, force_qos)

    async def _someone_receives(self, session: Session, topic: str) -> bool:
        """Wait until an edge agent would get this telemetry; False when its publisher went away meanwhile."""
        # Subscriptions die with the broker, and after its restart sensors are quicker than their agent. An
        # acknowledgement for what nobody gets would lose it: the publisher keeps it until somebody is there.
        if (parsed := topics.parse(topic)) is None or parsed.kind != "telemetry":
            return True
        deadline = self._loop.time() + self._settings.broker_grace_s
        connection = self._get_handler(session)
        told = False
        while self._loop.time() < deadline and not await self.receivers(topic):
            if not isinstance(connection, Connection) or connection.gone:
                return False
            if not told:
                log.warning("telemetry waits: no edge agent receives it", sensor=str(parsed.id))
                told = True
            next_subscription = self._next_subscription
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(RECHECK_S, max(0.0, deadline - self._loop.time()))):
                    await next_subscription.wait()
        return True

    async def add_subscription(self, subscription: tuple[str, int], session: Session) -> int:
        """Subscribe a session; returns the granted QoS, 0x80 when it was denied."""
        granted = await super().add_subscription(subscription, session)
        self._next_subscription.set()
        self._next_subscription = asyncio.Event()
        return granted

    async def retain_message(
        self,
        source_session: Session | None,
        topic_name: str | None,
        data: bytes | bytearray | None,
        qos: int | None = None,
    ) -> None:
        """Retain an agent's status; of anything else the newest is not worth more than the rest."""
        parsed = topics.parse(topic_name or "")
        if parsed is not None and parsed.kind == "status":
            await super().retain_message(source_session, topic_name, data, qos)

    async def _let_go_of_refused(self) -> None:
        async for account_id in self._accounts.watch(self._in_use):
            for client_id, (session, connection) in tuple(self._sessions.items()):
                if session.attributes.get(ACCOUNT_ID) == account_id:
                    log.warning("token no longer valid: client disconnected", client=client_id)
                    session.attributes[_REFUSED_AT] = self._loop.time()
                    if isinstance(connection, Connection):
                        connection.cut()

    def _in_use(self) -> Collection[UUID]:
        owners = (session.attributes.get(ACCOUNT_ID) for session, _ in self._sessions.values())
        return {owner for owner in owners if isinstance(owner, UUID)}

    async def _session_monitor(self) -> None:
        # amqtt's own lists the sessions to end first and ends them later, by client id, whoever has it by then.
        while True:
            await asyncio.sleep(1.0)
            for client_id, held in tuple(self._sessions.items()):
                if self._sessions.get(client_id) is held and self._is_over(held[0]):
                    await self._delete_session(client_id)

    def _is_over(self, session: Session) -> bool:
        refused_at = session.attributes.get(_REFUSED_AT)
        expired = isinstance(refused_at, float) and self._loop.time() - refused_at > REFUSED_KEEP_S
        return session.transitions.state == "disconnected" and (bool(session.clean_session) or expired)

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(REPORT_S)
            sessions = [session for session, _ in self._sessions.values()]
            log.info(
                "broker runs",
                connected=sum(session.transitions.state == "connected" for session in sessions),
                messages=self._messages,
                undelivered=sum(map(_undelivered, sessions)),
            )


class EmbeddedBroker(Serving, AuthenticateFirst, RouteBeforeAcknowledging, RouteOverSnapshots):
    """amqtt 0.12.1 with every cure."""

    handler_class = KeepUntilAcknowledged


def _undelivered(session: Session) -> int:
    return session.retained_messages.qsize() + len(session.inflight_out)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        if error.errno != errno.EADDRINUSE:
            raise
        raise PortInUse(
            f"port {port} on {host} is in use by another program: stop it, or set ETP_MQTT_PORT to a free port"
        ) from error
    return listening
