"""Shapes of samples and ledgers on their way out."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, BeforeValidator, Field, model_validator

from hub.sensors.models import Axis

Status = Literal["ok", "out_of_range", "conversion_error", "no_profile"]
STATUS_NAMES: tuple[Status, ...] = ("ok", "out_of_range", "conversion_error", "no_profile")


def _values(text: object) -> object:
    return frozenset(text.split(",")) if isinstance(text, str) else text


Values = Annotated[frozenset[Literal["raw", "physical"]] | None, BeforeValidator(_values)]


Revision = Annotated[
    int | None, Field(ge=1, description="Which revision's physical values; 1 is what came first. Default: the newest.")
]


class RangeQuery(BaseModel):
    """A part of a series: from ≤ t < to, thinned to `max_points` without losing an extreme."""

    from_: AwareDatetime | None = Field(default=None, alias="from")
    to: AwareDatetime | None = None
    max_points: int | None = Field(default=None, ge=20, le=200_000)
    values: Values = Field(default=None, description="Comma-separated: raw, physical. Default: what one may read.")
    aggregate: Literal["min", "max", "mean", "count"] | None = Field(
        default=None, description="One number for each window instead of samples; needs window_s."
    )
    window_s: float | None = Field(default=None, ge=0.001, le=366 * 86_400)

    @model_validator(mode="after")
    def _windows(self) -> Self:
        if (self.aggregate is None) is not (self.window_s is None):
            raise ValueError("aggregate and window_s go together")
        if self.aggregate is not None and self.max_points is not None:
            raise ValueError("windows are not thinned: choose a wider window_s rather than max_points")
        return self


class CaptureRangeQuery(RangeQuery):
    """A part of one sensor's series within a capture."""

    sensor_id: UUID
    revision: Revision = None


class SamplesOut(BaseModel):
    """Columns of samples: t in seconds since 1970; raw is absent where it may not be read."""

    sensor_id: UUID
    t: list[float]
    raw: list[float] | None = None
    physical: list[float | None] | None = None
    status: list[Status]
    total: int = Field(description="Samples in the range before thinning.")
    decimated: bool
    revision: int = 1
    gaps: list[tuple[float, float]] = Field(
        default=[],
        description="From the last sample before to the first one after: over more than five median intervals nothing"
        " came. A line breaks there, thinned or not.",
    )
    count: list[int] | None = Field(default=None, description="Samples in each window, where windows were asked for.")


class VectorQuery(BaseModel):
    """The newest `limit` vectors with from ≤ t < to."""

    from_: AwareDatetime | None = Field(default=None, alias="from")
    to: AwareDatetime | None = None
    limit: int = Field(default=1, ge=1, le=1000, description="Fewer are given where they would exceed 2M elements.")
    values: Values = Field(default=None, description="Comma-separated: raw, physical. Default: what one may read.")


class CaptureVectorQuery(VectorQuery):
    """The newest vectors of one sensor within a capture."""

    sensor_id: UUID
    revision: Revision = None


class VectorsOut(BaseModel):
    """Vectors in order of t (seconds since 1970); raw is absent where it may not be read.

    The status of a vector is the worst of its elements'.
    """

    sensor_id: UUID
    axis: Axis
    t: list[float]
    raw: list[list[float]] | None = None
    physical: list[list[float | None]] | None = None
    status: list[Status]
    total: int = Field(description="Vectors in the range.")
    revision: int = 1


class Ledger(BaseModel):
    """Counts that add up: received = stored + duplicates + rejected + pending, and late is part of stored."""

    received: int
    stored: int
    duplicates: int
    rejected: int
    pending: int = Field(description="Durable in the stream, not yet in the database.")
    late: int = Field(description="Sensor: below its newest t when stored. Capture: stored after Stop.")
    lost: int = Field(description="Acknowledged, then gone with the stream's files; never part of received.")
    dropped: int = Field(
        description="Dropped by edge agents whose spools were full; never part of received. Capture: of the stretches "
        "of time that meet it, so perhaps more than its own."
    )
    differing: int | None = Field(default=None, description="Physical values that an edge agent computed otherwise.")
    sent: int | None = Field(
        default=None,
        description="Samples sent; known while all packets are numbered, none is missing and nothing was lost or "
        "dropped; of a capture once the sensor was heard past its end, whatever came unnumbered before its begin.",
    )
    gaps: int | None = Field(
        default=None,
        description="Missing packets; known where the device numbers its packets; of a capture 0 or unknown.",
    )


class SensorLedger(Ledger):
    """One sensor's part of a capture."""

    sensor_id: UUID


class CaptureLedger(Ledger):
    """A capture's counts, in all and for each sensor."""

    sensors: list[SensorLedger]


class ExportQuery(BaseModel):
    """How to export."""

    format: Literal["csv"] = "csv"
    values: Values = None
    revision: Revision = None


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_us(at: datetime) -> int:
    """Return µs since 1970."""
    return (at - _EPOCH) // timedelta(microseconds=1)
