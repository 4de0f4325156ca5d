"""What is known of a request before anybody reads it, and what its answer and its line in the log must tell."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from hub.kit.limits import Rate, Verdict

if TYPE_CHECKING:
    from hub.kit.context import Principal


@dataclass(slots=True)
class Arrival:
    """One request: where it came from, under which id it is known, and what is noted on its way."""

    request_id: str
    address: str | None
    https: bool = False
    principal: "Principal | None" = None
    allowance: tuple[Rate, Verdict] | None = None
    # Thousands of its kind come in a second: its line in the log stands for many.
    sampled: bool = False


ARRIVAL = web.RequestKey("arrival", Arrival)
