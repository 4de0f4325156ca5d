"""The gateway: what every request meets before its route, and what every answer carries."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from aiohttp import WSServerHandshakeError
from multidict import CIMultiDict

from hub.auth.accounts import ensure_user
from hub.kit import server
from hub.kit.db import Tx
from hub.settings import Role, Settings
from tests.hub.callers import Answer, Caller
from tests.hub.conftest import PAGE, Device, Make
from tests.hub.raw import Client, connection, send, write

LOGIN = {"email": "ada@example.com", "password": "engine no. 2"}


@pytest.fixture
def changes() -> dict[str, Any]:
    """What a test sets otherwise."""
    return {}


@pytest.fixture
def settings(settings: Settings, changes: dict[str, Any]) -> Settings:
    return Settings.model_validate(settings.model_dump() | changes)


class TestHeaders:
    async def test_of_the_api(self, owner: Caller, anonymous: Caller) -> None:
        answers = [
            await owner.get("/projects"),
            await owner.get("/nowhere"),
            await anonymous.get("/projects"),
            await anonymous.get("/openapi.json"),
            await anonymous.get("/healthz"),
            await anonymous.post("/auth/login", b"{"),
        ]
        assert [answer.status for answer in answers] == [200, 404, 401, 200, 200, 400]
        for answer in answers:
            self.check_api(answer.headers)

    async def test_of_what_cannot_be_read(self, client: Client) -> None:
        answer = await send(client, b"nonsense\r\n\r\n")
        assert (answer.status, answer.code) == (400, "request-broken")
        self.check_api(CIMultiDict(answer.headers))

    def check_api(self, headers: Mapping[str, str]) -> None:
        assert headers["Content-Security-Policy"] == (
            "default-src 'none'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
        )
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert headers["Cache-Control"] == "no-store"
        assert headers["Server"] == "etp"
        assert len(headers["X-Request-ID"]) == 16
        assert "Strict-Transport-Security" not in headers
        assert not [name for name in headers if name.startswith("Access-Control")]

    async def test_of_streams(self, owner: Caller, run: Make, sensor: Make, editor: Caller) -> None:
        made = await run(await sensor())
        capture = (await editor.post(f"/runs/{made['id']}/captures")).ok
        answer = await owner.get(f"/captures/{capture['id']}/export")
        assert answer.body.startswith(b"timestamp,")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["RateLimit-Limit"] == "500"

    @pytest.mark.parametrize("path", ["/", "/index.html", "/runs/1", "/monitor?x=1"])
    async def test_of_pages(self, dashboard: Path, client: Client, path: str) -> None:
        nonces: set[str] = set()
        for _ in range(2):
            answer = await client.get(path)
            headers, text = answer.headers, await answer.text()
            policy = headers["Content-Security-Policy"]
            assert "unsafe" not in policy
            assert policy.startswith("default-src 'none'; script-src 'self'; ")
            nonce = policy.partition("style-src 'self' 'nonce-")[2].partition("'")[0]
            assert text == PAGE.replace("__CSP_NONCE__", nonce)
            assert (headers["Content-Type"], headers["Cache-Control"]) == ("text/html; charset=utf-8", "no-store")
            assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
            assert headers["Cross-Origin-Embedder-Policy"] == "require-corp"
            assert "camera=()" in headers["Permissions-Policy"]
            nonces.add(nonce)
        assert len(nonces) == 2
        assert all(len(nonce) == 24 for nonce in nonces)

    async def test_of_files(self, dashboard: Path, client: Client) -> None:
        script = await client.get("/assets/chart-1a2b.js", headers={"Accept-Encoding": "identity"})
        icon = await client.get("/favicon.svg")
        assert await script.text() == "export default 1"
        assert script.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert icon.headers["Cache-Control"] == "no-cache"
        for answer in (script, icon):
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Cross-Origin-Embedder-Policy"] == "require-corp"
            assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
            assert answer.headers["Server"] == "etp"
            assert "nonce" not in answer.headers["Content-Security-Policy"]

    async def test_texts_say_their_letters(self, dashboard: Path, client: Client) -> None:
        (dashboard / "assets" / "late.css").write_text("")
        for path, kind in (("/assets/chart-1a2b.js", "text/javascript"), ("/favicon.svg", "image/svg+xml")):
            for encoding in ("identity", "gzip"):
                answer = await client.get(path, headers={"Accept-Encoding": encoding})
                assert (answer.status, answer.headers["Content-Type"]) == (200, f"{kind}; charset=utf-8")
        # What came after the start is nothing that was built.
        assert (await client.get("/assets/late.css")).status == 404

    @pytest.mark.parametrize("path", ["/.git/config", "/assets/", "/assets/..%2findex.html"])
    async def test_nothing_else_is_served(self, dashboard: Path, client: Client, path: str) -> None:
        answer = await send(client, write("GET", path))
        assert b"[core]" not in answer.body
        assert answer.status in {200, 400, 404}
        assert (answer.status == 200) is (b"csp-nonce" in answer.body)

    async def test_a_script_of_yesterday_is_no_page(self, dashboard: Path, client: Client) -> None:
        answer = await client.get("/assets/chart-0000.js")
        assert (answer.status, answer.content_type) == (404, "application/problem+json")

    @pytest.mark.parametrize("part", ["bytes=100-", "bytes=x", "lines=1-2"])
    async def test_a_part_that_is_not_there(self, dashboard: Path, client: Client, part: str) -> None:
        answer = await send(client, write("GET", "/assets/chart-1a2b.js", f"Range: {part}"))
        assert (answer.status, answer.code, answer.headers["content-range"]) == (416, "range-not-there", "bytes */16")
        good = await client.get("/assets/chart-1a2b.js", headers={"Range": "bytes=0-5", "Accept-Encoding": "identity"})
        assert (good.status, await good.text()) == (206, "export")


class TestHttps:
    @pytest.fixture
    def changes(self) -> dict[str, Any]:
        return {"public_url": "https://lab.example.com"}

    async def test_is_for_good(self, client: Client, anonymous: Caller) -> None:
        for headers in ((await anonymous.get("/projects")).headers, (await send(client, b"x\r\n\r\n")).headers):
            assert CIMultiDict(headers)["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"


class TestTrustedProxy:
    @pytest.fixture
    def changes(self) -> dict[str, Any]:
        return {"trusted_proxies": "127.0.0.0/8, 10.0.0.0/8"}

    @pytest.fixture
    async def user(self, db: Tx) -> None:
        await ensure_user(db, email=LOGIN["email"], name="Ada", password=LOGIN["password"])

    async def test_tells_who_asks(self, anonymous: Caller, user: None, db: Tx) -> None:
        told = {"X_Forwarded_For": "198.51.100.66, 203.0.113.9, 10.0.0.2", "X_Request_ID": "from-the-proxy-1"}
        answer = await anonymous.post("/auth/login", LOGIN, **told)
        assert answer.headers["X-Request-ID"] == "from-the-proxy-1"
        assert "Strict-Transport-Security" not in answer.headers
        fact = await db.fetchrow("select address, request_id from fact where kind = 'user.logged_in'")
        assert fact is not None
        assert tuple(fact) == ("203.0.113.9", "from-the-proxy-1")

    async def test_tells_of_https(self, anonymous: Caller, user: None) -> None:
        for proto, secure in (("http", False), ("https", True)):
            answer = await anonymous.post("/auth/login", LOGIN | {"client": "browser"}, X_Forwarded_Proto=proto)
            cookie = answer.headers["Set-Cookie"]
            assert ("Secure" in cookie.split("; ")) is secure
            assert cookie.startswith("__Host-etp_refresh=" if secure else "etp_refresh=")
            assert ("Path=/" in cookie.split("; ")) is secure
            assert ("Strict-Transport-Security" in answer.headers) is secure


async def test_a_stranger_can_tell_nothing(anonymous: Caller, db: Tx) -> None:
    await ensure_user(db, email=LOGIN["email"], name="Ada", password=LOGIN["password"])
    told = {"X_Forwarded_For": "203.0.113.9", "X_Forwarded_Proto": "https", "X_Request_ID": "chosen-by-me"}
    answer = await anonymous.post("/auth/login", LOGIN | {"client": "browser"}, **told)
    assert "Secure" not in answer.headers["Set-Cookie"]
    assert "Strict-Transport-Security" not in answer.headers
    assert answer.headers["X-Request-ID"] != "chosen-by-me"
    assert await db.fetchval("select address from fact where kind = 'user.logged_in'") == "127.0.0.1"


def asks(origin: str, **more: str) -> dict[str, str]:
    return {"Origin": origin, "Access-Control-Request-Method": "PATCH", **more}


class TestCorsClosed:
    async def test_by_default(self, client: Client, owner: Caller) -> None:
        asked = await client.options("/api/v1/projects", headers=asks("https://evil.example"))
        answer = await owner.get("/projects", Origin="https://evil.example")
        assert (asked.status, answer.status) == (405, 200)
        for headers in (asked.headers, answer.headers):
            assert not [name for name in headers if name.startswith("Access-Control")]


class TestCorsOpen:
    @pytest.fixture
    def changes(self) -> dict[str, Any]:
        return {"cors_origins": "https://lab.example.com, http://127.0.0.1:5173"}

    @pytest.mark.parametrize("origin", ["https://lab.example.com", "http://127.0.0.1:5173"])
    async def test_for_those_listed(self, client: Client, owner: Caller, anonymous: Caller, origin: str) -> None:
        asked = await client.options("/api/v1/projects", headers=asks(origin))
        assert (asked.status, asked.headers["Access-Control-Allow-Origin"]) == (204, origin)
        assert "PATCH" in asked.headers["Access-Control-Allow-Methods"]
        assert "Authorization" in asked.headers["Access-Control-Allow-Headers"]
        for caller, status in ((owner, 200), (anonymous, 401)):
            answer = await caller.get("/projects", Origin=origin)
            assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (status, origin)
            assert "X-Request-ID" in answer.headers["Access-Control-Expose-Headers"]
            assert answer.headers["Vary"] == "Origin"
            assert "Access-Control-Allow-Credentials" not in answer.headers

    @pytest.mark.parametrize(
        "origin",
        ["https://evil.example", "null", "*", "https://lab.example.com.evil.example", "http://lab.example.com", ""],
    )
    async def test_for_nobody_else(self, client: Client, owner: Caller, origin: str) -> None:
        asked = await client.options("/api/v1/projects", headers=asks(origin))
        assert (asked.status, asked.headers.get("Access-Control-Allow-Origin")) == (405, None)
        answer = await owner.get("/projects", Origin=origin)
        assert (answer.headers["Vary"], answer.headers.get("Access-Control-Allow-Origin")) == ("Origin", None)

    @pytest.mark.parametrize("wrong", ["*", "lab.example.com", "https://lab.example.com/", "ftp://lab", "https://"])
    def test_what_is_no_origin_is_no_setting(self, wrong: str, settings: Settings) -> None:
        with pytest.raises(ValueError, match="an origin is"):
            Settings.model_validate(settings.model_dump() | {"cors_origins": wrong})


class TestSlowHeaders:
    @pytest.fixture(autouse=True)
    def _impatient(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(server.OPTIONS, "keepalive_timeout", 0.3)

    async def test_a_byte_now_and_then_holds_no_connection(self, client: Client) -> None:
        async with asyncio.timeout(5), connection(client) as (reader, writer):
            ended = asyncio.create_task(reader.read())
            writer.write(b"GET /healthz HTTP/1.1\r\nX-Long: ")
            while not ended.done():
                writer.write(b"a")
                await asyncio.wait([ended], timeout=0.02)
            (left,) = await asyncio.gather(ended, return_exceptions=True)
            assert left == b"" or isinstance(left, ConnectionError)


class TestLiveSocket:
    @pytest.fixture
    def roles(self) -> frozenset[Role]:
        return frozenset({"api", "live"})

    @pytest.fixture
    def changes(self) -> dict[str, Any]:
        return {"cors_origins": "https://other.example.com", "public_url": "https://lab.example.com"}

    @pytest.mark.parametrize("origin", [None, "own", "https://lab.example.com", "https://other.example.com"])
    async def test_admits(self, client: Client, owner: Caller, origin: str | None) -> None:
        told = {} if origin is None else {"Origin": origin.replace("own", f"http://127.0.0.1:{client.port}")}
        socket = await client.ws_connect("/api/v1/live", headers={"Authorization": f"Bearer {owner.token}", **told})
        assert (await socket.receive_json(timeout=5))["op"] == "ready"
        await socket.close()

    @pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1", "file://", "https://"])
    async def test_refuses_a_foreign_page(self, client: Client, owner: Caller, origin: str) -> None:
        with pytest.raises(WSServerHandshakeError) as refused:
            await client.ws_connect("/api/v1/live", headers={"Origin": origin})
        assert refused.value.status == 403

    async def test_refuses_what_is_no_websocket(self, anonymous: Caller) -> None:
        answer = await anonymous.get("/live")
        assert (answer.status, answer.code, answer.headers["Upgrade"]) == (426, "web-socket-needed", "websocket")


class TestLimits:
    @pytest.fixture
    def changes(self) -> dict[str, Any]:
        slow = {"requests_per_s": 0.01, "public_requests_per_s": 0.01}
        return slow | {"requests_burst": 3, "public_requests_burst": 2}

    def check(self, answer: Answer, limit: int, left: int) -> None:
        headers = answer.headers
        assert (headers["RateLimit-Limit"], headers["RateLimit-Remaining"]) == (str(limit), str(left))
        assert float(headers["RateLimit-Reset"]) == pytest.approx((limit - left) * 100, abs=1)
        assert headers["RateLimit-Policy"] == f'"requests";q={limit};w={limit * 100}'
        assert headers["RateLimit"] == f'"requests";r={left};t={headers["RateLimit-Reset"]}'

    async def test_of_a_session(self, owner: Caller, editor: Caller) -> None:
        for left in (2, 1, 0):
            answer = await owner.get("/auth/me")
            assert answer.status == 200
            self.check(answer, 3, left)
        refused = await owner.get("/projects")
        assert (refused.status, refused.code) == (429, "too-many-requests")
        self.check(refused, 3, 0)
        assert 90 < int(refused.headers["Retry-After"]) <= 100
        assert f"Wait {refused.headers['Retry-After']} seconds." in refused.body["detail"]
        assert (await editor.get("/auth/me")).status == 200, "each credential has its own"

    async def test_each_token_of_a_user_has_its_own(self, owner: Caller) -> None:
        token = (await owner.post("/auth/tokens", {"name": "ci", "scope": "read", "expires_in_days": 1})).ok["token"]
        for _ in range(2):
            await owner.get("/auth/me")
        assert (await owner.get("/auth/me")).status == 429
        self.check(await Caller(owner.client, token).get("/auth/me"), 3, 2)

    async def test_of_a_device(self, owner: Caller, agent: Make, device: Device) -> None:
        edge = device(await agent())
        assert [(await edge.get("/edge/config")).status for _ in range(4)] == [200] * 3 + [429]

    async def test_of_an_address_without_credential(self, anonymous: Caller, owner: Caller) -> None:
        self.check(await anonymous.post("/auth/login", LOGIN), 2, 1)
        await anonymous.post("/auth/refresh", {"refresh_token": "etpr_x"})
        refused = await anonymous.post("/auth/login", LOGIN)
        assert (refused.status, refused.code) == (429, "too-many-requests")
        assert (await owner.get("/auth/me")).status == 200

    async def test_wrong_credentials_count_for_the_address(self, anonymous: Caller) -> None:
        guesses = [await anonymous.get("/auth/me", Authorization=f"Bearer etpp_{i}") for i in range(3)]
        assert [guess.status for guess in guesses] == [401, 401, 429]

    async def test_refused_requests_count(self, stranger: Caller, owner: Caller, project: str) -> None:
        tries = [await stranger.get(f"/projects/{project}") for _ in range(4)]
        assert [one.status for one in tries] == [404] * 3 + [429]
        malformed = [await owner.get("/projects/1") for _ in range(3)]
        assert [one.status for one in malformed] == [422, 422, 429]

    async def test_the_broker_asks_for_many(self, anonymous: Caller) -> None:
        login = {"username": "x", "password": "y"}
        answers = [await anonymous.post("/broker/login", login) for _ in range(5)]
        assert {answer.status for answer in answers} == {401}
        assert answers[-1].headers["RateLimit-Limit"] == "100"

    async def test_not_of_telemetry(self, owner: Caller, sensor: Make, device: Device) -> None:
        sender = device(await sensor())
        answers = [await sender.post("/telemetry", {"samples": [{"t": 1.0 + i, "v": 1}]}) for i in range(5)]
        assert 429 not in {answer.status for answer in answers}
        assert answers[0].headers["RateLimit-Limit"] == "10000", "the sensor's own limit"
