"""One live connection: who watches, what they watch, and the frames that go out."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from typing import Final
from uuid import UUID

import asyncpg
import orjson
from aiohttp import WSMsgType, web
from pydantic import ValidationError

from hub.auth.access import user_of
from hub.kit.context import Context, Grant
from hub.kit.problems import DatabaseAway, FieldError, InvalidPayload, NotFound, Problem, Unauthenticated
from hub.ledger.service import Fact, record_apart
from hub.live import queries
from hub.live.fanout import Fanout
from hub.live.messages import MESSAGE, Auth, Ping, Subscribe, Unsubscribe
from hub.live.viewer import Viewer
from hub.projects.access import may_read_raw, only_project
from hub.projects.problems import RawNotAllowed

AUTH_TIMEOUT_S: Final = 5.0
WATCH_S: Final = 0.3
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
        self._token: str | None = None
        self._doubtful = False

    async def serve(self, first_token: str | None) -> None:
        """Authenticate, then answer messages and send frames."""
        if not await self._authenticate(first_token):
            return
        try:
            await self._fanout.join(self._viewer)
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._send_frames()), group.create_task(self._watch_access())]
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
        user = await user_of(self._ctx, token, "read")
        if self._ctx.principal is not None and user.id != self._ctx.principal.id:
            raise Unauthenticated("A connection belongs to one user; open another one.")
        self._ctx.principal = user
        self._token = token
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
        generation = self._ctx.hub.remembered.generation
        rows = await self._watchable(wanted.sensors, wanted.runs)
        missing = set(wanted.sensors) - {row["id"] for row in rows}
        if missing:
            raise NotFound(noun="sensor")
        open_raw = {row["no"]: _raw_open(row) for row in rows}
        if wanted.values is not None and "raw" in wanted.values and not all(open_raw.values()):
            raise RawNotAllowed
        await self._record(rows, wanted)
        viewer.values = wanted.values or frozenset({"raw", "physical"})
        viewer.binary = wanted.encoding == "binary"
        viewer.sensors |= {row["no"]: (row["id"], open_raw[row["no"]]) for row in rows}
        # Rights that changed since they were read are asked for once more.
        self._doubtful |= self._ctx.hub.remembered.generation != generation
        numbers = [row["no"] for row in rows]
        viewer.holding = wanted.since is not None
        self._fanout.watch(viewer, numbers)
        cursor = self._fanout.cursor()
        await self._say({"op": "subscribed", "sensors": [row["id"] for row in rows], "cursor": cursor})
        if wanted.since is not None:
            await self._resume(wanted.since, cursor, frozenset(numbers))

    async def _record(self, rows: Sequence[asyncpg.Record], wanted: Subscribe) -> None:
        """Write down who watches what from now on, in the trail of each project that is concerned."""
        for project_id, sensors in groupby(rows, lambda row: row["project_id"]):
            watched = list(sensors)
            values = wanted.values or {"raw", "physical"}
            details = {
                "sensors": [row["id"] for row in watched],
                "values": sorted(values if _raw_open(watched[0]) else values - {"raw"}),
            }
            ctx = replace(self._ctx, grant=Grant(project_id, watched[0]["role"]))
            await record_apart(ctx, Fact("live.subscribed", details=details))

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

    async def _watchable(self, sensors: Sequence[UUID], runs: Sequence[UUID]) -> list[asyncpg.Record]:
        async with self._ctx.hub.db.connection() as connection:
            return await queries.watchable(
                connection,
                user_id=self._ctx.caller.id,
                only_project=only_project(self._ctx),
                sensors=sensors,
                runs=runs,
            )

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

    async def _watch_access(self) -> None:
        """End the connection with its token or session, and take from the view what its user may see no longer."""
        remembered = self._ctx.hub.remembered
        generation = remembered.generation
        while True:
            await asyncio.sleep(WATCH_S)
            try:
                await user_of(self._ctx, self._token or "", "read")
                if self._doubtful or remembered.generation != generation:
                    generation, self._doubtful = remembered.generation, False
                    await self._narrow()
            except DatabaseAway:
                self._doubtful = True
                continue  # nobody's rights can have changed there meanwhile
            except Problem as problem:
                await self._refuse(problem)
                return

    async def _narrow(self) -> None:
        viewer = self._viewer
        watched = {sensor_id: no for no, (sensor_id, _) in viewer.sensors.items()}
        if not watched:
            return
        rows = {row["id"]: row for row in await self._watchable(list(watched), [])}
        gone = watched.keys() - rows.keys()
        changed = [row for row in rows.values() if viewer.sensors[row["no"]][1] is not _raw_open(row)]
        for row in changed:
            viewer.sensors[row["no"]] = (row["id"], _raw_open(row))
        self._unsubscribe(frozenset(gone))
        if gone or changed:
            raw = {str(row["id"]): _raw_open(row) for row in changed}
            await self._say({"op": "access", "gone": sorted(map(str, gone)), "raw": raw})

    async def _say(self, message: dict[str, object]) -> None:
        await self._socket.send_str(orjson.dumps(message).decode())

    async def _report(self, problem: Problem) -> None:
        document = problem.document(self._ctx.request_id).model_dump(exclude_none=True)
        if not self._socket.closed:
            await self._say({"op": "problem", **document})


def _raw_open(row: asyncpg.Record) -> bool:
    return may_read_raw(Grant(row["id"], row["role"], {"raw_policy": row["raw_policy"]}))
