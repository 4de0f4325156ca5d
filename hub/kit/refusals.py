"""How a route says what went wrong where its clients know another shape than problem documents."""

from abc import ABC, abstractmethod

from aiohttp import web
from pydantic import BaseModel

from hub.kit.problems import Problem


class Refusals(ABC):
    """The shape of a route's refusals; faults of the hub itself stay problem documents."""

    # What a refusal's body looks like, for the documents.
    shape: type[BaseModel]

    def status_of(self, kind: type[Problem]) -> int:
        """Return the status with which a kind of problem is answered."""
        return kind.status

    @abstractmethod
    def body_of(self, problem: Problem) -> BaseModel:
        """Tell a problem in this shape."""

    def response(self, problem: Problem) -> web.Response:
        """Make the answer to a problem."""
        return web.Response(
            body=self.body_of(problem).model_dump_json().encode(),
            status=self.status_of(type(problem)),
            content_type="application/json",
            headers=problem.headers,
        )


def reason_of(problem: Problem) -> str:
    """Write a problem as one line: its title, what to do, and each fault of a payload."""
    faults = [f"{'.'.join(map(str, fault.loc))}: {fault.msg}" for fault in problem.errors or ()]
    return "; ".join((f"{problem.title()}. {problem}" if not faults else problem.title(), *faults))
