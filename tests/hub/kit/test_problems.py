"""Problems as answers: their shape, and what no client should see."""

from typing import Any

import pytest
from aiohttp import web

from hub.app import create_app
from hub.kit.context import Context
from hub.kit.endpoint import Routes, register
from hub.kit.problems import Problem
from hub.settings import Settings
from tests.hub.callers import Caller


class PumpIsDry(Problem):
    """The pump is dry."""

    status = 409
    detail = "Pump {number} is dry; fill it."


class TestProblem:
    def test_document(self) -> None:
        document = PumpIsDry(number=3).document("req-1")
        assert document.model_dump(exclude_none=True) == {
            "type": "https://etp.example/problems/pump-is-dry",
            "title": "The pump is dry",
            "status": 409,
            "detail": "Pump 3 is dry; fill it.",
            "instance": "req-1",
        }

    def test_every_problem_says_what_to_do(self) -> None:
        seen: list[type[Problem]] = [Problem]
        for kind in seen:
            seen += kind.__subclasses__()
        ours = [kind for kind in seen if kind.__module__.startswith("hub.")]
        assert len(ours) > 30
        assert all("detail" in vars(kind) and kind.__doc__ and 400 <= kind.status < 600 for kind in ours)
        codes = [kind.code() for kind in ours]
        assert len(set(codes)) == len(codes), "a code means one thing"


class TestAnswers:
    async def test_no_such_address(self, anonymous: Caller) -> None:
        answer = await anonymous.get("/nowhere")
        assert (answer.status, answer.code) == (404, "route-not-found")
        assert answer.headers["Content-Type"].startswith("application/problem+json")
        assert answer.body["instance"] == answer.headers["X-Request-ID"]

    async def test_wrong_method(self, anonymous: Caller) -> None:
        answer = await anonymous.delete("/auth/login")
        assert (answer.status, answer.code, answer.headers["Allow"]) == (405, "method-not-allowed", "POST")

    async def test_trace(self, anonymous: Caller) -> None:
        answer = await anonymous.call("TRACE", "/auth/me", Authorization="Bearer secret")
        assert (answer.status, answer.code) == (405, "method-not-allowed")
        assert "secret" not in str(answer.body)

    async def test_a_parameter_that_is_sent_twice(self, owner: Caller) -> None:
        answer = await owner.get("/projects?limit=1&limit=2")
        assert (answer.status, answer.body["errors"]) == (422, [{"loc": ["query"], "msg": "a parameter is sent twice"}])

    async def test_broken_json(self, owner: Caller) -> None:
        answer = await owner.post("/projects", b'{"name": NaN}')
        assert (answer.status, answer.code) == (400, "broken-json")
        assert "line 1, column" in answer.body["detail"]

    async def test_wrong_content_type(self, owner: Caller) -> None:
        answer = await owner.post("/projects", b"name=x", Content_Type="application/x-www-form-urlencoded")
        assert (answer.status, answer.code) == (415, "wrong-content-type")

    async def test_body_too_large(self, owner: Caller) -> None:
        answer = await owner.post("/projects", {"name": "x", "description": "y" * (1 << 20)})
        assert (answer.status, answer.code) == (413, "body-too-large")

    async def test_path_that_is_no_id(self, owner: Caller) -> None:
        answer = await owner.get("/projects/1")
        assert (answer.status, answer.body["errors"]) == (422, [{"loc": ["path", "project_id"], "msg": "not a UUID"}])

    async def test_every_answer_has_a_request_id(self, owner: Caller) -> None:
        ids = [(await owner.get(path)).headers["X-Request-ID"] for path in ("/projects", "/projects", "/nowhere")]
        assert len(set(ids)) == 3

    async def test_text_beyond_unicode(self, owner: Caller) -> None:
        assert (await owner.post("/projects", b'{"name": "\\ud800"}')).status == 400
        assert (await owner.post("/projects", b'{"name": "\xff"}')).status == 400


class TestDatabaseAway:
    @pytest.fixture
    def settings(self, settings: Settings, free_port: int) -> Settings:
        away = f"postgresql://etp@127.0.0.1:{free_port}/etp"
        return settings.model_copy(update={"database_url": away})

    async def test_come_back_soon(self, anonymous: Caller) -> None:
        answer = await anonymous.post("/auth/login", {"email": "ada@example.com", "password": "x"})
        assert (answer.status, answer.code) == (503, "database-away")
        assert answer.headers["Retry-After"] == "2"

    async def test_of_tokens_nothing_is_known(self, anonymous: Caller) -> None:
        login = {"username": "x", "password": "y"}
        assert (await anonymous.post("/broker/login", login)).status == 503
        assert (await anonymous.get("/edge/config", Authorization="Bearer x")).status == 503


class Everybody:
    scheme = None
    rule = "public"
    problems = ()

    async def admit(self, ctx: Context) -> None:
        """Admit."""


class TestFaultsOfOurs:
    @pytest.fixture
    def app(self, settings: Settings) -> web.Application:
        app = create_app(settings, frozenset({"api"}))
        routes = Routes("test")

        @routes.route("POST", "/test/fault", access=Everybody())
        async def fail(ctx: Context) -> None:
            """Write something, then fail."""
            await ctx.tx.execute("insert into project (name) values ('half done')")
            raise RuntimeError("the password is hunter2")

        for endpoint in routes.endpoints:
            register(app, endpoint)
        return app

    async def test_tell_nothing_and_leave_nothing(self, anonymous: Caller, db: Any) -> None:
        answer = await anonymous.post("/test/fault")
        assert (answer.status, answer.code) == (500, "internal-fault")
        assert "hunter2" not in str(answer.body)
        assert await db.fetchval("select count(*) from project where name = 'half done'") == 0
