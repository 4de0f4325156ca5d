"""Every route is declared, and docs/openapi.json says what the hub really answers."""

import inspect
import json
import re
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from openapi_spec_validator import validate

from hub import access_table
from hub.app import ENDPOINTS, LIVE_ENDPOINTS, create_app
from hub.kit.endpoint import Endpoint
from hub.openapi import render
from hub.settings import Settings
from hub.write_docs import ACCESS, OPENAPI

DECLARED = (*ENDPOINTS, *LIVE_ENDPOINTS)
# Not part of the API: health for whoever runs the hub, the documents themselves, the dashboard's pages.
UNDECLARED = {"/healthz", "/readyz", "/metrics", "/api/v1/openapi.json", "/api/v1/asyncapi.json", "/{path}"}
PUBLIC = {
    "POST /api/v1/auth/login",
    "POST /api/v1/auth/refresh",
    "POST /api/v1/auth/invite",
    "POST /api/v1/auth/register",
    "POST /api/v1/auth/password/forgot",
    "POST /api/v1/auth/password/reset",
    "POST /api/v1/broker/login",
    "GET /ping",
    "GET /health",
    "GET /api/v1/live",  # browsers cannot send headers here: the first message says who it is
}
UNLIMITED = {
    "POST /telemetry",
    "POST /api/v1/telemetry",
    "GET /telemetry",
    "GET /api/v1/telemetry",
    "POST /telemetry/stream",
    "POST /api/v1/telemetry/stream",
    "POST /api/v2/write",
    "POST /write",
    "POST /api/v1/senml",
    "POST /api/v1/{token}/telemetry",
    "GET /api/v1/live",
}


def name(endpoint: Endpoint) -> str:
    return f"{endpoint.method} {endpoint.path}"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return json.loads(render(DECLARED))


def test_every_route_is_declared(tmp_path: Path) -> None:
    settings = Settings(
        _env_file=None, database_url="postgresql://nowhere", redis_url="redis://nowhere", data_dir=tmp_path
    )
    app: web.Application = create_app(settings)
    declared = {name(endpoint) for endpoint in DECLARED}
    found = {
        f"{route.method} {route.resource.canonical}"
        for route in app.router.routes()
        if route.resource is not None and route.resource.canonical not in UNDECLARED and route.method != "HEAD"
    }
    assert found == declared
    assert len(declared) == len(DECLARED), "no route twice"


def test_document_is_current() -> None:
    assert OPENAPI.read_bytes() == render(DECLARED), "run `python -m hub.write_docs`"


def test_table_of_access_is_current() -> None:
    assert ACCESS.read_text(encoding="utf-8") == access_table.render(DECLARED), "run `python -m hub.write_docs`"


def test_document_is_valid(document: dict[str, Any]) -> None:
    validate(document)


def test_names_of_operations_are_unique(document: dict[str, Any]) -> None:
    ids = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
    assert len(set(ids)) == len(ids)


def test_every_route_is_explained() -> None:
    assert [name(endpoint) for endpoint in DECLARED if not re.fullmatch(r"[A-Z].*\.", endpoint.summary)] == []


def test_handlers_take_what_their_paths_name() -> None:
    for endpoint in DECLARED:
        assert set(re.findall(r"\{(\w+)\}", endpoint.path)) == set(endpoint.path_types), name(endpoint)
        assert next(iter(inspect.signature(endpoint.handler).parameters)) == "ctx", name(endpoint)


def test_all_but_a_few_ask_who_calls() -> None:
    assert {name(endpoint) for endpoint in DECLARED if endpoint.access.scheme is None} == PUBLIC


def test_statuses() -> None:
    for endpoint in DECLARED:
        creates = endpoint.method == "POST" and endpoint.handler.__name__.startswith("create")
        assert (endpoint.status == 201) is creates, name(endpoint)
        if endpoint.method == "DELETE":
            assert (endpoint.status, endpoint.answer) == (204, None), name(endpoint)


def test_all_but_a_few_are_limited_and_say_so(document: dict[str, Any]) -> None:
    unlimited = {name(endpoint) for endpoint in DECLARED if not endpoint.rate}
    assert unlimited == UNLIMITED, "these have limits of their own"
    for endpoint in DECLARED:
        answers = document["paths"][endpoint.path][endpoint.method.lower()]["responses"]
        told = {status for status, one in answers.items() if "too-many-requests" in one["description"]}
        # Clients of InfluxDB 1 would drop what they sent after a 429.
        expected = "503" if endpoint.path in {"/query", "/write"} else "429"
        # Sockets are limited by what comes over them.
        limited = bool(endpoint.rate) or endpoint.method == "POST"
        assert told == ({expected} if limited else set()), name(endpoint)
