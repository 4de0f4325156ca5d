"""`POST /edge/dropped`: an edge agent tells which samples it had to drop."""

from functools import partial
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

from hub.journal.models import Entry, Kind
from hub.journal.service import JOURNAL
from hub.kit.context import Context
from hub.kit.endpoint import Routes
from hub.ledger.service import Fact, record
from hub.sensors.access import AGENT
from hub.telemetry import dropped_queries

routes = Routes("edge-dropped")

BigInt = Annotated[int, Field(ge=-(1 << 63), lt=1 << 63)]


class DroppedSamples(BaseModel):
    """Samples of one sensor that are gone, and between which times they were taken, in µs since 1970."""

    sensor_id: UUID
    samples: int = Field(ge=1, lt=1 << 53)
    first_us: BigInt
    last_us: BigInt

    @model_validator(mode="after")
    def _in_order(self) -> "DroppedSamples":
        if self.first_us > self.last_us:
            raise ValueError("first_us comes after last_us")
        return self


class DroppedReport(BaseModel):
    """Counts by sensor; the same report_id again is the same report and counts once."""

    report_id: UUID
    dropped: list[DroppedSamples] = Field(min_length=1, max_length=1000)


@routes.route("POST", "/edge/dropped", access=AGENT, status=204)
async def note_dropped(ctx: Context, body: DroppedReport) -> None:
    """Note what an edge agent whose spool was full had to drop; the ledgers of its sensors show it."""
    parts = body.dropped
    booked = await dropped_queries.add(
        ctx.tx,
        report_id=body.report_id,
        agent_id=ctx.caller.id,
        sensors=[part.sensor_id for part in parts],
        samples=[part.samples for part in parts],
        first_t=[part.first_us for part in parts],
        last_t=[part.last_us for part in parts],
    )
    if not booked:
        return
    details = {"sensors": len(booked), "samples": sum(row["samples"] for row in booked)}
    await record(ctx, Fact("edge_agent.samples_dropped", subject_id=ctx.caller.id, details=details))
    journal = ctx.request.app[JOURNAL]
    for row in booked:
        between = {"from_t": row["first_t"] / 1e6, "to_t": row["last_t"] / 1e6}
        note = Entry(row["sensor_no"], Kind.DROPPED, row["samples"], code="spool-full", details=between)
        ctx.after_commit.append(partial(journal.note, note))
