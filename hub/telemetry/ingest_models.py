"""Shapes of telemetry on its way in."""

from typing import Any

from pydantic import BaseModel, Field


class SampleIn(BaseModel):
    """A sample of the row form; t as RFC 3339 or seconds since 1970, absent: the arrival."""

    t: str | float | None = None
    v: float | None
    meta: dict[str, Any] | None = None


class ToldReject(BaseModel):
    """What an edge agent found wrong with a sample before it: the hub rejects it with this code and detail."""

    code: str
    detail: str


class SeriesIn(BaseModel):
    """A sensor's samples in column form; in msgpack t, v and p may be bytes: int64 µs and float64, little-endian."""

    sensor_id: str | None = None
    t: list[str | float | None]
    v: list[float | None]
    p: list[float | None] | None = Field(default=None, description="What an edge agent computed; compared, not stored.")
    profile_version: int | None = None
    seq: int | None = None
    boot: str | None = None
    rejects: dict[str, ToldReject] | None = Field(
        default=None, description="Why an edge agent sends null, by the sample's index."
    )


class PacketIn(BaseModel):
    """A telemetry packet: either `samples` (rows of one sensor) or `series` (columns of several)."""

    batch_id: str | None = None
    seq: int | None = None
    boot: str | None = None
    sensor_id: str | None = None
    samples: list[SampleIn] | None = None
    series: list[SeriesIn] | None = None


class Rejected(BaseModel):
    """A sample that was refused; index null means the whole series, or the whole line. Lines count from 1."""

    line: int | None = None
    series: int | None = None
    index: int | None
    code: str
    detail: str
    count: int | None = Field(
        default=None, description="With the index null: how many samples that is; absent of a line that cannot be read."
    )


class ReceiptOut(BaseModel):
    """The acknowledgement: this many samples are durable; the final figures are the ledger's."""

    batch_id: str | None
    accepted: int
    duplicates: int
    rejected: list[Rejected]
