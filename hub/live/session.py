"""One live WebSocket: who watches, and what they say."""

import asyncio
from typing import Final

from aiohttp import WSMsgType, web
from pydantic import BaseModel, ValidationError

from hub.auth.access import user_of
from hub.kit.context import Context
from hub.kit.problems import FieldError, InvalidPayload, Problem, Unauthenticated
from hub.live.messages import MESSAGE, Auth, Ping, Pong, Ready, Refused, Subscribe, Unsubscribe
from hub.live.watch import Parts, Watch

AUTH_TIMEOUT_S: Final = 5.0
SEND_TIMEOUT_S: Final = 20.0
CLOSE_EXPIRED: Final = 4401


class Session:
    """Serves one socket until it closes, its token expires, or it cannot be written to any more."""

    def __init__(self, ctx: Context, socket: web.WebSocketResponse, parts: Parts) -> None:
        """Serve `socket` from `parts`."""
        self._ctx = ctx
        self._socket = socket
        self._watch = Watch(ctx, parts, self)
        self._token = ""

    async def serve(self, first_token: str | None) -> None:
        """Authenticate, then answer messages and send frames."""
        if not await self._authenticate(first_token):
            return
        try:
            await self._watch.join()
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._watch.send()), group.create_task(self._guard())]
                await self._receive()
                for task in tasks:
                    task.cancel()
        except* (ConnectionResetError, TimeoutError):
            pass  # the viewer went away, or takes nothing any more
        finally:
            self._watch.leave()

    async def say(self, message: str) -> None:
        """Send a message, written as JSON."""
        async with asyncio.timeout(SEND_TIMEOUT_S):
            await self._socket.send_str(message)

    async def show(self, frame: bytes | str, cursor: str | None) -> None:
        """Send a frame of samples, in which the cursor stands."""
        async with asyncio.timeout(SEND_TIMEOUT_S):
            if isinstance(frame, bytes):
                await self._socket.send_bytes(frame)
            else:
                await self._socket.send_str(frame)

    async def _authenticate(self, first_token: str | None) -> bool:
        try:
            if first_token is not None:
                await self._accept(first_token)
            else:
                message = MESSAGE.validate_json(await self._socket.receive_str(timeout=AUTH_TIMEOUT_S))
                if not isinstance(message, Auth):
                    raise Unauthenticated('Send {"op":"auth","access_token":"…"} first.')
                await self._accept(message.access_token)
        except (TimeoutError, TypeError, ValidationError):
            await self._refuse(Unauthenticated('Send {"op":"auth","access_token":"…"} within five seconds.'))
            return False
        except Problem as problem:
            await self._refuse(problem)
            return False
        return True

    async def _accept(self, token: str) -> None:
        user = await user_of(self._ctx, token, "read")
        if self._ctx.principal is not None and user.id != self._ctx.principal.id:
            raise Unauthenticated("A connection belongs to one user; open another one.")
        self._ctx.principal = user
        self._token = token
        await self._say(Ready(now=self._ctx.hub.clock.now_us() / 1e6))

    async def _guard(self) -> None:
        try:
            await self._watch.guard(lambda: self._token)
        except Problem as problem:
            await self._refuse(problem)

    async def _refuse(self, problem: Problem) -> None:
        await self._report(problem)
        await self._socket.close(code=CLOSE_EXPIRED)

    async def _receive(self) -> None:
        async for message in self._socket:
            if message.type is not WSMsgType.TEXT:
                await self._report(InvalidPayload(errors=[FieldError(loc=[], msg="send JSON as text")]))
                continue
            try:
                await self._answer(message.data)
            except ValidationError as error:
                await self._report(InvalidPayload.of(error, "message"))
            except Problem as problem:
                await self._report(problem)

    async def _answer(self, text: str) -> None:
        match MESSAGE.validate_json(text):
            case Auth(access_token=token):
                await self._accept(token)
            case Subscribe() as wanted:
                await self._watch.subscribe(wanted)
            case Unsubscribe(sensors=sensors, projects=projects, runs=runs):
                self._watch.unsubscribe(frozenset(sensors), frozenset(projects), frozenset(runs))
            case Ping():
                await self._say(Pong(now=self._ctx.hub.clock.now_us() / 1e6, cursor=self._watch.cursor))

    async def _say(self, message: BaseModel) -> None:
        await self.say(message.model_dump_json())

    async def _report(self, problem: Problem) -> None:
        if not self._socket.closed:
            document = problem.document(self._ctx.request_id).model_dump(exclude_none=True)
            await self.say(Refused(**document).model_dump_json(exclude_none=True))
