"""The route decorator: one declaration gives validation, access, transaction, problems and OpenAPI."""

import inspect
import typing
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

import asyncpg
import orjson
from aiohttp import web
from pydantic import BaseModel, TypeAdapter, ValidationError

from hub.kit import bodies, idempotency, quota, rules, wire
from hub.kit.arrival import ARRIVAL
from hub.kit.context import HUB, Context
from hub.kit.problems import (
    BrokenJson,
    DatabaseAway,
    FieldError,
    InvalidPayload,
    Problem,
    TryAgain,
    WrongContentType,
)
from hub.kit.refusals import Refusals

Handler = Callable[..., Awaitable[Any]]

# Far from what the recursion of any reader, writer or database can bear.
MAX_DEPTH: Final = 100


class Access(ABC):
    """Decides who is admitted to a route; slices bring their own kinds."""

    @property
    def scheme(self) -> str | None:
        """Return the name of the OpenAPI security scheme, None for public routes."""
        return None

    @property
    @abstractmethod
    def rule(self) -> str:
        """Return who is admitted, in words, for the documents."""

    @property
    def problems(self) -> Sequence[type[Problem]]:
        """Return what the rule may answer."""
        return ()

    @property
    def headers(self) -> Mapping[str, str]:
        """Return the headers that the rule reads beside the token, with what they hold."""
        return {}

    @abstractmethod
    async def admit(self, ctx: Context) -> None:
        """Set the context's principal and grant, or raise a Problem; called before the request's transaction."""


@dataclass(frozen=True)
class Endpoint:
    """One declared route."""

    method: str
    path: str
    handler: Handler
    access: Access
    answer: Any
    status: int
    also: Mapping[int, Any]
    problems: Sequence[type[Problem]]
    transaction: bool
    rate: float
    sampled: bool
    path_types: dict[str, Any]
    query: type[BaseModel] | None
    body: Any
    produces: Sequence[str]
    consumes: Sequence[str]
    refusals: Refusals | None
    tag: str
    adapter: TypeAdapter[Any] | None = field(repr=False, compare=False)

    @property
    def repeatable(self) -> bool:
        """Tell whether it creates something for a caller, who may repeat it under an Idempotency-Key."""
        return self.status == HTTPStatus.CREATED and self.access.scheme is not None

    @property
    def summary(self) -> str:
        """Return the first line of the handler's docstring."""
        return (inspect.getdoc(self.handler) or "").split("\n", 1)[0]


class Routes:
    """The declared routes of one slice."""

    def __init__(self, tag: str, prefix: str = wire.API_PREFIX) -> None:
        """Group routes under `tag` in the documents and under `prefix` in the address."""
        self.tag = tag
        self.prefix = prefix
        self.endpoints: list[Endpoint] = []

    def route(
        self,
        method: str,
        path: str,
        *,
        access: Access,
        answer: Any = None,
        status: int = 200,
        also: Mapping[int, Any] = MappingProxyType({}),
        problems: Sequence[type[Problem]] = (),
        transaction: bool = True,
        rate: float = 1.0,
        sampled: bool = False,
        produces: Sequence[str] = ("application/json",),
        consumes: Sequence[str] = ("application/json",),
        takes: Any = None,
        refusals: Refusals | None = None,
    ) -> Callable[[Handler], Handler]:
        """Declare a route. The handler's parameters say what it takes: `ctx`, path names, `query` and `body` models.

        A handler that reads the body itself has no `body` and documents its shape by `takes`; one that makes other
        answers of success itself documents them by `also`, status by status. `rate` multiplies how
        many requests a caller may make, 0 for routes with limits of their own. Of `sampled` routes the log tells now
        and then. Clients that know no problem documents get their `refusals`.
        """

        def declare(handler: Handler) -> Handler:
            hints = typing.get_type_hints(handler)
            hints.pop("return", None)
            hints.pop("ctx", None)
            query, body = hints.pop("query", None), hints.pop("body", None)
            self.endpoints.append(
                Endpoint(
                    method=method,
                    path=self.prefix + path,
                    handler=handler,
                    access=access,
                    answer=answer,
                    status=status,
                    also=also,
                    problems=tuple(problems),
                    transaction=transaction,
                    rate=rate,
                    sampled=sampled,
                    path_types=hints,
                    query=query,
                    body=takes if body is None else body,
                    produces=tuple(produces),
                    consumes=tuple(consumes),
                    refusals=refusals,
                    tag=self.tag,
                    adapter=None if body is None else TypeAdapter(body),
                )
            )
            return handler

        return declare


def register(app: web.Application, endpoint: Endpoint) -> None:
    """Add a declared route to the application."""
    app.router.add_route(endpoint.method, endpoint.path, _serve(endpoint))


def _serve(endpoint: Endpoint) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    answer = None if endpoint.answer is None else TypeAdapter(endpoint.answer)

    async def serve(request: web.Request) -> web.StreamResponse:
        arrival = request[ARRIVAL]
        arrival.sampled = endpoint.sampled
        ctx = Context(hub=request.app[HUB], request=request, request_id=arrival.request_id)
        try:
            return await _handle(endpoint, answer, ctx)
        except Problem as problem:
            if endpoint.refusals is None:
                raise
            return endpoint.refusals.response(problem)
        finally:
            arrival.principal = ctx.principal

    return serve


