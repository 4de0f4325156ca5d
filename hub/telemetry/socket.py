"""One WebSocket that brings telemetry: a batch a message, each acknowledged in order."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import orjson
from aiohttp import WSMsgType, web
from pydantic import ValidationError

from hub.auth.access import bearer
from hub.journal.service import JOURNAL
from hub.kit.context import Context, Principal
from hub.kit.problems import Problem, Unauthenticated
from hub.telemetry.conveyor import Conveyor
from hub.telemetry.fabric import FABRIC
from hub.telemetry.receiving import Receiver
from hub.telemetry.standing import CONTROL, Standing, TelemetryAuth, is_control

AUTH_TIMEOUT_S: Final = 5.0
PING_S: Final = 15.0
# So long nothing at all came, no answer to a ping either, though it was waited for.
SILENCE_S: Final = 45.0
SEND_TIMEOUT_S: Final = 20.0
CLOSE_REFUSED: Final = 4401


class Silent(Exception):
    """Nothing comes any more; the other end may be gone."""


class Refused(Exception):
    """The token is good no more."""

    def __init__(self, problem: Problem) -> None:
        """Say why."""
        self.problem = problem
        super().__init__(str(problem))


class TelemetrySocket:
    """Serves one socket until it closes, its token is good no more, or nothing can be written to it."""

    def __init__(self, ctx: Context, socket: web.WebSocketResponse) -> None:
        """Serve `socket`, which answers pings by itself no more than it asks them."""
        self._ctx = ctx
        self._socket = socket

    async def serve(self) -> None:
        """Find out who sends, then take batches."""
        try:
            await self._take_batches(await self._authenticate())
        except (ConnectionResetError, TimeoutError, Silent):
            pass  # the sender went away, or reads nothing any more; what it has no word of it sends again
        except Problem as problem:
            await self._refuse(problem)

    async def _take_batches(self, receiver: Receiver) -> None:
        refused: list[Problem] = []
        try:
            async with asyncio.TaskGroup() as group:
                conveyor = Conveyor(receiver, self._ctx.request.app[JOURNAL], group, self._ctx.request_id, self._say)
                standing = Standing(receiver)
                works = (conveyor.run(), self._ping(), self._watch(standing))
                tasks = [group.create_task(work) for work in works]
                await self._receive(conveyor, standing)
                await conveyor.finish()
                for task in tasks:
                    task.cancel()
        except* Refused as group:
            refused += [error.problem for error in group.exceptions if isinstance(error, Refused)]
        except* (ConnectionResetError, TimeoutError, Silent):
            pass
        if refused:
            raise refused[0]

    async def _authenticate(self) -> Receiver:
        if "Authorization" in self._ctx.request.headers:
            token = bearer(self._ctx)
        else:
            token = await self._first_message()
        fabric = self._ctx.request.app[FABRIC]
        device = await fabric.registry.device(token)
        self._ctx.principal = Principal(device.kind, device.id, "")
        await self._say("ready", {"now": self._ctx.hub.clock.now_us() / 1e6})
        return Receiver(self._ctx.hub, fabric, token, device)

    async def _first_message(self) -> str:
        try:
            message = CONTROL.validate_json(await self._socket.receive_str(timeout=AUTH_TIMEOUT_S))
        except (TimeoutError, TypeError, ValidationError) as error:
            raise Unauthenticated('Send {"op":"auth","token":"…"} within five seconds.') from error
        if not isinstance(message, TelemetryAuth):
            raise Unauthenticated('Send {"op":"auth","token":"…"} first.')
        return message.token

    async def _receive(self, conveyor: Conveyor, standing: Standing) -> None:
        number = 0
        while True:
            try:
                message = await self._socket.receive(timeout=SILENCE_S)
            except TimeoutError as error:
                raise Silent from error
            match message.type:
                case WSMsgType.TEXT | WSMsgType.BINARY:
                    packed = message.type is WSMsgType.BINARY
                    body = message.data if packed else message.data.encode()
                    if not packed and is_control(body):
                        await self._answer(body, conveyor, standing)
                    else:
                        number += 1
                        await conveyor.offer(number, body, packed=packed)
                case WSMsgType.PING:
                    await self._socket.pong(message.data)
                case WSMsgType.PONG:
                    pass
                case _:
                    return

    async def _answer(self, text: bytes, conveyor: Conveyor, standing: Standing) -> None:
        try:
            kind, fields = await standing.answer(text)
            await self._say(kind, fields)
        except Problem as problem:
            await self._say("problem", conveyor.problem(problem))

    async def _ping(self) -> None:
        while True:
            await asyncio.sleep(PING_S)
            await self._socket.ping()

    async def _watch(self, standing: Standing) -> None:
        raise Refused(await standing.watch())

    async def _refuse(self, problem: Problem) -> None:
        document = problem.document(self._ctx.request_id).model_dump(exclude_none=True)
        if not self._socket.closed:
            await self._say("problem", document)
        await self._socket.close(code=CLOSE_REFUSED)

    async def _say(self, op: str, message: Mapping[str, Any]) -> None:
        async with asyncio.timeout(SEND_TIMEOUT_S):
            await self._socket.send_str(orjson.dumps({"op": op, **message}).decode())
