"""Problems: exceptions that become RFC 9457 answers."""

import re
from collections.abc import Mapping
from typing import Any, ClassVar, cast

from aiohttp import web
from pydantic import BaseModel, Field, ValidationError

from hub.kit import wire

PROBLEM_BASE = "https://etp.example/problems/"


class FieldError(BaseModel):
    """One fault of a payload: where it stands and what is wrong."""

    loc: list[str | int]
    msg: str


class ProblemDocument(BaseModel):
    """The body of every answer that is not a success (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    instance: str = Field(description="The id of the request, as in X-Request-ID.")
    errors: list[FieldError] | None = None


class Problem(Exception):
    """Something went wrong"""

    # The docstring of a problem class is the title the user reads; `detail` is what the user can do next.
    status: ClassVar[int] = 500
    detail: ClassVar[str] = "Try again later."
    # The database's rules (names of constraints) whose violation is this problem; see kit/rules.py.
    rules: ClassVar[frozenset[str]] = frozenset()

    def __init__(
        self,
        *,
        errors: list[FieldError] | None = None,
        headers: Mapping[str, str] | None = None,
        **facts: object,
    ) -> None:
        """Take the facts that `detail` names, the faults of a payload and headers of the answer."""
        self.errors = errors
        self.headers = dict(headers or {})
        self.facts = facts
        super().__init__(self.detail.format(**facts))

    @classmethod
    def code(cls) -> str:
        """Return the stable last segment of the problem's type, e.g. `run-not-found`."""
        return re.sub(r"(?<!^)(?=[A-Z])", "-", cls.__name__).lower()

    @classmethod
    def title(cls) -> str:
        """Return the first line of the docstring without its full stop."""
        return (cls.__doc__ or cls.__name__).strip().splitlines()[0].rstrip(".")

    def document(self, instance: str) -> ProblemDocument:
        """Describe this problem for the request with the id `instance`."""
        return ProblemDocument(
            type=PROBLEM_BASE + self.code(),
            title=self.title(),
            status=self.status,
            detail=str(self),
            instance=instance,
            errors=self.errors,
        )

    def response(self, instance: str) -> web.Response:
        """Make the answer for the request with the id `instance`."""
        return web.Response(
            body=self.document(instance).model_dump_json(exclude_none=True).encode(),
            status=self.status,
            content_type="application/problem+json",
            headers=self.headers,
        )


class InvalidPayload(Problem):
    """The request does not have the expected shape."""

    status = 422
    detail = "See errors: each entry names a place and what is wrong there."

    @classmethod
    def of(cls, error: ValidationError, place: str) -> "InvalidPayload":
        """Translate a pydantic error found in `place` (body, query or path)."""
        return cls(
            errors=[
                FieldError(loc=[place, *item["loc"]], msg=item["msg"])
                for item in error.errors(include_url=False, include_input=False)
            ]
        )


class BrokenJson(Problem):
    """The body is not JSON."""

    status = 400
    detail = "{why}"


class WrongContentType(Problem):
    """The body has a media type that is not understood here."""

    status = 415
    detail = "Send Content-Type: {expected}."


class BodyTooLarge(Problem):
    """The body is too large."""

    status = 413
    detail = "At most {limit_bytes} bytes are taken here; split the request."


class BodyTooSlow(Problem):
    """The body came too slowly."""

    status = 408
    detail = "Nothing of it was taken. Send at least {least} bytes a second."

    def __init__(self, least: int) -> None:
        """Name the least rate; nothing more is read from this connection."""
        super().__init__(least=least, headers={"Connection": "close"})


class BodyBroken(Problem):
    """The body ends or is framed wrongly."""

    status = 400
    detail = "Nothing of it was taken. Check Content-Length or the chunks of Transfer-Encoding, then send it again."


class RequestBroken(Problem):
    """The request is no HTTP that is understood here."""

    status = 400
    detail = "{why} Check how the request is written."

    def __init__(self, why: str = "It cannot be read.") -> None:
        """Say in `why` what was wrong, without repeating what was sent."""
        super().__init__(why=why)


