"""One live connection: who watches, what they watch, and the frames that go out."""

import asyncio
from typing import Final
from uuid import UUID

import orjson
from aiohttp import WSMsgType, web
from pydantic import ValidationError

from hub.auth import sessions, tokens
from hub.auth.tokens import AccessToken
from hub.kit.context import Context, Grant
from hub.kit.problems import FieldError, InvalidPayload, Problem, Unauthenticated
from hub.live import queries
from hub.live.fanout import Fanout
from hub.live.messages import MESSAGE, Auth, Ping, Subscribe, Unsubscribe
from hub.live.viewer import Viewer
from hub.projects.access import may_read_raw
from hub.projects.problems import NotFound, RawNotAllowed

AUTH_TIMEOUT_S: Final = 5.0
FLUSH_S: Final = 0.04
SEND_TIMEOUT_S: Final = 20.0
CLOSE_EXPIRED: Final = 4401


class Session:
    """Serves one socket until it closes, its token expires, or it cannot be written to any more."""

    def __init__(self, ctx: Context, socket: web.WebSocketResponse, fanout: Fanout) -> None:
        """Serve `socket` from `fanout`."""
        self._ctx = ctx
        self._socket = socket
        self._fanout = fanout
        self._viewer = Viewer()
        self._token: AccessToken | None = None

    async def serve(self, first_token: str | None) -> None:
        """Authenticate, then answer messages and send frames."""
        if not await self._authenticate(first_token):
            return
        try:
            await self._fanout.join(self._viewer)
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._send_frames()), group.create_task(self._watch_token())]
                await self._receive()
                for task in tasks:
                    task.cancel()
        except* (ConnectionResetError, TimeoutError):
            pass  # the viewer went away, or takes nothing any more
        finally:
            self._fanout.leave(self._viewer)

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
        accepted = tokens.verify(self._ctx.hub.keys, token)
        if self._token is not None and accepted.user_id != self._token.user_id:
            raise Unauthenticated("A connection belongs to one user; open another one.")
        async with self._ctx.hub.db.connection() as connection:
            if await sessions.ended(connection, accepted):
                raise Unauthenticated("This session was ended; log in again.")
        self._token = accepted
        await self._say({"op": "ready", "now": self._ctx.hub.clock.now_us() / 1e6})

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
                await self._subscribe(wanted)
            case Unsubscribe(sensors=sensors):
                self._unsubscribe(frozenset(sensors))
            case Ping():
                await self._say({"op": "pong", "now": self._ctx.hub.clock.now_us() / 1e6})

    async def _subscribe(self, wanted: Subscribe) -> None:
        viewer = self._viewer
        async with self._ctx.hub.db.connection() as connection:
            rows = await queries.watchable(connection, self._user_id, wanted.sensors, wanted.runs)
        missing = set(wanted.sensors) - {row["id"] for row in rows}
        if missing:
            raise NotFound(noun="sensor")
        open_raw = {
            row["no"]: may_read_raw(Grant(row["id"], row["role"], {"raw_policy": row["raw_policy"]})) for row in rows
        }
        if wanted.values is not None and "raw" in wanted.values and not all(open_raw.values()):
            raise RawNotAllowed
        viewer.values = wanted.values or frozenset({"raw", "physical"})
        viewer.binary = wanted.encoding == "binary"
        viewer.sensors |= {row["no"]: (row["id"], open_raw[row["no"]]) for row in rows}
        numbers = [row["no"] for row in rows]
        viewer.holding = wanted.since is not None
        self._fanout.watch(viewer, numbers)
        cursor = self._fanout.cursor()
        await self._say({"op": "subscribed", "sensors": [row["id"] for row in rows], "cursor": cursor})
        if wanted.since is not None:
            await self._resume(wanted.since, cursor, frozenset(numbers))

    async def _resume(self, since: str, until: str, numbers: frozenset[int]) -> None:
        try:
            missed = await self._fanout.missed(since, until, numbers)
        except ValueError as error:
            self._viewer.put_first([])
            raise InvalidPayload(errors=[FieldError(loc=["message", "since"], msg=str(error))]) from error
        if missed.gap:
            await self._say({"op": "gap", "from": since})
        self._viewer.put_first(missed.pieces)

    def _unsubscribe(self, sensors: frozenset[UUID]) -> None:
        numbers = [no for no, (sensor_id, _) in self._viewer.sensors.items() if sensor_id in sensors]
        self._fanout.unwatch(self._viewer, numbers)
        self._viewer.forget(numbers)
        for no in numbers:
            del self._viewer.sensors[no]

    async def _send_frames(self) -> None:
        while True:
            await self._viewer.wake.wait()
            self._viewer.wake.clear()
            frame = self._viewer.take(self._fanout.cursor())
            if frame is None:
                continue
            async with asyncio.timeout(SEND_TIMEOUT_S):
                if isinstance(frame, bytes):
                    await self._socket.send_bytes(frame)
                else:
                    await self._socket.send_str(frame)
            # What arrives in the meantime shares the next frame.
            await asyncio.sleep(FLUSH_S)

    async def _watch_token(self) -> None:
        while True:
            now_s = self._ctx.hub.clock.now_us() / 1e6
            remaining = (self._token.expires_at_s if self._token else 0) - now_s
            if remaining <= 0:
                await self._refuse(Unauthenticated("The access token has expired; refresh it."))
                return
            await asyncio.sleep(min(remaining, 5.0))

    async def _say(self, message: dict[str, object]) -> None:
        await self._socket.send_str(orjson.dumps(message).decode())

    async def _report(self, problem: Problem) -> None:
        document = problem.document(self._ctx.request_id).model_dump(exclude_none=True)
        if not self._socket.closed:
            await self._say({"op": "problem", **document})

    @property
    def _user_id(self) -> UUID:
        if self._token is None:
            raise Unauthenticated
        return self._token.user_id
