"""One request that brings telemetry line by line for as long as it lasts, its answer a stream of acknowledgements."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from typing import Any, Final

import orjson
from aiohttp import web
from aiohttp.http_exceptions import PayloadEncodingError
from aiohttp.web_protocol import RequestPayloadError

from hub.journal.service import JOURNAL
from hub.kit.bodies import GRACE_S, LEAST_BYTES_PER_S
from hub.kit.context import Context
from hub.kit.problems import BodyBroken, BodyTooSlow, Problem
from hub.telemetry.conveyor import Conveyor
from hub.telemetry.problems import HubStopping, StreamIdle
from hub.telemetry.receiving import Receiver, too_large
from hub.telemetry.standing import Standing, is_control

IDLE_S: Final = 120.0
PING_S: Final = 15.0
SEND_TIMEOUT_S: Final = 20.0


class Ended(Exception):
    """The stream ends before its sender ended it."""

    def __init__(self, problem: Problem) -> None:
        """Say why."""
        self.problem = problem
        super().__init__(str(problem))


class LineStream:
    """Serves one request until its body ends, its token is good no more, it is idle, or the hub stops."""

    def __init__(self, ctx: Context, receiver: Receiver, response: web.StreamResponse) -> None:
        """Read lines from the request; answer with events through `response`, which was begun."""
        self._ctx = ctx
        self._receiver = receiver
        self._response = response
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Let it end, since the hub does."""
        self._stopping.set()

    async def serve(self) -> None:
        """Take lines and acknowledge them; the last event says how many lines there were, or why it ends."""
        try:
            await self._say("ready", {"now": self._ctx.hub.clock.now_us() / 1e6})  # sends the headers, too
            lines = await self._take_lines()
            await self._say("end", {"lines": lines})
        except (ConnectionResetError, TimeoutError):
            pass  # the sender went away, or reads nothing any more; what it has no word of it sends again
        except Problem as problem:
            await self._say("problem", problem.document(self._ctx.request_id).model_dump(exclude_none=True))

    async def _take_lines(self) -> int:
        """Take all lines and return how many there were; raises the problem that ended the stream before its sender."""
        ended: list[BaseException] = []
        number, fault = 0, None
        standing = Standing(self._receiver)
        try:
            async with asyncio.TaskGroup() as group:
                journal = self._ctx.request.app[JOURNAL]
                conveyor = Conveyor(self._receiver, journal, group, self._ctx.request_id, self._say)
                works = (conveyor.run(), self._ping(), self._watch(standing), self._watch_stop())
                tasks = [group.create_task(work) for work in works]
                number, fault = await self._read(conveyor, standing)
                await conveyor.finish()
                for task in tasks:
                    task.cancel()
        except* Ended as group:
            ended += [error.problem for error in group.exceptions if isinstance(error, Ended)]
        except* (ConnectionResetError, TimeoutError):
            ended.append(ConnectionResetError())
        if ended:
            raise ended[0]
        if fault is not None:
            raise fault
        return number

    async def _read(self, conveyor: Conveyor, standing: Standing) -> tuple[int, Problem | None]:
        """Offer each line; returns how many there were and what is wrong with the body behind them."""
        number = 0
        try:
            async for line in self._lines():
                number += 1
                if is_control(line):
                    await self._answer(line, number, conveyor, standing)
                elif line.strip():
                    await conveyor.offer(number, line)
        except Problem as problem:
            return number, problem
        return number, None

    async def _lines(self) -> AsyncGenerator[bytes]:
        """Yield lines as they come; raises PacketTooLarge, BodyTooSlow, StreamIdle, BodyBroken."""
        content, most = self._ctx.request.content, self._ctx.hub.settings.max_packet_bytes
        rest = bytearray()
        begun_s = 0.0
        loop = asyncio.get_running_loop()
        while True:
            # A line may be as slow as a body may.
            due_s = begun_s + GRACE_S + len(rest) / LEAST_BYTES_PER_S if rest else loop.time() + IDLE_S
            try:
                async with asyncio.timeout_at(due_s):
                    chunk = await content.readany()
            except TimeoutError as error:
                raise (BodyTooSlow(least=LEAST_BYTES_PER_S) if rest else StreamIdle(idle_s=IDLE_S)) from error
            except (RequestPayloadError, PayloadEncodingError) as error:
                raise BodyBroken from error
            if not chunk:
                if rest:
                    yield bytes(rest)
                return
            first, *others = chunk.split(b"\n")
            for part in others:
                rest += first
                yield bytes(rest)
                rest.clear()
                first = part
            if first and not rest:
                begun_s = loop.time()
            rest += first
            if len(rest) > most:
                raise too_large(self._ctx.hub, "A line is too long")

    async def _answer(self, line: bytes, number: int, conveyor: Conveyor, standing: Standing) -> None:
        try:
            kind, fields = await standing.answer(line)
            await self._say(kind, {"n": number, **fields})
        except Problem as problem:
            await self._say("problem", {"n": number, **conveyor.problem(problem)})

    async def _ping(self) -> None:
        while True:
            await asyncio.sleep(PING_S)
            await self._write(b": ping\n\n")

    async def _watch(self, standing: Standing) -> None:
        raise Ended(await standing.watch())

    async def _watch_stop(self) -> None:
        await self._stopping.wait()
        raise Ended(HubStopping())

    async def _say(self, kind: str, message: Mapping[str, Any]) -> None:
        number = message.get("n")
        head = f"event: {kind}\n" + ("" if number is None else f"id: {number}\n")
        await self._write(head.encode() + b"data: " + orjson.dumps(dict(message)) + b"\n\n")

    async def _write(self, event: bytes) -> None:
        async with asyncio.timeout(SEND_TIMEOUT_S):
            await self._response.write(event)
