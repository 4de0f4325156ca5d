"""A keep-alive HTTP connection for load: whole requests out as bytes, status and body back, nothing else."""

import asyncio
from typing import NamedTuple, Self, cast


class Answer(NamedTuple):
    """What the server answered."""

    status: int
    body: bytes


class Connection(asyncio.Protocol):
    """One connection; one request at a time. `send` raises ConnectionError when it is lost."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._answer: asyncio.Future[Answer] | None = None

    @classmethod
    async def to(cls, host: str, port: int) -> Self:
        """Connect."""
        _, connection = await asyncio.get_running_loop().create_connection(cls, host, port)
        return connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail whoever waits."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionError(f"the hub closed the connection: {exc}"))
        self._transport = None

    def data_received(self, data: bytes) -> None:
        """Collect an answer; its length is always given."""
        received = self._received
        received += data
        end = received.find(b"\r\n\r\n")
        if end < 0 or self._answer is None:
            return
        head = bytes(received[:end]).lower()
        at = head.index(b"content-length:") + 15
        length = int(head[at:].split(b"\r\n", 1)[0])
        if len(received) < end + 4 + length:
            return
        body = bytes(memoryview(received)[end + 4 :])
        self._received = bytearray()
        self._answer.set_result(Answer(int(head[9:12]), body))

    async def send(self, request: bytes) -> Answer:
        """Send a whole request and wait for its answer."""
        if self._transport is None:
            raise ConnectionError("the connection is closed")
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def close(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.close()


def post(path: str, host: str, port: int, token: str, body: bytes) -> bytes:
    """Write a POST of a JSON body as bytes."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}:{port}\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def get(path: str, host: str, port: int, token: str, accept: str = "*/*") -> bytes:
    """Write a GET as bytes."""
    head = f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nAuthorization: Bearer {token}\r\nAccept: {accept}\r\n\r\n"
    return head.encode()
