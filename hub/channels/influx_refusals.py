"""What InfluxDB's clients read of a refusal, in the shapes of versions 1 and 2."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

from pydantic import BaseModel

from contract.packets import Reject
from hub.kit.problems import BodyTooSlow, InvalidPayload, Problem, TooManyRequests
from hub.kit.refusals import Refusals, reason_of
from hub.telemetry.problems import TooManySamples

# Strings are good line protocol, but no sensor keeps them: nothing that a sender could do better.
NO_FAULT: Final = frozenset({"value-not-a-number"})
MOST_NAMED: Final = 10
_CODES: Final = {
    400: "invalid",
    401: "unauthorized",
    403: "forbidden",
    404: "not found",
    413: "request too large",
    429: "too many requests",
    503: "unavailable",
}


class InfluxFault(BaseModel):
    """A refusal as version 2 tells it."""

    code: str
    message: str


class OldInfluxFault(BaseModel):
    """A refusal as version 1 tells it."""

    error: str


class InfluxRefusals(Refusals):
    """Version 2: its clients send again after 429 and 5xx, and in smaller parts after 413."""

    shape = InfluxFault

    def status_of(self, kind: type[Problem]) -> int:
        """Return the status with which a kind of problem is answered."""
        return HTTPStatus.BAD_REQUEST if issubclass(kind, InvalidPayload) else kind.status

    def body_of(self, problem: Problem) -> InfluxFault:
        """Tell a problem in this shape."""
        code = _CODES.get(self.status_of(type(problem)), "invalid")
        return InfluxFault(code=code, message=reason_of(problem))


class OldInfluxRefusals(Refusals):
    """Version 1: Telegraf drops a body for good after any 4xx, so what may succeed later is a 503."""

    shape = OldInfluxFault

    def status_of(self, kind: type[Problem]) -> int:
        """Return the status with which a kind of problem is answered."""
        if issubclass(kind, TooManyRequests | TooManySamples | BodyTooSlow):
            return HTTPStatus.SERVICE_UNAVAILABLE
        return HTTPStatus.BAD_REQUEST if issubclass(kind, InvalidPayload) else kind.status

    def body_of(self, problem: Problem) -> OldInfluxFault:
        """Tell a problem in this shape."""
        return OldInfluxFault(error=reason_of(problem))


class LinesRefused(Problem):
    """Some lines were not taken."""

    status = 400
    detail = "{lines}"

    def __init__(self, rejected: Sequence[Reject]) -> None:
        """Name the first lines, counted from 1, with what is wrong."""
        named = [f"line {(reject.index or 0) + 1}: {reject.detail}" for reject in rejected[:MOST_NAMED]]
        more = len(rejected) - MOST_NAMED
        lines = "; ".join([*named, *([f"and {more} more"] if more > 0 else [])])
        super().__init__(lines=f"partial write: dropped={len(rejected)}, the other values were taken. {lines}")


def faults_of(rejected: Sequence[Reject]) -> list[Reject]:
    """Return the rejects that a sender could mend."""
    return [reject for reject in rejected if reject.code not in NO_FAULT]
