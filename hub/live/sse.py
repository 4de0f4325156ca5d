"""The live channel as server-sent events: the same messages as over the WebSocket, one way."""

import asyncio
from typing import Final

import orjson
from aiohttp import web

from hub.auth.access import bearer
from hub.kit.context import Context
from hub.kit.problems import Problem
from hub.live.messages import Refused, Subscribe
from hub.live.watch import Parts, Watch

SEND_TIMEOUT_S: Final = 20.0
ALIVE_S: Final = 15.0
RETRY_MS: Final = 1000
HEADERS: Final = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # a proxy that buffers would hold events back
}


class EventStream:
    """Serves one event stream until the client goes away, the token is not good any more, or the hub stops.

    Before the first message nothing is sent, so that a subscription which is refused is answered as any other request.
    """

    def __init__(self, ctx: Context, parts: Parts) -> None:
        """Serve the request of `ctx` from `parts`."""
        self._ctx = ctx
        self._watch = Watch(ctx, parts, self)
        self._response = web.StreamResponse(headers=HEADERS)
        self._over = asyncio.Event()
        self._beginning = asyncio.Lock()

    def stop(self) -> None:
        """End the stream soon."""
        self._over.set()

    async def serve(self, wanted: Subscribe) -> web.StreamResponse:
        """Send what is wanted; raises what `Watch.subscribe` does if it does before anything was sent."""
        refusal: Problem | None = None
        try:
            await self._watch.join()
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(one) for one in (self._watch.send(), self._guard(), self._keep_alive())]
                try:
                    await self._watch.subscribe(wanted)
                    await self._over.wait()
                except Problem as problem:
                    refusal = problem
                for task in tasks:
                    task.cancel()
            await self._end(refusal)
        except* (ConnectionResetError, TimeoutError):
            pass  # the client went away, or takes nothing any more
        finally:
            self._watch.leave()
        return self._response

    async def say(self, message: str) -> None:
        """Send a message, written as JSON, as an event of its `op`."""
        fields = orjson.loads(message)
        await self._write(fields["op"], message, fields.get("cursor"))

    async def show(self, frame: bytes | str, cursor: str | None) -> None:
        """Send a frame of samples; its cursor is the id from which the client resumes."""
        await self._write("samples", frame if isinstance(frame, str) else frame.decode(), cursor)

    async def _end(self, refusal: Problem | None) -> None:
        if refusal is not None:
            if not self._response.prepared:
                raise refusal
            await self._report(refusal)
        await self._response.write_eof()

    async def _report(self, problem: Problem) -> None:
        document = problem.document(self._ctx.request_id).model_dump(exclude_none=True)
        await self.say(Refused(**document).model_dump_json(exclude_none=True))

    async def _write(self, event: str, data: str, cursor: str | None) -> None:
        async with self._beginning:
            if not self._response.prepared:
                await self._response.prepare(self._ctx.request)
                await self._send(f"retry: {RETRY_MS}\n\n")
        await self._send(f"event: {event}\n" + (f"id: {cursor}\n" if cursor else "") + f"data: {data}\n\n")

    async def _send(self, text: str) -> None:
        async with asyncio.timeout(SEND_TIMEOUT_S):
            await self._response.write(text.encode())

    async def _guard(self) -> None:
        try:
            await self._watch.guard(lambda: bearer(self._ctx))
        except Problem as problem:
            await self._report(problem)
            self.stop()

    async def _keep_alive(self) -> None:
        """Send a comment now and then, with where to resume: an id without data changes nothing but that."""
        while True:
            await asyncio.sleep(ALIVE_S)
            if not self._response.prepared:
                continue
            cursor = self._watch.cursor
            await self._send(": alive\n" + (f"id: {cursor}\n" if cursor else "") + "\n")
