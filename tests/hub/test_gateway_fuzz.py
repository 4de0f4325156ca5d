"""What nobody well-meaning sends: refused with a problem, never a fault of ours, and the next request works."""

import asyncio
import random

import pytest

from hub.kit.db import Tx
from hub.settings import Settings
from tests.hub.callers import Caller
from tests.hub.conftest import Make
from tests.hub.raw import Client, RawAnswer, connection, read_answer, send, write

ME = "/api/v1/auth/me"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A dashboard beside the API, and limits that are out of the way."""
    (settings.frontend_dir / "assets").mkdir(parents=True)
    (settings.frontend_dir / "index.html").write_text("<html></html>")
    (settings.frontend_dir.parent / "secret.txt").write_text("hunter2")
    return settings.model_copy(update={"public_requests_burst": 10_000, "requests_burst": 10_000})


ASTRAY = [
    "/assets/../../etc/passwd",
    "/assets/../secret.txt",
    "/../secret.txt",
    "/./index.html",
    "/..",
    "/assets/..",
    "//etc/passwd",
    "/assets//../x",
    "/assets/%2e%2e/%2e%2e/etc/passwd",
    "/%2E%2E/secret.txt",
    "/..%2f..%2fetc/passwd",
    "/assets%2F..%2Fx",
    r"/..\..\windows",
    "/%5c..%5c",
    "/%00",
    "/index.html%00.png",
    "/%0a",
    "/%7f",
    "/%",
    "/%zz",
    "/%4",
    "/%ff",
    "/%c0%ae%c0%ae/",
    "/%ed%a0%80",
    "/api/v1/../../secret.txt",
    "/api/v1/%2e%2e/x",
    "/api/v1/projects/..%2f..",
    "/telemetry/../x",
    "http://etp/../x",
]


UNSERVED: list[tuple[str | bytes, int, str]] = [
    (b"/a\x00b", 400, "request-broken"),
    (b"/a\xffb", 400, "request-broken"),
    ("/a b", 400, "request-broken"),
    ("no-slash", 400, "request-broken"),
    ("http://[::1/x", 400, "request-broken"),
    (b"/api/v1/sensors?q=\xff", 400, "request-broken"),
    ("/" + "a" * 16_384, 414, "address-too-long"),
    ("/api/v1/sensors?q=" + "a" * 20_000, 414, "address-too-long"),
    ("/api/v1/sensors?q=%00", 422, "invalid-payload"),
    ("/api/v1/sensors?project_id=%27%20or%201=1--", 422, "invalid-payload"),
    ("/api/v1/projects/%C3%A4", 422, "invalid-payload"),
]


class TestAddresses:
    async def test_that_lead_astray(self, client: Client, owner: Caller) -> None:
        for target in ASTRAY:
            answer = await send(client, write("GET", target, f"Authorization: Bearer {owner.token}"))
            assert (answer.status, answer.code) == (400, "address-broken"), target
            assert await owner.works()

    async def test_that_nobody_can_serve(self, client: Client, owner: Caller) -> None:
        for target, status, code in UNSERVED:
            answer = await send(client, write("GET", target, f"Authorization: Bearer {owner.token}"))
            assert (answer.status, answer.code) == (status, code), target[:80]
            assert await owner.works()

    async def test_odd_queries_find_nothing_or_are_refused(self, client: Client, owner: Caller) -> None:
        for query in ("q=%ff%fe", "q=%ed%a0%80", "q=%zz", "q=%", "q=a&q=b", "q", "=", "&&&", "%00=1", "q[]=1"):
            head = f"Authorization: Bearer {owner.token}"
            answer = await send(client, write("GET", f"/api/v1/sensors?{query}", head))
            assert answer.status == 200 or (answer.status, answer.code) == (422, "invalid-payload"), query
            assert await owner.works()


BROKEN: list[tuple[bytes, int, str]] = [
    (b"Cookie: a=" + b"x" * 8_192, 431, "header-too-large"),
    (b"Cookie: a=" + b"x" * 200_000, 431, "header-too-large"),
    (b"X" * 9_000 + b": 1", 431, "header-too-large"),
    (b"\r\n".join(b"X-%d: 1" % i for i in range(200)), 400, "request-broken"),
    (b"X-Note: a\0b", 400, "request-broken"),
    (b"X-Note: a\rb", 400, "request-broken"),
    (b"X-Note: a\r\n b", 400, "request-broken"),
    (b"X-Note : a", 400, "request-broken"),
    (b"X Note: a", 400, "request-broken"),
    (b": a", 400, "request-broken"),
    (b"no colon", 400, "request-broken"),
    (b"Host: another", 400, "request-broken"),
    (b"Content-Length: -1", 400, "request-broken"),
    (b"Content-Length: 1\r\nContent-Length: 2", 400, "request-broken"),
    (b"Content-Length: 0\r\nTransfer-Encoding: chunked", 400, "request-broken"),
    (b"Transfer-Encoding: chunked, identity", 400, "request-broken"),
    (b"Expect: the-impossible", 400, "request-broken"),
    (b"User-Agent: \xff\xfe", 400, "request-broken"),
    (b"Cookie: a=\xff", 400, "request-broken"),
    (b"Idempotency-Key: \xed\xa0\x80", 400, "request-broken"),
]
ODD = [
    "Cookie: ;;=;,",
    'Cookie: a="\\777"; $Version=1; etp_refresh',
    "Cookie: etp_refresh=%00%ff",
    "Cookie:",
    "User-Agent: ä€",
    "Accept: \t,;q=x",
    "Accept-Encoding: *;q=-1",
    "If-None-Match: *",
    "Range: x",
    "Via: " + "x" * 8_000,
    "X-Forwarded-For: ' or 1=1 --",
    "X-Request-ID: a%0d%0aSet-Cookie: b=c",
    "Upgrade: h2c\r\nConnection: Upgrade",
    "Content-Encoding: br",
    "Content-Type: ;;;",
    "Origin: \\",
]


class TestHeaders:
    async def test_broken(self, client: Client, owner: Caller) -> None:
        head = f"Authorization: Bearer {owner.token}".encode()
        for line, status, code in BROKEN:
            answer = await send(client, write("GET", ME, head, line))
            assert (answer.status, answer.code) == (status, code), line[:80]
            assert head.rpartition(b" ")[2] not in answer.body, "nothing that was sent is repeated"
            assert await owner.works()

    async def test_what_is_still_being_sent_does_not_cost_the_answer(self, client: Client) -> None:
        async with asyncio.timeout(10), connection(client) as (reader, writer):
            writer.write(write("GET", ME, b"Cookie: a=" + b"x" * 9_000)[:-4])
            assert (await read_answer(reader)).code == "header-too-large"
            for _ in range(5):  # a connection that was closed at once would be reset by this
                writer.write(b"x" * 1_000)
                await writer.drain()
                await asyncio.sleep(0.01)

    async def test_odd(self, client: Client, owner: Caller) -> None:
        for line in ODD:
            answer = await send(client, write("GET", ME, f"Authorization: Bearer {owner.token}", line))
            assert answer.status == 200, line
            assert "set-cookie" not in answer.headers, line
            assert await owner.works()

    async def test_odd_cookies_refresh_nothing(self, client: Client, owner: Caller) -> None:
        for cookie in (
            "etp_refresh=",
            "etp_refresh=%00",
            'etp_refresh="\\"',
            "etp_refresh=ä",
            "=x",
            "etp_refresh=etpr_' or 1",
        ):
            head = ("Content-Type: application/json", f"Cookie: {cookie}")
            answer = await send(client, write("POST", "/api/v1/auth/refresh", *head, body=b"{}"))
            assert (answer.status, answer.code) == (401, "refresh-refused"), cookie
        assert await owner.works()

    async def test_nothing_is_injected_into_the_answer(self, client: Client, owner: Caller) -> None:
        split = "%0d%0aSet-Cookie:%20a=b"
        lines = [f"X-Request-ID: {split}", f"Origin: http://x{split}", f"Idempotency-Key: {split}"]
        for target in (ME, f"/api/v1/sensors?q={split}", f"/api/v1/x{split}", f"/x{split}"):
            answer = await send(client, write("GET", target, f"Authorization: Bearer {owner.token}", *lines))
            assert answer.status < 500
            assert "set-cookie" not in answer.headers
        assert await owner.works()


LINES = [
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    b"\0" * 100,
    b"GET\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET / HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\nHost: x\n\n",
    b"FOO / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"get / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    b"CONNECT etp:80 HTTP/1.1\r\nHost: x\r\n\r\n",
]


class TestRequestLines:
    async def test_broken(self, client: Client, owner: Caller) -> None:
        for request in LINES:
            answer = await send(client, request)
            assert answer.status == 400, request
            assert answer.code in {"request-broken", "address-broken"}, request
            assert await owner.works()


class TestBodies:
    async def test_broken(self, client: Client, owner: Caller) -> None:
        head = (f"Authorization: Bearer {owner.token}", "Content-Type: application/json")
        chunked = write("POST", "/api/v1/projects", *head, "Transfer-Encoding: chunked")
        for request, code in (
            (chunked + b"zz\r\n{}\r\n0\r\n\r\n", "request-broken"),
            (chunked + b"fffffffffffffffff\r\n", "request-broken"),
            (chunked + b"2\r\n{}x\r\n", "request-broken"),
            (write("POST", "/api/v1/projects", *head, body=b"[" * 100_000), "broken-json"),
            (write("POST", "/api/v1/projects", *head, body=b'{"name": "\\ud800"}'), "broken-json"),
            (write("POST", "/api/v1/projects", *head, body=b'{"name": "\xff"}'), "broken-json"),
            (write("POST", "/api/v1/projects", *head, body=b"\xff\xfe{\0}\0"), "broken-json"),
            (write("POST", "/api/v1/projects", *head, body=b'{"name": 1e999}'), "broken-json"),
            (write("POST", "/api/v1/projects", *head, body=b'{"name": "a\\u0000b"}'), "invalid-payload"),
            (write("POST", "/api/v1/projects", *head, "Content-Length: 9999999"), "body-too-large"),
            (write("POST", "/api/v1/projects", *head, "Content-Length: " + "9" * 40), "request-broken"),
        ):
            answer = await send(client, request)
            assert answer.status < 500, request[-60:]
            assert answer.code in {code, "body-broken"}, request[-60:]
            assert await owner.works()

    @pytest.mark.parametrize("levels", [101, 255, 960, 1020])
    async def test_nested_deeply(self, owner: Caller, anonymous: Caller, experiment: Make, levels: int) -> None:
        runs = f"/experiments/{(await experiment())['id']}/runs"
        for inner in ("1", r'"\u0000"'):
            body = f'{{"name": "r", "params": {{"a": {"[" * levels}{inner}{"]" * levels}}}}}'.encode()
            answer = await owner.post(runs, body)
            assert (answer.status, answer.code) == (422, "invalid-payload")
        assert (await anonymous.post("/auth/login", b"[" * levels + b"]" * levels)).status == 422

    async def test_nested(self, owner: Caller, experiment: Make) -> None:
        runs = f"/experiments/{(await experiment())['id']}/runs"
        params = '{"a":' * 90 + "1" + "}" * 90
        body = f'{{"name": "r", "params": {params}}}'.encode()
        assert (await owner.post(runs, body)).status == 201

    async def test_any_bytes(self, client: Client, owner: Caller) -> None:
        """Requests with a few bytes changed, cut out or put in anywhere."""
        rng = random.Random(11)
        sound = write(
            "POST",
            "/api/v1/projects?x=%20",
            f"Authorization: Bearer {owner.token}",
            "Content-Type: application/json",
            "Cookie: etp_refresh=x",
            "Idempotency-Key: 1",
            body=b'{"name": "p"}',
        )
        answers = 0
        for _ in range(12):
            changed = [mutate(rng, sound) for _ in range(10)]
            for request, answer in zip(
                changed, await asyncio.gather(*(try_out(client, r) for r in changed)), strict=True
            ):
                if answer is not None:
                    answers += 1
                    assert answer.status < 500, request
                    assert answer.status < 400 or answer.code, request
        assert answers > 60
        assert await owner.works()


def mutate(rng: random.Random, request: bytes) -> bytes:
    changed = bytearray(request)
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(changed))
        what = rng.choice(
            [b"", b"\0", b"\r", b"\n", b"\xff", b"%", b":", b'"', bytes([rng.randrange(256)]), b"A" * 9_000]
        )
        changed[at : at + rng.randint(0, 2)] = what
    return bytes(changed)


async def try_out(client: Client, request: bytes) -> RawAnswer | None:
    """Send what may be incomplete; None when the hub waits for more of it."""
    async with connection(client) as (reader, writer):
        writer.write(request)
        try:
            async with asyncio.timeout(0.25):
                return await read_answer(reader)
        except TimeoutError:
            return None


NASTY = [
    "'; drop table project; --",
    "Robert'); DELETE FROM app_user WHERE ('1'='1",
    'x" or ""="',
    "%_\\%[a-z]*",
    "$1 $$ {0} {name} %s %(x)s",
    "<script>alert(1)</script>",
    "../../etc/passwd",
    "a\r\nSet-Cookie: b=c",
    "\\u0041 \\x00 &amp; \u202e\u200b ä€😀",
    "null",
    "=HYPERLINK(1)",
    "1e999",
]


class TestNames:
    async def test_come_back_as_they_were_sent(
        self, owner: Caller, project: str, sensor: Make, experiment: Make, db: Tx
    ) -> None:
        for name in NASTY:
            made = (await owner.post("/projects", {"name": name, "description": name})).ok
            assert (made["name"], made["description"]) == (name, name)
            probe = await sensor(name=name, calibration_notes=name)
            assert (await owner.get(f"/sensors/{probe['id']}")).ok["name"] == name
            trial = await experiment(name=name, tags=[name])
            assert (await owner.get(f"/experiments/{trial['id']}")).ok["tags"] == [name]
            found = await owner.call("GET", f"/sensors?q={quoted(name)}")
            assert [one["id"] for one in found.ok["items"]] == [probe["id"]]
            nothing = await owner.call("GET", f"/sensors?q={quoted(name + 'x')}")
            assert nothing.ok["items"] == []
        assert await db.fetchval("select count(*) from app_user") == 2, "nobody was deleted"


def quoted(text: str) -> str:
    return "".join(f"%{byte:02x}" for byte in text.encode())
