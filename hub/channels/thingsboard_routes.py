"""ThingsBoard's HTTP device API for telemetry."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final

from pydantic import BaseModel

from contract.formats import thingsboard
from contract.formats.channels import Decoded
from contract.packets import PacketBroken, PacketInvalid, Reject
from hub.channels import taking
from hub.channels.access import ADDRESS_TOKEN
from hub.channels.problems import WrongMeasurements
from hub.kit.context import Context
from hub.kit.endpoint import Routes
from hub.kit.problems import InvalidPayload, Problem
from hub.kit.refusals import Refusals, reason_of

routes = Routes("thingsboard")

FORMAT: Final = "ThingsBoard"
# Texts are good telemetry there, but no sensor keeps them: nothing that a device could do better.
NO_FAULT: Final = frozenset({"value-not-a-number"})
MOST_NAMED: Final = 10


class ThingsboardFault(BaseModel):
    """A refusal as ThingsBoard tells it."""

    status: int
    message: str


class ThingsboardRefusals(Refusals):
    """ThingsBoard's shape; what cannot be read is a 400 there."""

    shape = ThingsboardFault

    def status_of(self, kind: type[Problem]) -> int:
        """Return the status with which a kind of problem is answered."""
        return HTTPStatus.BAD_REQUEST if issubclass(kind, InvalidPayload) else kind.status

    def body_of(self, problem: Problem) -> ThingsboardFault:
        """Tell a problem in this shape."""
        return ThingsboardFault(status=self.status_of(type(problem)), message=reason_of(problem))


class ValuesRefused(Problem):
    """Some values were not taken."""

    status = 400
    detail = "{count} values, the others were taken. {values}"

    def __init__(self, rejected: Sequence[Reject]) -> None:
        """Name the first objects, counted from 1, with what is wrong."""
        named = [f"object {(reject.index or 0) + 1}: {reject.detail}" for reject in rejected[:MOST_NAMED]]
        super().__init__(count=len(rejected), values="; ".join(named))


@routes.route(
    "POST",
    "/{token}/telemetry",
    access=ADDRESS_TOKEN,
    problems=(
        ValuesRefused,
        WrongMeasurements,
        *taking.PROBLEMS,
    ),
    transaction=False,
    rate=0,
    sampled=True,
    takes=dict[str, Any],
    refusals=ThingsboardRefusals(),
)
async def post_telemetry(ctx: Context, token: str) -> None:
    """Take telemetry of a ThingsBoard device, whose API has the token in the address."""
    limit = ctx.hub.settings.max_samples_per_packet
    taken = await taking.receive(ctx, FORMAT, lambda body, _now_us: _decode(body, limit))
    faults = [reject for reject in taken.rejected if reject.code not in NO_FAULT]
    if faults:
        raise ValuesRefused(faults)


def _decode(body: bytes, limit: int) -> Decoded:
    try:
        return thingsboard.decode(body, limit)
    except (PacketBroken, PacketInvalid) as error:
        raise WrongMeasurements(why=str(error)) from error