async def _handle(endpoint: Endpoint, answer: TypeAdapter[Any] | None, ctx: Context) -> web.StreamResponse:
    arguments = await _admit(endpoint, ctx)
    raw = b""
    if endpoint.adapter is not None:
        raw = await _read_body(ctx.request)
        arguments["body"] = _parse_body(endpoint.adapter, raw)
    async with _transaction(ctx, endpoint):
        key = idempotency.key_of(ctx)
        response = await idempotency.recall(ctx, key, raw)
        if response is None:
            response = _respond(ctx, endpoint, answer, await endpoint.handler(ctx, **arguments))
            await idempotency.remember(ctx, key, raw, response)
    if endpoint.method == "DELETE":
        ctx.hub.remembered.forget()
    for act in ctx.after_commit:
        act()
    return response


async def _admit(endpoint: Endpoint, ctx: Context) -> dict[str, Any]:
    """Admit and count a request; whoever is not admitted, and a body that comes slowly, hold no connection."""
    try:
        arguments = _path_and_query(endpoint, ctx.request)
        await ctx.hub.vault.ready()
        await endpoint.access.admit(ctx)
    except Problem as refusal:
        if refusal.status < HTTPStatus.INTERNAL_SERVER_ERROR:  # guesses count, too
            await quota.count(ctx, endpoint.rate, endpoint.path)
        raise
    await quota.count(ctx, endpoint.rate, endpoint.path)
    return arguments


def _respond(ctx: Context, endpoint: Endpoint, answer: TypeAdapter[Any] | None, result: Any) -> web.StreamResponse:
    if isinstance(result, web.StreamResponse):
        return result
    if isinstance(result, Problem):  # returned, not raised: what the handler wrote is committed
        return result.response(ctx.request_id)
    payload = b"" if answer is None else answer.dump_json(answer.validate_python(result), exclude_none=False)
    response = web.Response(body=payload or None, status=endpoint.status)
    if payload:
        response.content_type = "application/json"
    for cookie in ctx.cookies:
        response.set_cookie(**cookie)
    return response


@asynccontextmanager
async def _transaction(ctx: Context, endpoint: Endpoint) -> AsyncGenerator[None]:
    if not endpoint.transaction:
        yield
        return
    try:
        async with ctx.hub.db.transaction() as ctx.transaction:
            yield
    except asyncpg.CheckViolationError as error:
        problem = rules.problem_of(error, endpoint.problems)
        if problem is None:
            raise
        raise problem from error


def _path_and_query(endpoint: Endpoint, request: web.Request) -> dict[str, Any]:
    arguments: dict[str, Any] = {}
    for name, kind in endpoint.path_types.items():
        try:
            arguments[name] = UUID(request.match_info[name]) if kind is UUID else request.match_info[name]
        except ValueError as error:
            raise InvalidPayload(errors=[FieldError(loc=["path", name], msg="not a UUID")]) from error
    if len(request.query) != len(set(request.query)):
        raise InvalidPayload(errors=[FieldError(loc=["query"], msg="a parameter is sent twice")])
    if endpoint.query is not None:
        _check_storable(dict(request.query), "query")
        try:
            arguments["query"] = endpoint.query.model_validate(dict(request.query))
        except ValidationError as error:
            raise InvalidPayload.of(error, "query") from error
    return arguments


async def _read_body(request: web.Request) -> bytes:
    # Without a body the type does not matter; with one a page of another site must not get by without asking first.
    if request.content_type != "application/json" and request.can_read_body:
        raise WrongContentType(expected="application/json")
    return await bodies.read(request, wire.MAX_BODY_BYTES)


def _parse_body(adapter: TypeAdapter[Any], raw: bytes) -> Any:
    try:
        document = orjson.loads(raw or b"{}")
    except orjson.JSONDecodeError as error:
        raise BrokenJson(why=f"line {error.lineno}, column {error.colno}: {error.msg}") from error
    if raw.count(b"[") + raw.count(b"{") > MAX_DEPTH and _is_deeper(document, MAX_DEPTH):
        raise InvalidPayload(errors=[FieldError(loc=["body"], msg=f"nested more than {MAX_DEPTH} levels deep")])
    if b"\\u0000" in raw:
        _check_storable(document, "body")
    try:
        return adapter.validate_python(document, strict=False)
    except ValidationError as error:
        raise InvalidPayload.of(error, "body") from error


def _is_deeper(document: object, levels: int) -> bool:
    """Tell whether lists and objects stand within each other more than so many levels deep; needs no recursion."""
    level: list[object] = [document]
    for _ in range(levels + 1):
        inner: list[object] = []
        for value in level:
            if isinstance(value, dict):
                inner += typing.cast("dict[str, object]", value).values()
            elif isinstance(value, list):
                inner += typing.cast("list[object]", value)
        if not inner:
            return False
        level = inner
    return True


def _check_storable(value: object, *loc: str | int) -> None:
    """Refuse text that PostgreSQL cannot hold, naming where it stands."""
    match value:
        case str() if "\0" in value:
            raise InvalidPayload(errors=[FieldError(loc=list(loc), msg="text must not contain the character U+0000")])
        case dict():
            for name, item in typing.cast("dict[str, object]", value).items():
                _check_storable(name, *loc)
                _check_storable(item, *loc, name)
        case list():
            for place, item in enumerate(typing.cast("list[object]", value)):
                _check_storable(item, *loc, place)
        case _:
            pass


COMMON_PROBLEMS: Sequence[type[Problem]] = (InvalidPayload, DatabaseAway, TryAgain)
