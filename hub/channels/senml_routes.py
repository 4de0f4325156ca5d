"""SenML over HTTP (RFC 8428 in JSON)."""

from collections.abc import Sequence
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from contract.formats import senml
from contract.formats.channels import Decoded
from contract.packets import PacketBroken, PacketInvalid, Reject
from hub.channels import taking
from hub.channels.access import CLIENT_TOKEN
from hub.kit.context import Context
from hub.kit.endpoint import Routes
from hub.kit.problems import FieldError, InvalidPayload, Problem, WrongContentType
from hub.telemetry.problems import (
    TelemetryBroken,
)

routes = Routes("senml")

FORMAT: Final = "SenML"
MOST_NAMED: Final = 100
TYPES: Final = ("application/senml+json", "application/json")


class SenmlRecord(BaseModel):
    """A record; its base fields (bn, bt, bu, bv, bs, bver) hold for those after it, too."""

    model_config = ConfigDict(extra="allow")

    n: str | None = None
    u: str | None = None
    v: float | None = None
    vb: bool | None = None
    s: float | None = None
    t: float | None = None


class RejectedRecord(BaseModel):
    """A record, or a value of it, that was not taken."""

    index: int
    code: str
    detail: str


class PackReceipt(BaseModel):
    """The acknowledgement: samples that are durable, that wait as proposals, and that an editor left out."""

    accepted: int
    duplicates: int
    proposed: int = Field(description="Held for a day, until an editor accepts their channels.")
    ignored: int
    rejected: list[RejectedRecord]


class PackRefused(Problem):
    """Nothing of this pack could be taken."""

    status = 422
    detail = "See errors: each names a record by its place. At most {most} are told."

    def __init__(self, rejected: Sequence[Reject]) -> None:
        """Name the first records with what is wrong."""
        errors = [FieldError(loc=["body", one.index or 0], msg=one.detail) for one in rejected[:MOST_NAMED]]
        super().__init__(errors=errors, most=MOST_NAMED)


@routes.route(
    "POST",
    "/senml",
    access=CLIENT_TOKEN,
    answer=PackReceipt,
    status=202,
    problems=(
        PackRefused,
        TelemetryBroken,
        WrongContentType,
        *taking.PROBLEMS,
    ),
    transaction=False,
    rate=0,
    sampled=True,
    consumes=TYPES,
    takes=list[SenmlRecord],
)
async def take_senml(ctx: Context) -> PackReceipt:
    """Take a SenML pack; what is wrong with single records is told beside the others' acknowledgement."""
    if ctx.request.content_type not in {*TYPES, "application/octet-stream"}:
        raise WrongContentType(expected=TYPES[0])
    taken = await taking.receive(
        ctx, FORMAT, lambda body, now_us: _decode(body, now_us, ctx.hub.settings.max_samples_per_packet)
    )
    if taken.rejected and not (taken.accepted or taken.duplicates or taken.proposed or taken.ignored):
        raise PackRefused(taken.rejected)
    return PackReceipt(
        accepted=taken.accepted,
        duplicates=taken.duplicates,
        proposed=taken.proposed,
        ignored=taken.ignored,
        rejected=[
            RejectedRecord(index=reject.index or 0, code=reject.code, detail=reject.detail) for reject in taken.rejected
        ],
    )


def _decode(body: bytes, now_us: int, limit: int) -> Decoded:
    try:
        return senml.decode(body, now_us, limit)
    except PacketBroken as error:
        raise TelemetryBroken(why=str(error)) from error
    except PacketInvalid as error:
        raise InvalidPayload(errors=[FieldError(loc=["body", *error.loc], msg=str(error))]) from error
