"""Bodies: as large and as slow as is allowed, and no more."""

import asyncio
import time

import pytest

from hub.kit import bodies
from tests.hub.callers import Caller
from tests.hub.conftest import Device, Make
from tests.hub.raw import Client, RawAnswer, connection, read_answer, write


def head(caller: Caller, path: str, *more: str) -> bytes:
    return write("POST", path, f"Authorization: Bearer {caller.token}", "Content-Type: application/json", *more)


async def drip(client: Client, start: bytes, drop: bytes, every_s: float) -> RawAnswer:
    """Begin a request, then send a little again and again until there is an answer."""
    async with asyncio.timeout(10), connection(client) as (reader, writer):
        writer.write(start)
        answer = asyncio.create_task(read_answer(reader))
        while not answer.done():
            writer.write(drop)
            await asyncio.wait([answer], timeout=every_s)
        return await answer


class TestSlow:
    @pytest.fixture(autouse=True)
    def _impatient(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(bodies, "GRACE_S", 0.2)

    @pytest.mark.parametrize("framing", ["Content-Length: 1000", "Transfer-Encoding: chunked"])
    async def test_a_byte_now_and_then(self, client: Client, owner: Caller, framing: str) -> None:
        drop = b"1\r\n{\r\n" if "chunked" in framing else b"{"
        began = time.monotonic()
        answer = await drip(client, head(owner, "/api/v1/projects", framing), drop, 0.02)
        assert (answer.status, answer.code, answer.headers["connection"]) == (408, "body-too-slow", "close")
        assert time.monotonic() - began < 5

    async def test_nothing_at_all(self, client: Client, owner: Caller) -> None:
        answer = await drip(client, head(owner, "/api/v1/projects", "Content-Length: 10"), b"", 1)
        assert (answer.status, answer.code) == (408, "body-too-slow")

    async def test_of_telemetry(self, client: Client, sensor: Make, device: Device) -> None:
        for path in ("/telemetry", "/api/v1/telemetry"):
            answer = await drip(client, head(device(await sensor()), path, "Content-Length: 1000"), b"{", 0.02)
            assert (answer.status, answer.code) == (408, "body-too-slow")

    async def test_whoever_keeps_up_may_take_longer(
        self, client: Client, owner: Caller, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(bodies, "LEAST_BYTES_PER_S", 100)
        body = b'{"name": "' + b"x" * 100 + b'"}'
        async with asyncio.timeout(10), connection(client) as (reader, writer):
            writer.write(head(owner, "/api/v1/projects", f"Content-Length: {len(body)}"))
            began = time.monotonic()
            for at in range(0, len(body), 10):
                writer.write(body[at : at + 10])
                await asyncio.sleep(0.04)
            answer = await read_answer(reader)
        assert answer.status == 201
        assert time.monotonic() - began > 0.4


class TestLarge:
    async def test_is_refused_before_it_comes(self, client: Client, owner: Caller) -> None:
        answer = await drip(client, head(owner, "/api/v1/projects", "Content-Length: 1048577"), b"", 1)
        assert (answer.status, answer.code) == (413, "body-too-large")

    async def test_is_refused_as_soon_as_it_is(self, client: Client, owner: Caller) -> None:
        chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
        answer = await drip(client, head(owner, "/api/v1/projects", "Transfer-Encoding: chunked"), chunk, 0)
        assert (answer.status, answer.code) == (413, "body-too-large")

    async def test_the_limit_itself_is_taken(self, owner: Caller) -> None:
        body = b'{"name": "x"}'.ljust(1 << 20)
        assert (await owner.post("/projects", body)).status == 201
        assert (await owner.post("/projects", body + b" ")).status == 413


async def test_in_pieces(client: Client, owner: Caller) -> None:
    start = head(owner, "/api/v1/projects", "Transfer-Encoding: chunked")
    async with asyncio.timeout(10), connection(client) as (reader, writer):
        for part in (start, b'8\r\n{"name":\r\n', b'5\r\n "x"}\r\n', b"0\r\n\r\n"):
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0.01)
        assert (await read_answer(reader)).status == 201
