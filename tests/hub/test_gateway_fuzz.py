"""What nobody well-meaning sends: refused with a problem, never a fault of ours, and the next request works."""

import asyncio
import base64
import random
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import orjson
import pytest
from aiohttp import web

from hub.kit.context import HUB
from hub.kit.crypto import Keys
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


async def works(caller: Caller) -> bool:
    return (await caller.get("/auth/me")).status == 200


def segment(value: object) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(value)).decode().rstrip("=")


class TestTokens:
    @pytest.fixture
    def keys(self, app: web.Application) -> Keys:
        return app[HUB].keys

    @pytest.fixture
    async def claims(self, owner: Caller, db: Tx) -> dict[str, Any]:
        """What a sound token of the owner says."""
        session = await db.fetchval("select id from session where user_id = $1", uuid.UUID(owner.id))
        now = datetime.now(UTC)
        sound = {"iss": "etp", "aud": "etp api", "sub": owner.id, "sid": str(session), "name": "x"}
        return sound | {"iat": now, "exp": now + timedelta(minutes=5)}

    async def test_sound(self, anonymous: Caller, keys: Keys, claims: dict[str, Any]) -> None:
        assert await works(Caller(anonymous.client, jwt.encode(claims, keys.sign)))

    async def test_forged(self, anonymous: Caller, owner: Caller, keys: Keys, claims: dict[str, Any]) -> None:
        later = datetime.now(UTC) + timedelta(hours=1)
        good = jwt.encode(claims, keys.sign)
        head, body, signature = good.split(".")
        forged: dict[str, str] = {
            "alg none": jwt.encode(claims, None, algorithm="none"),
            "alg None, signed": f"{segment({'alg': 'None', 'typ': 'JWT'})}.{body}.{signature}",
            "no signature": f"{head}.{body}.",
            "wrong key": jwt.encode(claims, keys.lookup),
            "empty key": jwt.encode(claims, b"\0" * 32),
            "another algorithm": jwt.encode(claims, keys.sign + keys.lookup, algorithm="HS512"),
            "wrong audience": jwt.encode(claims | {"aud": "another"}, keys.sign),
            "audiences": jwt.encode(claims | {"aud": ["another"]}, keys.sign),
            "wrong issuer": jwt.encode(claims | {"iss": "another"}, keys.sign),
            "expired": jwt.encode(claims | {"exp": datetime.now(UTC) - timedelta(hours=1)}, keys.sign),
            "not yet": jwt.encode(claims | {"nbf": later}, keys.sign),
            "issued later": jwt.encode(claims | {"iat": later}, keys.sign),
            "swapped kid": jwt.encode(claims, keys.lookup, headers={"kid": "../../dev/null"}),
            "kid of SQL": jwt.encode(claims, keys.lookup, headers={"kid": "x' union select 'key"}),
            "jwk of its own": jwt.encode(claims, b"k" * 32, headers={"jwk": {"kty": "oct", "k": "a2tr"}}),
            "jku": jwt.encode(claims, b"k" * 32, headers={"jku": "http://127.0.0.1:9/keys"}),
            "crit": jwt.encode(claims, keys.sign, headers={"crit": ["exp"]}),
            "another session": jwt.encode(claims | {"sid": str(uuid.uuid4())}, keys.sign),
            "another user": jwt.encode(claims | {"sub": str(uuid.uuid4())}, keys.sign),
            "sub of SQL": jwt.encode(claims | {"sub": "' or 1=1 --"}, keys.sign),
            "sub that is a list": f"{head}.{segment({'sub': []})}.{signature}",
            "huge expiry": jwt.encode(claims | {"exp": 10**400}, keys.lookup),
            "text for a time": f"{head}.{segment({'exp': 'soon'})}.{signature}",
            "claims that are a list": f"{head}.{segment([1, 2])}.{signature}",
            "header that is a list": f"{segment([1, 2])}.{body}.{signature}",
            "cut": good[:-2],
            "longer": good + "A",
            "another body": f"{head}.{segment({'sub': 'x'})}.{signature}",
            "five parts": f"{good}.{body}.{signature}",
            "no parts": "...",
            "twice": f"{good} {good}",
            "deep": f"{segment('x')}.{base64.urlsafe_b64encode(b'[' * 3000).decode()}.{signature}",
            "no text": "%00%ff",
            "spaces": " ",
            "prefix of a personal token": "etpp_",
        }
        for what, token in forged.items():
            answer = await send(anonymous.client, write("GET", ME, f"Authorization: Bearer {token}"))
            assert (answer.status, answer.code) == (401, "unauthenticated"), what
        assert await works(owner)

    async def test_any_change_of_a_sound_token(
        self, anonymous: Caller, owner: Caller, keys: Keys, claims: dict[str, Any]
    ) -> None:
        rng = random.Random(7)
        good = jwt.encode(claims, keys.sign)
        for _ in range(60):
            at = rng.randrange(len(good) - 1)  # the last letter holds bits that mean nothing
            token = good[:at] + rng.choice(["", "A", "-", "_", ".", "=", "~", good]) + good[at + 1 :]
            if token == good:
                continue
            assert (await Caller(anonymous.client, token).get("/auth/me")).status in {401, 431}, token
        assert await works(owner)

    async def test_of_devices(self, anonymous: Caller, owner: Caller, keys: Keys, claims: dict[str, Any]) -> None:
        for token in (jwt.encode(claims, None, algorithm="none"), "etpe_' or ''='", "etps_", "\\x00", "ä"):
            answer = await send(anonymous.client, write("GET", "/api/v1/edge/config", f"Authorization: Bearer {token}"))
            assert answer.status == 401, token
        assert await works(owner)


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
            assert await works(owner)

    async def test_that_nobody_can_serve(self, client: Client, owner: Caller) -> None:
        for target, status, code in UNSERVED:
            answer = await send(client, write("GET", target, f"Authorization: Bearer {owner.token}"))
            assert (answer.status, answer.code) == (status, code), target[:80]
            assert await works(owner)

    async def test_odd_queries_find_nothing_or_are_refused(self, client: Client, owner: Caller) -> None:
        for query in ("q=%ff%fe", "q=%ed%a0%80", "q=%zz", "q=%", "q=a&q=b", "q", "=", "&&&", "%00=1", "q[]=1"):
            head = f"Authorization: Bearer {owner.token}"
            answer = await send(client, write("GET", f"/api/v1/sensors?{query}", head))
            assert answer.status == 200 or (answer.status, answer.code) == (422, "invalid-payload"), query
            assert await works(owner)


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
            assert await works(owner)

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
            assert await works(owner)

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
        assert await works(owner)

    async def test_nothing_is_injected_into_the_answer(self, client: Client, owner: Caller) -> None:
        split = "%0d%0aSet-Cookie:%20a=b"
        lines = [f"X-Request-ID: {split}", f"Origin: http://x{split}", f"Idempotency-Key: {split}"]
        for target in (ME, f"/api/v1/sensors?q={split}", f"/api/v1/x{split}", f"/x{split}"):
            answer = await send(client, write("GET", target, f"Authorization: Bearer {owner.token}", *lines))
            assert answer.status < 500
            assert "set-cookie" not in answer.headers
        assert await works(owner)


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
            assert await works(owner)


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
            assert await works(owner)

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
        assert await works(owner)


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
