"""Publishes the AsyncAPI document of the streams: what travels over sockets, event streams and MQTT."""

from collections.abc import Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Any, Final, NamedTuple, get_args

import orjson
from aiohttp import web
from pydantic import BaseModel

from contract import frames, topics
from hub.kit import wire
from hub.kit.endpoint import Endpoint
from hub.kit.openapi import schema_of
from hub.live import messages
from hub.openapi import API_VERSION, TITLE
from hub.telemetry import socket_models, standing

PATH: Final = wire.API_PREFIX + "/asyncapi.json"
JSON: Final = "application/json"
TELEMETRY: Final = wire.API_PREFIX + "/telemetry"
DESCRIPTION: Final = (
    "Actions are the hub's: it receives what clients send. Times are seconds since 1970 unless they say otherwise. "
    "Over the WebSocket each message is one JSON text, told apart by `op`, or a binary frame of samples where a "
    "subscription asked for it. Server-sent events are named by the same `op`; their id is the cursor to resume at."
)


SENSOR_ID: Final = {"sensor_id": "The sensor's id, which is its user name, too."}


class Message(NamedTuple):
    """A message of a channel: a model whose docstring explains it, or bytes with a layout."""

    name: str
    kind: Any
    mode: str
    media: str = JSON
    layout: dict[str, Any] | None = None


class Channel(NamedTuple):
    """A way in or out of the hub: what it receives and sends there."""

    name: str
    address: str
    explains: str
    receives: Sequence[Message]
    sends: Sequence[Message]
    parameters: Mapping[str, str] = MappingProxyType({})
    bindings: Mapping[str, Any] = MappingProxyType({})
    operation_bindings: Mapping[str, Any] = MappingProxyType({})


def channels(endpoints: Sequence[Endpoint]) -> tuple[Channel, ...]:
    """List every channel. One that is added to the hub, as the telemetry socket, is one more entry here."""
    packet, receipt = _telemetry(endpoints)
    return (
        Channel(
            "live",
            wire.API_PREFIX + "/live",
            "Watch samples and events over a WebSocket; the first message says who watches.",
            _models(messages.Message, "validation"),
            (*_models(messages.Said, "serialization"), FRAME),
            bindings={"ws": {"method": "GET"}},
        ),
        Channel(
            "liveEvents",
            wire.API_PREFIX + "/live/events",
            "Watch samples and events over server-sent events; Last-Event-ID resumes.",
            (),
            [one for one in _models(messages.Said, "serialization") if one.name not in {"Ready", "Pong"}],
        ),
        Channel(
            "telemetry",
            TELEMETRY,
            "Deliver samples by POST; answered once they are durable. The same at /telemetry.",
            (Message("TelemetryPacket", packet, "validation"),),
            (Message("TelemetryReceipt", receipt, "serialization"),),
        ),
        Channel(
            "telemetrySocket",
            TELEMETRY,
            "Deliver samples over a WebSocket: a batch a message, JSON as text or msgpack as binary, each acknowledged "
            "in order. The token comes in the header or in the first message. The same at /telemetry.",
            (Message("TelemetryPacket", packet, "validation"), *_controls()),
            [Message(kind.__name__, kind, "serialization") for kind in socket_models.SaidOverSocket],
            bindings={"ws": {"method": "GET"}},
        ),
        Channel(
            "telemetryStream",
            TELEMETRY + "/stream",
            "Deliver samples by a POST that goes on, a packet on each line, acknowledged by server-sent events "
            "meanwhile. The same at /telemetry/stream.",
            (Message("TelemetryPacket", packet, "validation"), *_controls()),
            [Message(kind.__name__, kind, "serialization") for kind in socket_models.SaidOverStream],
        ),
        Channel(
            "mqttTelemetry",
            _address(topics.TELEMETRY_FILTER, "sensor_id"),
            "Deliver a sensor's samples over MQTT, QoS 1, to the edge agent: a packet, or a bare number.",
            (
                Message("TelemetryPacket", packet, "validation"),
                Message("BareNumber", float, "validation"),
            ),
            (),
            SENSOR_ID,
            operation_bindings={"mqtt": {"qos": 1}},
        ),
        Channel(
            "mqttHeartbeat",
            _address(topics.HEARTBEAT_FILTER, "sensor_id"),
            "Give a sign of life of a sensor; what the message holds does not matter.",
            (Message("Heartbeat", str, "validation", "text/plain"),),
            (),
            SENSOR_ID,
            operation_bindings={"mqtt": {"qos": 1}},
        ),
    )


