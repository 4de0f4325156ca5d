"""InfluxDB line protocol as its clients send it: `/api/v2/write`, `/write`, and what they ask for first."""

import re
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from aiohttp import web
from pydantic import BaseModel, Field

from contract.formats import line_protocol
from contract.formats.channels import Decoded
from contract.formats.line_protocol import PrecisionUnknown
from hub.auth.access import PUBLIC
from hub.channels import taking
from hub.channels.access import CLIENT_TOKEN
from hub.channels.influx_refusals import InfluxRefusals, LinesRefused, OldInfluxRefusals, faults_of
from hub.channels.problems import WrongMeasurements
from hub.kit.context import Context
from hub.kit.endpoint import Routes
from hub.kit.problems import Problem

routes = Routes("influxdb", prefix="")

FORMAT: Final = "line protocol"
# As many as a body holds whose lines have forty bytes for each value.
PACKETS: Final = 20
# What of InfluxDB this is like; clients look whether they know the version.
VERSION: Final = "2.7.0-etp"
PROBLEMS: Final[Sequence[type[Problem]]] = (
    LinesRefused,
    WrongMeasurements,
    *taking.PROBLEMS,
)
_CREATES: Final = re.compile(r'\s*create\s+database\s+("[^"]+"|\w+)[^;]*;?\s*', re.IGNORECASE)
_SHOWS: Final = re.compile(r"\s*show\s+databases\s*;?\s*", re.IGNORECASE)


class WriteQuery(BaseModel):
    """The unit of the lines' times; `bucket` and `org` may be anything, the token says whose the samples are."""

    precision: str = Field(default="ns", description="ns, us, ms, s, m or h.")
    bucket: str | None = None
    org: str | None = None


class OldWriteQuery(BaseModel):
    """The unit of the lines' times; `db` and `rp` may be anything, the token says whose the samples are."""

    precision: str = Field(default="ns", description="ns, us, ms, s, m or h.")
    db: str | None = None
    rp: str | None = None


class StatementQuery(BaseModel):
    """A statement of InfluxQL, in the address or in a form."""

    q: str | None = None
    db: str | None = None


class Results(BaseModel):
    """What a statement gave."""

    results: list[dict[str, Any]]


class Health(BaseModel):
    """Whether lines can be written."""

    name: str
    message: str
    status: str
    version: str


class StatementUnknown(Problem):
    """Lines are written here, not read."""

    status = 400
    detail = "CREATE DATABASE and SHOW DATABASES are answered. Read samples at /api/v1/sensors/{{id}}/samples."


write = partial(
    routes.route,
    "POST",
    access=CLIENT_TOKEN,
    status=204,
    problems=PROBLEMS,
    transaction=False,
    rate=0,
    sampled=True,
    consumes=("text/plain",),
    takes=str,
)


@write("/api/v2/write", refusals=InfluxRefusals())
async def write_lines(ctx: Context, query: WriteQuery) -> None:
    """Take lines as InfluxDB 2 does: 204, or 400 that names the lines that were not taken."""
    await _write(ctx, query.precision, ctx.hub.settings.max_samples_per_packet)


@write("/write", refusals=OldInfluxRefusals())
async def write_old_lines(ctx: Context, query: OldWriteQuery) -> None:
    """Take lines as InfluxDB 1 does, in many packets: a client of it would drop them after a 413."""
    await _write(ctx, query.precision, PACKETS * ctx.hub.settings.max_samples_per_packet)


async def _write(ctx: Context, precision: str, limit: int) -> None:
    taken = await taking.receive(ctx, FORMAT, lambda body, _now_us: _decode(body, precision, limit))
    faults = faults_of(taken.rejected)
    if faults:
        raise LinesRefused(faults)


def _decode(body: bytes, precision: str, limit: int) -> Decoded:
    try:
        return line_protocol.decode(body, precision, limit)
    except PrecisionUnknown as error:
        raise WrongMeasurements(why=str(error)) from error


@routes.route("GET", "/ping", access=PUBLIC, status=204, sampled=True)
async def ping(ctx: Context) -> web.Response:
    """Tell clients of InfluxDB that somebody is here."""
    return web.Response(status=204, headers={"X-Influxdb-Version": VERSION, "X-Influxdb-Build": "ETP"})


@routes.route("GET", "/health", access=PUBLIC, answer=Health, sampled=True)
async def show_health(ctx: Context) -> Health:
    """Tell clients of InfluxDB 2 that lines can be written."""
    return Health(name="influxdb", message="ready for writes", status="pass", version=VERSION)


@routes.route(
    "GET",
    "/query",
    access=CLIENT_TOKEN,
    answer=Results,
    problems=[StatementUnknown],
    transaction=False,
    refusals=OldInfluxRefusals(),
)
async def ask(ctx: Context, query: StatementQuery) -> Results:
    """Answer what clients of InfluxDB 1 ask before they write: which databases there are."""
    return _answer(query.q or "")


@routes.route(
    "POST",
    "/query",
    access=CLIENT_TOKEN,
    answer=Results,
    problems=[StatementUnknown],
    transaction=False,
    consumes=("application/x-www-form-urlencoded",),
    refusals=OldInfluxRefusals(),
)
async def ask_by_form(ctx: Context, query: StatementQuery) -> Results:
    """Answer CREATE DATABASE, which has nothing to create: a token says whose the samples are."""
    if query.q is not None:
        return _answer(query.q)
    form = await ctx.request.post()
    return _answer(str(form.get("q", "")))


def _answer(statement: str) -> Results:
    if _CREATES.fullmatch(statement):
        return Results(results=[{"statement_id": 0}])
    if _SHOWS.fullmatch(statement):
        series = {"name": "databases", "columns": ["name"], "values": [["etp"]]}
        return Results(results=[{"statement_id": 0, "series": [series]}])
    raise StatementUnknown
