"""What is said over a telemetry socket or stream; over a stream `op` is the event's name, and `n` the line."""

from typing import Literal

from pydantic import BaseModel, Field

from hub.kit.problems import ProblemDocument
from hub.telemetry.ingest_models import ReceiptOut


class TelemetryReady(BaseModel):
    """The token is good; batches are taken."""

    op: Literal["ready"]
    now: float = Field(description="The hub's time.")


class TelemetryAck(ReceiptOut):
    """A batch is durable, but for what was rejected of it."""

    op: Literal["ack"]
    n: int = Field(description="The batch's number on this connection, or the line that it stood on; from 1.")


class TelemetryProblem(ProblemDocument):
    """A batch or control message was refused, or without `n` the connection; 5xx: send it again later."""

    op: Literal["problem"]
    n: int | None = None
    retry_after_s: int | None = None


class TelemetryLimited(BaseModel):
    """More samples a second than the token may send: batch `n` waits for so long, and nothing more is read meanwhile.

    Its `ack` follows, so it must not be sent again on this connection.
    """

    op: Literal["limited"]
    n: int = Field(description="The number of the batch that waits, or the line that it stood on.")
    retry_after_s: float
    detail: str


class TelemetryHeartbeat(BaseModel):
    """A sign of life was noted."""

    op: Literal["heartbeat"]
    n: int | None = None
    now: float


class TelemetryPong(BaseModel):
    """The answer to a ping."""

    op: Literal["pong"]
    n: int | None = None
    now: float


class TelemetryEnd(BaseModel):
    """All lines are acknowledged; the stream is over."""

    op: Literal["end"]
    lines: int


SaidOverSocket = (TelemetryReady, TelemetryAck, TelemetryProblem, TelemetryLimited, TelemetryHeartbeat, TelemetryPong)
SaidOverStream = (*SaidOverSocket, TelemetryEnd)
