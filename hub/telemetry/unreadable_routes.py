"""`POST /edge/unreadable`: an edge agent tells which messages of its sensors it could not read."""

from functools import partial
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from hub.journal.models import Entry, Kind
from hub.journal.service import JOURNAL
from hub.kit.context import Context
from hub.kit.endpoint import Routes
from hub.kit.problems import InvalidPayload
from hub.sensors.access import AGENT
from hub.telemetry import unreadable_queries
from hub.telemetry.problems import TelemetryBroken

routes = Routes("edge-unreadable")

STATUS_OF: Final = {problem.code(): problem.status for problem in (TelemetryBroken, InvalidPayload)}


class UnreadableMessages(BaseModel):
    """Messages of one sensor that could not be read, and what was wrong with the last of them.

    `code` is that of the problem with which a body like them is refused over HTTP.
    """

    sensor_id: UUID
    code: Literal["telemetry-broken", "invalid-payload"]
    messages: int = Field(ge=1, lt=1 << 53)
    detail: Annotated[str, Field(max_length=500)]


class UnreadableReport(BaseModel):
    """Counts by sensor and code; the same report_id again is the same report and counts once."""

    report_id: UUID
    unreadable: list[UnreadableMessages] = Field(min_length=1, max_length=1000)


@routes.route("POST", "/edge/unreadable", access=AGENT, status=204)
async def note_unreadable(ctx: Context, body: UnreadableReport) -> None:
    """Note messages that an edge agent could not read in their sensors' journals, as bodies refused over HTTP are."""
    if not await unreadable_queries.add(ctx.tx, body.report_id, ctx.caller.id):
        return
    numbers = await unreadable_queries.numbers(ctx.tx, ctx.caller.id, [part.sensor_id for part in body.unreadable])
    journal = ctx.request.app[JOURNAL]
    for part in body.unreadable:
        if part.sensor_id in numbers:
            details = {"status": STATUS_OF[part.code], "detail": part.detail}
            note = Entry(numbers[part.sensor_id], Kind.PACKET_REFUSED, part.messages, part.code, details)
            ctx.after_commit.append(partial(journal.note, note))
