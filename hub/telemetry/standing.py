"""What stands while a connection does: its token, and the signs of life that come over it."""

import asyncio
from typing import Any, Final, Literal
from uuid import UUID

import msgspec
from pydantic import BaseModel, TypeAdapter, ValidationError

from hub.kit.problems import InvalidPayload, Problem, Unauthenticated
from hub.sensors import service as sensors
from hub.sensors.problems import NotYourSensor
from hub.telemetry.problems import TokensUnavailable
from hub.telemetry.receiving import Receiver

WATCH_S: Final = 0.3
BEAT_S: Final = 1.0


class TelemetryAuth(BaseModel):
    """Who sends: first from browsers, and again with a token that took the place of another."""

    op: Literal["auth"]
    token: str


class TelemetryBeat(BaseModel):
    """A sign of life; an edge agent names the sensor."""

    op: Literal["heartbeat"]
    sensor_id: UUID | None = None


class TelemetryPing(BaseModel):
    """Asks for the hub's time."""

    op: Literal["ping"]


Control = TelemetryAuth | TelemetryBeat | TelemetryPing
CONTROL: Final[TypeAdapter[Control]] = TypeAdapter(Control)


class _Op(msgspec.Struct):
    op: str | None = None


_OP: Final = msgspec.json.Decoder(_Op)


def is_control(text: bytes) -> bool:
    """Tell a control message from a packet, which has no `op`."""
    if b'"op"' not in text[:200]:
        return False
    try:
        return _OP.decode(text).op is not None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False


class Standing:
    """Watches over the token of a connection and notes its signs of life."""

    def __init__(self, receiver: Receiver) -> None:
        """Begin with the receiver's token."""
        self.receiver = receiver
        self._beaten_at_s: dict[UUID, float] = {}

    async def watch(self) -> Problem:
        """Return why the token is good no more, within a second; a database that is away changes nothing."""
        while True:
            await asyncio.sleep(WATCH_S)
            receiver = self.receiver
            try:
                receiver.device = await receiver.fabric.registry.device(receiver.token)
            except TokensUnavailable:
                continue
            except Problem as problem:
                return problem

    async def answer(self, text: bytes) -> tuple[str, dict[str, Any]]:
        """Do what a control message asks and return the answer's kind and fields.

        Raises InvalidPayload, NotYourSensor, DatabaseAway, and TokenUnknown or Unauthenticated for another token.
        """
        try:
            message = CONTROL.validate_json(text)
        except ValidationError as error:
            raise InvalidPayload.of(error, "message") from error
        now = {"now": self.receiver.hub.clock.now_us() / 1e6}
        match message:
            case TelemetryAuth(token=token):
                await self._renew(token)
                return "ready", now
            case TelemetryBeat(sensor_id=sensor_id):
                await self.beat(sensor_id)
                return "heartbeat", now
            case TelemetryPing():
                return "pong", now

    async def _renew(self, token: str) -> None:
        receiver = self.receiver
        device = await receiver.fabric.registry.device(token)
        if device.id != receiver.device.id:
            raise Unauthenticated("A connection belongs to one device; open another one.")
        receiver.token, receiver.device = token, device

    async def beat(self, sensor_id: UUID | None) -> None:
        """Note a sign of life, once a second at most; raises NotYourSensor, and DatabaseAway: the next one will do."""
        sensor = self.receiver.device.find(sensor_id)
        if sensor is None:
            raise NotYourSensor
        now_s = asyncio.get_running_loop().time()
        if now_s - self._beaten_at_s.get(sensor.id, -BEAT_S) < BEAT_S:
            return
        self._beaten_at_s[sensor.id] = now_s
        await sensors.note_heartbeat(self.receiver.hub, sensor.id)
