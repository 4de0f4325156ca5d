"""The live channel's messages, in both directions; what the hub says travels over WebSocket and SSE alike."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field, TypeAdapter

from hub.captures.models import CaptureStatus
from hub.events.models import EventKind
from hub.kit.problems import ProblemDocument
from hub.sensors.models import SensorState
from hub.telemetry.models import CaptureLedger, Status

MOST_BACKLOG_S = 600.0


class Auth(BaseModel):
    """Who watches; sent first by browsers, and again with each fresh token."""

    op: Literal["auth"]
    access_token: str


class Subscribe(BaseModel):
    """Watch sensors, or those that are bound to runs, and the events of projects.

    `since` resumes after a cursor. `backlog_s` begins with the samples of the last seconds, also where `since` is no
    longer held. `ledger` has counts sent as they grow: of the projects' sensors, and of the captures of the runs. With
    `samples` false only these come of a run, and no samples.
    """

    op: Literal["subscribe"]
    sensors: list[UUID] = Field(default=[], max_length=5000)
    runs: list[UUID] = Field(default=[], max_length=100)
    projects: list[UUID] = Field(default=[], max_length=100)
    values: frozenset[Literal["raw", "physical"]] | None = None
    encoding: Literal["json", "binary"] = "json"
    since: str | None = Field(default=None, max_length=5000)
    backlog_s: float = Field(default=0.0, ge=0.0, le=MOST_BACKLOG_S)
    ledger: bool = False
    samples: bool = True


class Unsubscribe(BaseModel):
    """Stop watching sensors, the events of projects, or the ledgers of runs' captures."""

    op: Literal["unsubscribe"]
    sensors: list[UUID] = Field(default=[], max_length=5000)
    runs: list[UUID] = Field(default=[], max_length=100)
    projects: list[UUID] = Field(default=[], max_length=100)


class Ping(BaseModel):
    """Ask for a sign of life."""

    op: Literal["ping"]


Message = Annotated[Auth | Subscribe | Unsubscribe | Ping, Field(discriminator="op")]
MESSAGE: TypeAdapter[Auth | Subscribe | Unsubscribe | Ping] = TypeAdapter(Message)


class Ready(BaseModel):
    """The hub knows who watches; `now` is its clock in seconds since 1970, in every message that has it."""

    op: Literal["ready"] = "ready"
    now: float


class Pong(BaseModel):
    """The sign of life. `cursor` is where to resume should nothing else come; null while something is on its way."""

    op: Literal["pong"] = "pong"
    now: float
    cursor: str | None


class Subscribed(BaseModel):
    """What is watched from now on; of `runs` it is the ledgers of their captures.

    `cursor` is null where frames that fill it up are still to come: use theirs.
    """

    op: Literal["subscribed"] = "subscribed"
    sensors: list[UUID]
    projects: list[UUID]
    runs: list[UUID] = []
    cursor: str | None


class Gap(BaseModel):
    """Some of what came after `since` is held no longer.

    What follows is whole again from `whole_from` on (t in seconds since 1970; null: from what arrives now).
    """

    op: Literal["gap"] = "gap"
    since: str | None
    whole_from: float | None


class SampleColumns(BaseModel):
    """One sensor's samples: t in seconds since 1970; raw is absent where it may not be read, or was not asked for."""

    sensor_id: UUID
    t: list[float]
    raw: list[float] | None = None
    physical: list[float | None] | None = None
    status: list[Status]
    delay_ms: float | None = Field(description="Arrival of the newest packet minus its newest t; null in a backlog.")


class Samples(BaseModel):
    """A frame of samples; of `merged` more this viewer was too slow to get. Resume at `cursor` where there is one."""

    op: Literal["samples"] = "samples"
    cursor: str | None
    merged: int
    series: list[SampleColumns]


class Vector(BaseModel):
    """The newest vector of a sensor that has an axis; raw is absent where it may not be read, or was not asked for."""

    sensor_id: UUID
    t: float
    raw: list[float] | None = None
    physical: list[float | None] | None = None
    status: Status


class Vectors(BaseModel):
    """The newest vectors of what the frame before held the headlines of; older ones are left out."""

    op: Literal["vectors"] = "vectors"
    vectors: list[Vector]


class Happened(BaseModel):
    """An event of a project; `withheld` others of its kind and subject were not told since the last one."""

    op: Literal["event"] = "event"
    kind: EventKind
    project_id: UUID
    subject_id: UUID | None = Field(description="The sensor, capture or backfill, as the kind tells.")
    at: float
    details: dict[str, Any]
    withheld: int = 0


class Missed(BaseModel):
    """This viewer was too slow: so many events were left out."""

    op: Literal["missed"] = "missed"
    events: int


class SensorHealth(BaseModel):
    """Whether a sensor is heard; `last_heartbeat` in seconds since 1970."""

    sensor_id: UUID
    state: SensorState
    last_heartbeat: float | None


class States(BaseModel):
    """The states of all sensors of the projects just subscribed; later changes come as events `sensor_state`."""

    op: Literal["states"] = "states"
    sensors: list[SensorHealth]


class SensorCounts(BaseModel):
    """A sensor's ledger: received = stored + duplicates + rejected + pending, and late is part of stored."""

    sensor_id: UUID
    received: int
    stored: int
    duplicates: int
    rejected: int
    pending: int | None = Field(
        description="Durable in the stream, not yet in the database. Null while the stream cannot be asked: then "
        "received lacks it."
    )
    late: int
    differing: int = Field(description="Physical values that an edge agent computed otherwise.")
    lost: int = Field(description="Acknowledged, then gone with the stream's files; never part of received.")
    dropped: int = Field(description="Dropped by edge agents whose spools were full; never part of received.")
    sent: int | None = Field(
        description="Samples sent; known while all packets are numbered, none is missing and nothing lost or dropped."
    )
    gaps: int | None = Field(description="Missing packets; known where the device numbers its packets.")


class Counts(BaseModel):
    """The counts of sensors, of those whose counts have changed."""

    op: Literal["ledger"] = "ledger"
    sensors: list[SensorCounts]


class CaptureCounts(BaseModel):
    """What a capture of a watched run holds, as its ledger tells: now, and as it changes, once a second at most.

    It goes on until the capture is sealed or has failed, and ends with that status.
    """

    op: Literal["capture_ledger"] = "capture_ledger"
    run_id: UUID
    capture_id: UUID
    status: CaptureStatus
    ledger: CaptureLedger


class AccessChanged(BaseModel):
    """What this user may see has changed: what is out of sight, and whose raw values are open now.

    `gone` are sensors; of `runs` and `projects` nothing more is told.
    """

    op: Literal["access"] = "access"
    gone: list[UUID]
    projects: list[UUID] = []
    runs: list[UUID] = []
    raw: dict[str, bool]


class Refused(ProblemDocument):
    """What was asked for cannot be had (RFC 9457)."""

    op: Literal["problem"] = "problem"


Said = Annotated[
    Ready
    | Pong
    | Subscribed
    | Gap
    | Samples
    | Vectors
    | Happened
    | Missed
    | States
    | Counts
    | CaptureCounts
    | AccessChanged
    | Refused,
    Field(discriminator="op"),
]
SAID: TypeAdapter[Any] = TypeAdapter(Said)
