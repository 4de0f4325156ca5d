"""Shapes of manifests and of what verifying them found."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, Field


class Cause(StrEnum):
    """Why a seal was made: all sensors were heard past Stop, it took too long, by hand, or samples came late."""

    HEARD = "heard"
    AGE = "age"
    HAND = "hand"
    LATE = "late"


class SealedBy(BaseModel):
    """Who asked for a seal."""

    id: UUID
    name: str


class SeriesManifest(BaseModel):
    """What a capture holds of one sensor once a seal is made.

    The SHA-256 covers (t in µs since 1970 as int64, raw as float64), little-endian, sorted by (t, raw bits); of vectors
    t and then all elements, sorted by (t, identity).
    """

    sensor_id: UUID
    sensor: str
    added: int = Field(description="Samples that this seal added.")
    samples: int
    first_t: datetime | None
    last_t: datetime | None
    sha256: str


class Seal(BaseModel):
    """One seal: what the capture held then. The SHA-256 covers (id, count, hash) of its sensors in order of the ids."""

    seal: int
    sealed_at: datetime
    cause: Cause
    requested_by: SealedBy | None = Field(description="Null: the hub by itself.")
    added: int
    samples: int
    sha256: str
    sensors: list[SeriesManifest]


class Manifest(BaseModel):
    """Every seal of a capture, the first one first; later ones only added samples that came late."""

    capture_id: UUID
    waiting: int = Field(description="Samples that came late and wait for the next seal.")
    seals: list[Seal]


class SeriesCheck(BaseModel):
    """Whether one sensor's series is what a seal's manifest says."""

    sensor_id: UUID
    sensor: str
    seal: int
    samples: int = Field(description="Samples that were found.")
    count_holds: bool
    hash_holds: bool


class PhysicalPart(StrEnum):
    """Which physical values: of samples that are numbers; of vectors their headlines, or every element."""

    SAMPLES = "samples"
    HEADLINES = "headlines"
    ELEMENTS = "elements"


class PhysicalCheck(BaseModel):
    """Whether physical values are what their profile version makes of raw.

    Lines and tables are compared bit for bit, expressions within 4 ulp: other processors may round functions otherwise.
    """

    sensor_id: UUID
    sensor: str
    revision: int
    profile_version: int
    kind: str = Field(description="linear, table or custom; none where no profile applied.")
    part: PhysicalPart = Field(description="Of vectors headlines and elements are told of apart.")
    samples: int = Field(description="How many values: samples, headlines or elements.")
    exact: int = Field(description="The same to the last bit, as is their status.")
    close: int = Field(description="Within 4 ulp, of an expression.")
    differing: int
    holds: bool


class Verification(BaseModel):
    """What came of computing everything that a capture's manifests tell of once more."""

    capture_id: UUID
    verified_at: datetime
    holds: bool
    series: list[SeriesCheck]
    physical: list[PhysicalCheck]
    faults: list[str] = Field(description="What else does not hold, in words.")
