"""Requests as bytes, the way no client library would send them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import orjson
from aiohttp.test_utils import TestClient

Client = TestClient[Any, Any]


@dataclass(frozen=True)
class RawAnswer:
    """What came back: the status, the headers by small names, the body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str:
        """The stable code of the problem that was answered; anything else fails the test."""
        assert self.headers.get("content-type", "").startswith("application/problem+json"), (self.status, self.body)
        document = orjson.loads(self.body)
        assert (document["status"], document["instance"]) == (self.status, self.headers["x-request-id"])
        return document["type"].rpartition("/")[2]


@asynccontextmanager
async def connection(client: Client) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Open a connection of its own to the hub."""
    reader, writer = await asyncio.open_connection(client.host, client.port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def send(client: Client, request: bytes) -> RawAnswer:
    """Send bytes on a connection of their own and read the first answer."""
    async with asyncio.timeout(10), connection(client) as (reader, writer):
        writer.write(request)
        return await read_answer(reader)


async def read_answer(reader: asyncio.StreamReader) -> RawAnswer:
    """Read one answer, which says how long it is."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.rstrip("\r\n").split("\r\n")
    pairs = [line.split(": ", 1) for line in lines]
    headers = {name.lower(): value for name, value in pairs}
    assert len(headers) == len(pairs), f"a header stands twice: {lines}"
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return RawAnswer(int(first.split(" ")[1]), headers, body)


def write(method: str, target: str | bytes, *headers: str | bytes, body: bytes | None = None) -> bytes:
    """Write a request, whatever stands in it."""
    lines = [f"{method} ".encode() + _bytes(target) + b" HTTP/1.1", b"Host: etp", *map(_bytes, headers)]
    if body is not None:
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join([*lines, b"", body or b""])


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode()
