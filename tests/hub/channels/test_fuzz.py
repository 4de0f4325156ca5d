"""Whatever is sent as a foreign format: an answer in the format's shape, never a fault of ours."""

import gzip
import random
from typing import Any

import orjson
import pytest

from hub.settings import Settings
from tests.hub.callers import Caller
from tests.hub.channels.conftest import now_ns, write

LINES = (
    b'bath,lab=3,rack=a\\ b inlet=21.5,outlet=22i,on=true,state="a \\"b\\" c" 1556813561098000000',
    b"m v=1",
    b'# comment\n\nm,t=1 v=2u,w="line\nbreak"',
)
PACKS = (
    b'[{"bn":"urn:dev:ow:1:","bt":1.32e9,"bu":"A","bver":5,"n":"voltage","u":"V","v":120.1},{"n":"a","t":-5,"v":1.2}]',
    b'[{"n":"a","vs":"x"},{"n":"b","vb":true,"s":5}]',
)
TELEMETRY = (b'{"a":1,"b":"x","c":null}', b'[{"ts":1451649600512,"values":{"k":true,"l":{"m":1}}}]')
EXTREMES = (
    b"",
    b"\0",
    b"\xff\xfe",
    b"[" * 5000,
    b'{"a":' * 5000,
    b"," * 9999,
    b"1e999",
    b'"' * 999,
    b"\\" * 999,
    b"\n" * 50_000,
)
TAKEN = {"/api/v2/write": (LINES, 204), "/write": (LINES, 204), "/senml": (PACKS, 202), "telemetry": (TELEMETRY, 200)}
SHAPES: dict[str, set[str]] = {
    "/api/v2/write": {"code", "message"},
    "/write": {"error"},
    "telemetry": {"status", "message"},
}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"proposals_per_device": 50})


def spoiled(rng: random.Random, seed: bytes) -> bytes:
    """Change some bytes of a body: cut, doubled, swapped for others that mean something."""
    body = bytearray(seed)
    for _ in range(rng.randrange(1, 8)):
        at = rng.randrange(len(body) + 1)
        match rng.randrange(5):
            case 0:
                del body[at : at + rng.randrange(1, 9)]
            case 1:
                body[at:at] = body[: rng.randrange(40)]
            case 2:
                body[at:at] = rng.choice((b'"', b"\\", b",", b"=", b" ", b"\n", b"{", b"[", b"-", b"9" * 30, b"e"))
            case 3:
                body[at:at] = rng.randbytes(rng.randrange(1, 6))
            case _:
                body += rng.choice((b"\n", b"")) + seed
    return bytes(body)


@pytest.mark.parametrize("path", list(TAKEN))
async def test_any_body(path: str, gateway: Caller) -> None:
    rng = random.Random(path)
    seeds, success = TAKEN[path]
    bodies = [*EXTREMES, *seeds, *(spoiled(rng, rng.choice(seeds)) for _ in range(150))]
    statuses: set[int] = set()
    for body in bodies:
        zipped = rng.random() < 0.2
        sent, headers = gzip.compress(body) if zipped else body, {"Content_Encoding": "gzip"} if zipped else {}
        url = f"/{gateway.token}/telemetry" if path == "telemetry" else path
        caller = Caller(gateway.client) if path == "telemetry" else gateway
        answer = await caller.call("POST", url, sent, **headers)
        statuses.add(answer.status)
        assert answer.status < 500, body
        if answer.status >= 400 and path in SHAPES:
            assert set(answer.body) == SHAPES[path], body
            assert len(orjson.dumps(answer.body)) < 6000
        elif answer.status >= 400:
            assert answer.code, body
    assert statuses <= {success, 400, 413, 422}
    assert {success, 400} <= statuses
    assert (await write(gateway, f"{'m' * 5} v=1 {now_ns()}")).status in {204, 400}, "too many channels by now, perhaps"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/write?precision=%00"),
        ("POST", "/write?db=%F0%9F%92%A9&rp='; drop table channel --"),
        ("POST", "/api/v2/write?bucket=" + "x" * 5000),
        ("GET", "/query?q=%00"),
        ("GET", "/query?q=" + "(" * 3000),
        ("GET", "/query?q=create database " + '"' * 3000),
        ("GET", "/write"),
        ("PUT", "/api/v2/write"),
    ],
)
async def test_any_address(gateway: Caller, method: str, path: str) -> None:
    answer: Any = await gateway.call(method, path, b"m v=1" if method != "GET" else None)
    assert answer.status < 500
