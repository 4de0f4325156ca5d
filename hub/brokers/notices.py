"""Listens to Mosquitto: who comes, who goes, who was refused, and which agents give a sign of life."""

import asyncio
import contextlib
import re
import ssl
from collections.abc import AsyncGenerator, Callable
from typing import Final, NamedTuple
from urllib.parse import urlsplit

import aiomqtt
import structlog

from contract import topics

log: Final = structlog.get_logger(__name__)

# The hub's own user, who may read what is named here and nothing else.
HUB_USER: Final = "hub"
NOTICES: Final = "$SYS/broker/log/N"
STATUSES: Final = "etp/v1/edge/#"
FIRST_PAUSE_S: Final = 0.1
LONGEST_PAUSE_S: Final = 5.0
_CAME: Final = re.compile(r"New client connected from \S+ as (\S+) \(p\d+, c(\d), ")
_WENT: Final = re.compile(r"(?:Client|Bad socket read/write on client) (\S+?):? (?!already connected)(.*)")
_REFUSED: Final = "Client <unknown> disconnected, not authorised."


class Came(NamedTuple):
    """A user is connected; `stays` tells that the session will outlive the connection."""

    user: str
    stays: bool


class Lives(NamedTuple):
    """An edge agent has told its status, which it does once it has subscribed."""

    user: str


class Went(NamedTuple):
    """A user's connection has ended; `revoked` tells that its token is good no more."""

    user: str
    revoked: bool


class Refused(NamedTuple):
    """Somebody was not let in; Mosquitto does not say who."""


Notice = Came | Lives | Went | Refused


def read_notice(text: str) -> Notice | None:
    """Read a line of Mosquitto's log; None for what does not matter here."""
    text = text.partition(": ")[2]
    if text == _REFUSED:
        return Refused()
    if came := _CAME.match(text):
        return Came(came[1], stays=came[2] == "0")
    if went := _WENT.match(text):
        return Went(went[1], revoked=went[2] == "disconnected, not authorised.")
    return None


def read_status(topic: str) -> Lives | None:
    """Read a sign of life off the topic of an agent's status."""
    match topic.split("/"):
        case ["etp", "v1", "edge", agent, "status"]:
            user = agent
        case ["etp", "v1", "edge", agent, "status", instance]:
            user = f"{agent}-{instance}"
        case _:
            return None
    return None if topics.parse_login(user) is None else Lives(user)


async def listen(password: str, mqtt_url: str, heard: Callable[[Notice], None]) -> None:
    """Pass on what is heard until cancelled; without a broker try again and again."""
    pause_s = FIRST_PAUSE_S
    while True:
        try:
            async with _session(password, mqtt_url) as client:
                log.info("listening to Mosquitto")
                pause_s = FIRST_PAUSE_S
                async for message in client.messages:
                    if (notice := _read(message)) is not None:
                        heard(notice)
        except (aiomqtt.MqttError, OSError) as error:
            log.info("Mosquitto cannot be listened to", reason=str(error), pause_s=pause_s)
        await asyncio.sleep(pause_s)
        pause_s = min(pause_s * 2, LONGEST_PAUSE_S)


@contextlib.asynccontextmanager
async def _session(password: str, mqtt_url: str) -> AsyncGenerator[aiomqtt.Client]:
    url = urlsplit(mqtt_url)
    tls = url.scheme == "mqtts"
    async with aiomqtt.Client(
        url.hostname or "127.0.0.1",
        url.port or (8883 if tls else 1883),
        username=HUB_USER,
        password=password,
        identifier=HUB_USER,
        keepalive=10,
        tls_context=ssl.create_default_context() if tls else None,
    ) as client:
        await client.subscribe([(NOTICES, 0), (STATUSES, 0)])
        yield client


def _read(message: aiomqtt.Message) -> Notice | None:
    name, payload = str(message.topic), bytes(message.payload)
    if name == NOTICES:
        return read_notice(payload.decode(errors="replace"))
    # What is retained tells of earlier, and a last will of nobody who is there.
    return None if message.retain or b'"offline"' in payload else read_status(name)