FRAME: Final = Message(
    "BinaryFrame",
    bytes,
    "serialization",
    frames.MEDIA_TYPE,
    {
        "byteOrder": "little-endian",
        "head": [field._asdict() for field in frames.HEAD_FIELDS],
        "series": [field._asdict() for field in frames.SERIES_FIELDS],
        "columns": [field._asdict() for field in frames.COLUMNS],
        "gaps": [field._asdict() for field in frames.GAP_FIELDS],
        "order": frames.ORDER,
    },
)


def render(endpoints: Sequence[Endpoint]) -> bytes:
    """Write the document as indented JSON."""
    return orjson.dumps(document(channels(endpoints)), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def mount(app: web.Application, endpoints: Sequence[Endpoint]) -> None:
    """Serve the document to everybody; it is written when somebody first asks."""
    body = cache(lambda: render(endpoints))

    async def serve(_request: web.Request) -> web.Response:
        return web.Response(body=body(), content_type=JSON)

    app.router.add_get(PATH, serve)


def document(all_channels: Sequence[Channel]) -> dict[str, Any]:
    """Build the AsyncAPI 3.0 document of some channels."""
    schemas: dict[str, Any] = {}
    known: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    described: dict[str, Any] = {}
    for channel in all_channels:
        for message in (*channel.receives, *channel.sends):
            known[message.name] = _message(message, schemas)
        for action, its in (("receive", channel.receives), ("send", channel.sends)):
            if its:
                operations[f"{action}_{channel.name}"] = _operation(action, channel, its)
        described[channel.name] = {
            "address": channel.address,
            "description": channel.explains,
            "messages": {one.name: _ref("messages", one.name) for one in (*channel.receives, *channel.sends)},
            "bindings": dict(channel.bindings),
            "parameters": {name: {"description": text} for name, text in channel.parameters.items()},
        }
    return {
        "asyncapi": "3.0.0",
        "info": {"title": TITLE, "version": API_VERSION, "description": DESCRIPTION, "license": {"name": "Apache-2.0"}},
        "defaultContentType": JSON,
        "channels": described,
        "operations": operations,
        "components": {"messages": dict(sorted(known.items())), "schemas": dict(sorted(schemas.items()))},
    }


def _operation(action: str, channel: Channel, its: Sequence[Message]) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel.name}"},
        "messages": [{"$ref": f"#/channels/{channel.name}/messages/{one.name}"} for one in its],
        "bindings": dict(channel.operation_bindings),
    }


def _message(message: Message, schemas: dict[str, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {"name": message.name, "contentType": message.media}
    if message.layout is not None:
        return described | {"payload": {"type": "string", "format": "binary"}, "x-layout": message.layout}
    if isinstance(message.kind, type) and issubclass(message.kind, BaseModel):
        described["summary"] = (message.kind.__doc__ or "").split("\n", 1)[0]
    return described | {"payload": schema_of(message.kind, message.mode, schemas)}


def _models(union: Any, mode: str) -> list[Message]:
    """List the models of a union that is told apart by `op`."""
    return [Message(kind.__name__, kind, mode) for kind in get_args(get_args(union)[0])]


def _controls() -> list[Message]:
    """List control messages of telemetry, which are told from packets by their `op`."""
    return [Message(kind.__name__, kind, "validation") for kind in get_args(standing.Control)]


def _telemetry(endpoints: Sequence[Endpoint]) -> tuple[Any, Any]:
    for endpoint in endpoints:
        if (endpoint.method, endpoint.path) == ("POST", TELEMETRY):
            return endpoint.body, endpoint.answer
    raise LookupError(TELEMETRY)


def _address(topic_filter: str, parameter: str) -> str:
    return topic_filter.replace("+", "{" + parameter + "}")


def _ref(part: str, name: str) -> dict[str, str]:
    return {"$ref": f"#/components/{part}/{name}"}
