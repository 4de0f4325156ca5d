"""aiohttp's server, so that what it refuses by itself is a problem, too."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any, Final

import structlog
from aiohttp import web
from aiohttp.http_exceptions import BadHttpMessage, HttpProcessingError, LineTooLong

from hub.kit import headers
from hub.kit.arrival import ARRIVAL, Arrival
from hub.kit.problems import AddressTooLong, HeaderTooLarge, InternalFault, Problem, RequestBroken, from_http_error

log = structlog.get_logger(__name__)

Arrive = Callable[[web.BaseRequest], Arrival]

# The two limits differ: aiohttp tells only by them whether an address or a header was too long.
MAX_ADDRESS_BYTES: Final = 16_384
MAX_HEADER_BYTES: Final = 8_192
LINGER_S: Final = 1.0
OPTIONS: Final[dict[str, Any]] = {
    "max_line_size": MAX_ADDRESS_BYTES,
    "max_field_size": MAX_HEADER_BYTES,
    # A connection on which no whole header comes for so long is closed; longer than proxies keep theirs.
    "keepalive_timeout": 75.0,
    "lingering_time": 5.0,
    # Bodies arrive as they were sent: the intake unpacks them itself, within its limit.
    "auto_decompress": False,
}


class Runner(web.AppRunner):
    """Serves an application whose requests are known by `arrive`."""

    def __init__(self, app: web.Application, arrive: Arrive, **options: Any) -> None:
        super().__init__(app, **OPTIONS, **options)
        self._arrive = arrive

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        return _Server(
            self._arrive,
            _refusing(made.request_handler, self._arrive),
            request_factory=made.request_factory,
            handler_cancellation=made.handler_cancellation,
            loop=asyncio.get_running_loop(),
            **made._kwargs,  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - its class cannot be chosen otherwise
        )


class _Server(web.Server):
    def __init__(self, arrive: Arrive, handler: Any, **options: Any) -> None:
        super().__init__(handler, **options)
        self.arrive = arrive

    def __call__(self) -> web.RequestHandler:
        return _Connection(self, loop=self._loop, **self._kwargs)


class _Connection(web.RequestHandler):
    """A connection; what it cannot read it answers with a problem."""

    __slots__ = ("_arrive", "_lost", "_refused")

    def __init__(self, server: _Server, **options: Any) -> None:
        super().__init__(server, **options)
        self._arrive = server.arrive
        self._lost = asyncio.Event()
        self._refused = False

    def connection_lost(self, exc: BaseException | None) -> None:
        super().connection_lost(exc)
        self._lost.set()

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        if request.writer.output_size > 0:
            raise ConnectionError("an answer has begun already")
        self._refused = True
        if isinstance(exc, HttpProcessingError):
            problem = _problem_of(exc)
        else:
            log.error("request failed outside its handler", exc_info=exc)
            problem = InternalFault()
        return _answer(request, problem, self._arrive)

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        finished = await super().finish_response(request, resp, start_time)
        if self._refused:
            await self._linger()
        return finished

    async def _linger(self) -> None:
        """Take what the client still sends: closed at once, the connection is reset and the answer lost with it."""
        self.close()
        if self.transport is not None and self.transport.can_write_eof():
            self.transport.write_eof()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LINGER_S):
                await self._lost.wait()


def _refusing(handler: Any, arrive: Arrive) -> Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]:
    """Turn what aiohttp raises before the application's middleware into problems."""

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPException as error:
            problem = from_http_error(error)
            if problem is None:
                raise
            return _answer(request, problem, arrive)

    return handle


def _answer(request: web.BaseRequest, problem: Problem, arrive: Arrive) -> web.Response:
    arrival = request.get(ARRIVAL) or arrive(request)
    arrival.sampled = True  # whoever sends garbage sends much of it
    request[ARRIVAL] = arrival
    response = problem.response(arrival.request_id)
    headers.add(response, arrival)
    response.force_close()
    return response


def _problem_of(error: HttpProcessingError) -> Problem:
    if isinstance(error, LineTooLong):
        if error.args[1] == MAX_ADDRESS_BYTES:
            return AddressTooLong(limit_bytes=MAX_ADDRESS_BYTES)
        return HeaderTooLarge(limit_bytes=MAX_HEADER_BYTES)
    text = str(error.message)
    why, colon, _ = text.partition(":\n")
    # The parser repeats behind the colon what was sent; so do other kinds of faults throughout.
    return RequestBroken(f"{why.rstrip('.')}.") if colon or type(error) is BadHttpMessage else RequestBroken()
