"""The request log: one event for each request, sampled where many come, without the secrets of addresses."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import ClientPayloadError, web
from structlog.testing import capture_logs
from structlog.typing import EventDict

from hub import request_log
from hub.auth.access import PUBLIC
from hub.kit.context import Context
from hub.kit.db import Tx
from hub.kit.endpoint import Routes, register
from hub.request_log import Sampler
from tests.hub.callers import Caller
from tests.hub.conftest import Device, Make
from tests.hub.raw import Client, send


@pytest.fixture
def events() -> Iterator[list[EventDict]]:
    """The request log's events."""
    with capture_logs() as heard:
        yield heard


def requests(events: list[EventDict]) -> list[EventDict]:
    return [event for event in events if event["event"] == "request"]


class TestRequestLog:
    @pytest.fixture(autouse=True)
    def _fresh(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(request_log, "_sampler", Sampler())

    async def test_one_event_a_request(self, owner: Caller, project: str, events: list[EventDict], db: Tx) -> None:
        answer = await owner.get(f"/projects/{project}?token=hunter2")
        (event,) = requests(events)
        session = await db.fetchval("select id::text from session where user_id::text = $1", owner.id)
        assert event.pop("duration_ms") > 0
        assert event.pop("bytes") > len(str(answer.body)) / 2
        assert event == {
            "event": "request",
            "log_level": "info",
            "method": "GET",
            "route": "/api/v1/projects/{project_id}",
            "path": f"/api/v1/projects/{project}",
            "status": 200,
            "address": "127.0.0.1",
            "request_id": answer.headers["X-Request-ID"],
            "principal": "user",
            "principal_id": owner.id,
            "credential_id": session,
        }

    async def test_refusals_too(self, anonymous: Caller, stranger: Caller, project: str) -> None:
        with capture_logs() as events:
            await anonymous.get("/projects")
            await stranger.get(f"/projects/{project}")
            await anonymous.get("/nowhere")
        seen = [
            (event["method"], event["route"], event["status"], event.get("principal_id")) for event in requests(events)
        ]
        assert seen == [
            ("GET", "/api/v1/projects", 401, None),
            ("GET", "/api/v1/projects/{project_id}", 404, stranger.id),
            ("GET", None, 404, None),
        ]

    async def test_not_of_health(self, anonymous: Caller, events: list[EventDict]) -> None:
        for path in ("/healthz", "/readyz", "/metrics"):
            await anonymous.get(path)
        assert requests(events) == []

    async def test_samples_of_telemetry(self, owner: Caller, sensor: Make, device: Device) -> None:
        sender = device(await sensor())
        with capture_logs() as events:
            for body in ({"samples": []}, b"{", b"{", b"{"):
                await sender.post("/telemetry", body)
        (first, second) = requests(events)
        assert first["principal_id"] == sender.id
        assert (second["route"], second["status"], second["unlogged"]) == ("/telemetry", 400, 0)

    async def test_samples_of_files(self, dashboard: Path, client: Client, events: list[EventDict]) -> None:
        for path in ("/assets/chart-1a2b.js", "/favicon.svg", "/", "/monitor"):
            await client.get(path)
        assert [event["path"] for event in requests(events)] == ["/assets/chart-1a2b.js", "/", "/monitor"]

    async def test_what_an_unreadable_request_was(self, client: Client, events: list[EventDict]) -> None:
        answer = await send(client, b"nonsense\r\n\r\n")
        async with asyncio.timeout(5):
            while not requests(events):  # noqa: ASYNC110 - the answer may be here before its line
                await asyncio.sleep(0.01)
        (event,) = requests(events)
        assert (event["method"], event["route"], event["status"], event["unlogged"]) == ("UNKNOWN", None, 400, 0)
        assert event["request_id"] == answer.headers["x-request-id"]


class TestFaultInAStream:
    @pytest.fixture
    def app(self, app: web.Application) -> web.Application:
        routes = Routes("test")

        @routes.route("GET", "/test/stream", access=PUBLIC, transaction=False)
        async def stream(ctx: Context) -> web.StreamResponse:
            """Begin an answer, then fail."""
            response = web.StreamResponse()
            await response.prepare(ctx.request)
            await response.write(b"a beginning")
            raise RuntimeError("the rest")

        for endpoint in routes.endpoints:
            register(app, endpoint)
        return app

    async def test_ends_the_connection(self, client: Client, anonymous: Caller, events: list[EventDict]) -> None:
        async with client.get("/api/v1/test/stream") as answer:
            with pytest.raises(ClientPayloadError):
                await answer.read()
        assert [event["event"] for event in events] == ["request failed"]
        assert (await anonymous.get("/healthz")).status == 200


class TestTokensInPaths:
    @pytest.fixture
    def app(self, app: web.Application) -> web.Application:
        routes = Routes("test")

        @routes.route("POST", "/test/{token}/telemetry", access=PUBLIC)
        async def take(ctx: Context, token: str) -> None:
            """Take what a device sends that knows no header."""

        for endpoint in routes.endpoints:
            register(app, endpoint)
        return app

    async def test_are_not_logged(self, anonymous: Caller, events: list[EventDict]) -> None:
        assert (await anonymous.post("/test/hunter2/telemetry")).status == 200
        (event,) = requests(events)
        assert (event["route"], event["path"]) == ("/api/v1/test/{token}/telemetry", "/api/v1/test/***/telemetry")
        assert "hunter2" not in repr(event)

    @pytest.mark.parametrize(
        ("path", "shown"),
        [
            ("/canary-1/telemetry", "/***/telemetry"),
            ("//canary-1//attributes", "//***//attributes"),
            ("/canary-1", "/***"),
            ("/canary-1/", "/***/"),
            ("/nowhere/canary", "/nowhere/canary"),
        ],
    )
    async def test_nor_where_nothing_is(
        self, anonymous: Caller, events: list[EventDict], path: str, shown: str
    ) -> None:
        answer = await anonymous.call("GET", f"/api/v1{path}")
        assert answer.status in {400, 404, 405}
        assert "canary" not in str(answer.body)
        (event,) = requests(events)
        assert event["path"] == f"/api/v1{shown}"


class TestSampler:
    def test_counts_what_it_does_not_show(self) -> None:
        sampler = Sampler()
        assert [sampler.take("a", at) for at in (0, 1, 9.9, 10, 15, 21)] == [0, None, None, 2, None, 1]
        assert sampler.take("b", 1) == 0

    def test_holds_a_bounded_number_of_kinds(self) -> None:
        sampler = Sampler()
        for kind in range(5000):
            sampler.take(kind, 0)
        assert len(sampler._seen) <= 1000
