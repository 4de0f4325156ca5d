"""POST /telemetry/stream: lines up, acknowledgements down at the same time, bounded in every way."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Annotated, Any, Union

import orjson
import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient
from pydantic import Field, TypeAdapter

from hub.journal.service import JOURNAL
from hub.telemetry import line_stream
from hub.telemetry.socket_models import SaidOverStream
from hub.telemetry.stream_routes import STREAMS
from tests.hub.callers import Caller
from tests.hub.conftest import Device, Make
from tests.hub.raw import connection, write
from tests.hub.telemetry.conftest import Wait

SAID: TypeAdapter[Any] = TypeAdapter(Annotated[Union[SaidOverStream], Field(discriminator="op")])  # noqa: UP007 - a tuple


class Link:
    """One request that goes on: lines are said, events are heard. The client sends its headers with the first line."""

    def __init__(self) -> None:
        self._lines: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.request: asyncio.Task[ClientResponse] | None = None
        self._answer: ClientResponse | None = None

    async def body(self) -> AsyncIterator[bytes]:
        while (line := await self._lines.get()) is not None:
            yield line

    def say(self, *packets: object) -> None:
        for packet in packets:
            self.send(orjson.dumps(packet) + b"\n")

    def send(self, data: bytes) -> None:
        self._lines.put_nowait(data)

    def end(self) -> None:
        self._lines.put_nowait(None)

    async def hear(self) -> tuple[str, dict[str, Any]]:
        """Return the next event that is no ping."""
        async with asyncio.timeout(10):
            if self._answer is None:
                assert self.request is not None
                self._answer = await self.request
                assert (self._answer.status, self._answer.content_type) == (200, "text/event-stream")
                assert (await self.hear())[0] == "ready"
            while True:
                fields: dict[str, str] = {}
                while line := (await self._answer.content.readline()).decode().rstrip("\n"):
                    name, _, value = line.partition(": ")
                    fields[name] = value
                if "event" in fields:
                    data = orjson.loads(fields["data"])
                    SAID.validate_python({"op": fields["event"], **data})
                    assert fields.get("id") == (str(data["n"]) if "n" in data else None)
                    return fields["event"], data
                assert not self._answer.content.at_eof(), "the stream is over"


Open = Callable[..., AbstractAsyncContextManager[Link]]


@pytest.fixture
def stream(client: TestClient[Any, Any]) -> Open:
    """Open a stream with the token of a device."""

    @asynccontextmanager
    async def open_one(device: dict[str, Any], path: str = "/telemetry/stream") -> AsyncIterator[Link]:
        link = Link()
        headers = {"Authorization": f"Bearer {device['token']}", "Content-Type": "application/x-ndjson"}
        link.request = asyncio.create_task(client.post(path, data=link.body(), headers=headers))
        yield link
        link.end()
        (await link.request).close()

    return open_one


def packet(*values: float, start: float | None = None, **fields: Any) -> dict[str, Any]:
    first = time.time() - 10 if start is None else start
    return {"samples": [{"t": first + i * 0.001, "v": v} for i, v in enumerate(values)]} | fields


class TestWho:
    @pytest.mark.parametrize("path", ["/telemetry/stream", "/api/v1/telemetry/stream"])
    async def test_only_devices(self, anonymous: Caller, owner: Caller, path: str) -> None:
        assert (await anonymous.call("POST", path, b"")).status == 401
        assert (await owner.call("POST", path, b"")).code == "token-unknown"

    async def test_what_is_no_stream_of_lines(self, sensor: Make, device: Device) -> None:
        sender = device(await sensor())
        refused = await sender.call("POST", "/telemetry/stream", b"", Content_Type="application/msgpack")
        assert refused.code == "unknown-media-type"
        refused = await sender.call("POST", "/telemetry/stream", b"", Content_Encoding="gzip")
        assert refused.code == "stream-packed"

    async def test_opening_one_is_a_request(self, sensor: Make, device: Device) -> None:
        sender = device(await sensor(limits={"requests_per_s": 0.1, "burst": 2}))
        assert [(await sender.call("POST", "/telemetry/stream", b"")).status for _ in range(3)] == [200, 200, 429]


class TestLines:
    async def test_each_is_acknowledged_while_others_follow(self, stream: Open, sensor: Make, stored: Wait) -> None:
        made = await sensor()
        async with stream(made) as link:
            for i in range(5):
                link.say(packet(float(i), start=time.time() - 5 + i, batch_id=f"b{i}"))
                kind, said = await link.hear()
                assert (kind, said["n"], said["batch_id"], said["accepted"]) == ("ack", i + 1, f"b{i}", 1)
            link.end()
            assert await link.hear() == ("end", {"lines": 5})
        assert (await stored(made))["stored"] == 5

    async def test_wherever_the_pieces_are_cut(self, stream: Open, sensor: Make, stored: Wait) -> None:
        made = await sensor()
        start = time.time() - 50
        text = b"".join(orjson.dumps(packet(1.0, 2.0, start=start + i)) + b"\r\n\n" for i in range(20))
        text += orjson.dumps(packet(3.0, start=start + 30))  # without its end
        async with stream(made) as link:
            for at in range(0, len(text), 37):
                link.send(text[at : at + 37])
            link.end()
            said = [await link.hear() for _ in range(21)]
            assert [(kind, data["n"]) for kind, data in said] == [("ack", 2 * i + 1) for i in range(21)]
            assert await link.hear() == ("end", {"lines": 41})
        assert (await stored(made))["stored"] == 41

    async def test_a_bad_line_costs_no_other(self, stream: Open, sensor: Make) -> None:
        async with stream(await sensor()) as link:
            link.send(b"{oops\n")
            link.say({"samples": 7}, {"samples": [{"t": time.time(), "v": "x"}]}, packet(1.0))
            said = [await link.hear() for _ in range(4)]
        assert [(kind, data["n"], data.get("status")) for kind, data in said] == [
            ("problem", 1, 400),
            ("problem", 2, 422),
            ("ack", 3, None),
            ("ack", 4, None),
        ]

    async def test_heartbeats_between_them(self, stream: Open, sensor: Make, owner: Caller) -> None:
        made = await sensor()
        async with stream(made) as link:
            link.say({"op": "heartbeat"}, {"op": "ping"}, {"op": "dance"})
            assert [(await link.hear())[0] for _ in range(3)] == ["heartbeat", "pong", "problem"]
        assert (await owner.get(f"/sensors/{made['id']}")).ok["state"] == "online"

    async def test_over_the_limit_reading_pauses_and_nothing_is_lost(
        self, stream: Open, sensor: Make, stored: Wait, app: web.Application, owner: Caller
    ) -> None:
        made = await sensor(limits={"samples_per_s": 400, "burst": 100})
        async with stream(made) as link:
            start = time.time() - 60
            for i in range(4):
                link.say(packet(*[float(i)] * 200, start=start + i))
            link.end()
            said = []
            while not said or said[-1][0] != "end":
                said.append(await link.hear())
        assert [data["n"] for kind, data in said if kind == "ack"] == [1, 2, 3, 4]
        pauses = [data for kind, data in said if kind == "limited"]
        assert pauses
        assert all(f"Batch {pause['n']} waits here" in pause["detail"] for pause in pauses)
        assert (await stored(made))["stored"] == 800
        await app[JOURNAL].flush()
        assert (await owner.get(f"/sensors/{made['id']}/journal")).ok["items"][0]["kind"] == "rate_limited"

    async def test_the_way_curl_sends(self, client: TestClient[Any, Any], sensor: Make) -> None:
        """It asks whether it may go on, and sends what it reads from its input as chunks."""
        made = await sensor()
        line = orjson.dumps(packet(1.0)) + b"\n"
        headers = (f"Authorization: Bearer {made['token']}", "Transfer-Encoding: chunked", "Expect: 100-continue")
        async with asyncio.timeout(10), connection(client) as (reader, writer):
            writer.write(write("POST", "/telemetry/stream", *headers))
            assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
            assert b" 200 OK\r\n" in await reader.readuntil(b"\r\n\r\n")
            for _ in range(3):
                writer.write(b"%x\r\n%s\r\n" % (len(line), line))
                await reader.readuntil(b"event: ack")
            writer.write(b"0\r\n\r\n")
            await reader.readuntil(b'data: {"lines":3}\n\n')
            assert await reader.readuntil(b"0\r\n\r\n")


class TestEnd:
    async def test_a_line_over_the_limit(self, stream: Open, sensor: Make) -> None:
        async with stream(await sensor()) as link:
            link.say(packet(1.0))
            link.send(b" " * (9 << 20))
            said = [await link.hear() for _ in range(2)]
        assert [(kind, data.get("status")) for kind, data in said] == [("ack", None), ("problem", 413)]

    async def test_a_line_that_trickles(self, stream: Open, sensor: Make, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(line_stream, "GRACE_S", 0.3)
        async with stream(await sensor()) as link:
            began = time.monotonic()
            trickle = asyncio.create_task(_trickle(link))
            kind, said = await link.hear()
            trickle.cancel()
        assert (kind, said["status"]) == ("problem", 408)
        assert time.monotonic() - began < 3

    async def test_idle(self, stream: Open, sensor: Make, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(line_stream, "IDLE_S", 0.2)
        async with stream(await sensor()) as link:
            link.say(packet(1.0))
            assert (await link.hear())[0] == "ack"
            kind, said = await link.hear()
            assert (kind, said["status"], "idle" in said["type"]) == ("problem", 408, True)

    async def test_a_rotated_token(self, stream: Open, sensor: Make, db: Any) -> None:
        async with stream(await sensor()) as link:
            link.say(packet(1.0))
            assert (await link.hear())[0] == "ack"
            began = time.monotonic()
            await db.execute("update sensor set token_digest = 'other'")
            kind, said = await link.hear()
        assert (kind, said["status"]) == ("problem", 401)
        assert time.monotonic() - began < 1.2

    async def test_the_hub_stops(self, stream: Open, sensor: Make, app: web.Application) -> None:
        async with stream(await sensor()) as link:
            link.say(packet(1.0))
            assert (await link.hear())[0] == "ack"
            (one,) = app[STREAMS]
            one.stop()
            kind, said = await link.hear()
        assert (kind, said["status"]) == ("problem", 503)

    async def test_the_sender_vanishes(
        self, client: TestClient[Any, Any], sensor: Make, app: web.Application, stored: Wait
    ) -> None:
        made = await sensor()
        line = orjson.dumps(packet(1.0)) + b"\n"
        async with connection(client) as (reader, writer):
            head = write(
                "POST", "/telemetry/stream", f"Authorization: Bearer {made['token']}", "Transfer-Encoding: chunked"
            )
            writer.write(head + b"%x\r\n%s\r\n" % (len(line), line))
            await reader.readuntil(b"event: ack")
            assert len(app[STREAMS]) == 1
        async with asyncio.timeout(5):
            while app[STREAMS]:  # noqa: ASYNC110 - the condition is outside this loop
                await asyncio.sleep(0.01)
        assert (await stored(made))["stored"] == 1


async def _trickle(link: Link) -> None:
    while True:
        link.send(b" ")
        await asyncio.sleep(0.02)