class AddressBroken(Problem):
    """The address is not well-formed."""

    status = 400
    detail = "A path is UTF-8 in valid percent escapes without control characters, backslashes, '//', '/./' and '/../'."


class AddressTooLong(Problem):
    """The address is too long."""

    status = 414
    detail = "At most {limit_bytes} bytes are taken, query included; ask for less at once."


class HeaderTooLarge(Problem):
    """A header or cookie is too large."""

    status = 431
    detail = "At most {limit_bytes} bytes are taken in one header. Delete this site's cookies if a browser sent it."


class TooManyRequests(Problem):
    """Too many requests."""

    status = 429
    detail = "Wait {wait_s} seconds. {per_s:g} a second are answered, and up to {burst:g} at once after a pause."

    def __init__(self, wait_s: int, per_s: float, burst: float) -> None:
        """Say how long to wait, and what would have been right."""
        super().__init__(wait_s=wait_s, per_s=per_s, burst=burst, headers={"Retry-After": str(wait_s)})


class RangeNotThere(Problem):
    """The file has no such part."""

    status = 416
    detail = "It has {size} bytes; ask for a part of them, or without Range."

    def __init__(self, size: int) -> None:
        """Tell how large the file is."""
        super().__init__(size=size, headers={"Content-Range": f"bytes */{size}"})


class RouteNotFound(Problem):
    """There is nothing at this address."""

    status = 404
    # Without the path: a device may have put its token there.
    detail = "Look at the address again: /api/v1/openapi.json lists them all."


class NotFound(Problem):
    """There is no such thing here"""

    # One class for "does not exist" and "not yours to see", so that the two cannot be told apart.
    status = 404
    detail = "No {noun} has this id, or it is not yours to see."


class HttpsNeeded(Problem):
    """This is answered over HTTPS only."""

    status = 403
    detail = "Use an address that begins with https://. What was just sent went over the network in clear: change it."


class MethodNotAllowed(Problem):
    """This address does not take that method."""

    status = 405
    detail = "Use one of: {allowed}."


class Unauthenticated(Problem):
    """Who you are is not known."""

    status = 401
    detail = "Send a valid token as 'Authorization: Bearer …'. {why}"

    def __init__(self, why: str = "") -> None:
        """Say in `why` what was wrong with the credentials that were sent."""
        super().__init__(why=why, headers={"WWW-Authenticate": "Bearer"})


class DatabaseAway(Problem):
    """The database cannot be reached."""

    status = 503
    detail = "Nothing was changed. Repeat the request in a few seconds."

    def __init__(self) -> None:
        """Tell the client when to come back."""
        super().__init__(headers={"Retry-After": "2"})


class TryAgain(Problem):
    """This request and another one waited for each other."""

    status = 503
    detail = "Nothing was changed. Repeat the request."

    def __init__(self) -> None:
        """Tell the client when to come back."""
        super().__init__(headers={"Retry-After": "1"})


class InternalFault(Problem):
    """Something went wrong inside the hub."""

    status = 500
    detail = "The fault was logged under this request's id; give it to whoever runs the hub."


class IdempotencyConflict(Problem):
    """This Idempotency-Key was used for another request."""

    status = 409
    detail = "A key may be repeated only with the same method, address and body. Choose a new key."


def from_http_error(error: web.HTTPException) -> Problem | None:
    """Translate aiohttp's own errors; None for those that are no error (redirects)."""
    match error.status:
        case 404:
            return RouteNotFound()
        case 405:
            allowed = cast("Any", error).allowed_methods
            return MethodNotAllowed(allowed=", ".join(sorted(allowed)), headers={"Allow": ", ".join(sorted(allowed))})
        case 413:
            return BodyTooLarge(limit_bytes=wire.MAX_BODY_BYTES)
        case status if status >= 400:
            return RequestBroken(f"{error.reason}.")
        case _:
            return None
