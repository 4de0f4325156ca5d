"""What one viewer watches, whichever way it is connected: subscribing, filling up, and losing sight of things."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Final, NamedTuple
from uuid import UUID

import asyncpg
from aiohttp import web
from pydantic import BaseModel

from hub.auth.access import user_of
from hub.kit.context import Context, Grant
from hub.kit.problems import DatabaseAway, FieldError, InvalidPayload, NotFound
from hub.ledger.service import Fact, record_apart
from hub.live import queries
from hub.live.captures import CaptureLedgers
from hub.live.fanout import Fanout, positions_of
from hub.live.filling import Filler, Plan
from hub.live.health import Health
from hub.live.messages import AccessChanged, Subscribe, Subscribed
from hub.live.relay import Relay
from hub.live.viewer import BOTH, Viewer
from hub.live.wire import Wire
from hub.projects.access import grant_of, may_read_raw, only_project
from hub.projects.problems import RawNotAllowed

WATCH_S: Final = 0.3
# What a process spends on frames stays bounded: the more watch, the more samples share one.
FRAMES_PER_S: Final = 5_000
LEAST_PAUSE_S: Final = 0.015


class Parts(NamedTuple):
    """What this process has of the live channel."""

    fanout: Fanout
    relay: Relay
    health: Health
    captures: CaptureLedgers


PARTS = web.AppKey("live parts", Parts)


class Watch:
    """Keeps what a viewer watches in step with what its user may see."""

    def __init__(self, ctx: Context, parts: Parts, wire: Wire) -> None:
        """Watch nothing yet; `ctx` gets the user as principal."""
        self.viewer = Viewer()
        self._ctx = ctx
        self._parts = parts
        self._wire = wire
        self._doubtful = False

    async def join(self) -> None:
        """Take part; returns once every shard is being read."""
        await self._parts.fanout.join(self.viewer)

    def leave(self) -> None:
        """Take part no longer."""
        self._parts.relay.unwatch(self.viewer, self.viewer.projects)
        self._parts.captures.unwatch(self.viewer, self.viewer.runs)
        self._parts.fanout.leave(self.viewer)

    @property
    def cursor(self) -> str | None:
        """Return where to resume when all that came was sent; None while something is on its way."""
        return self._parts.fanout.cursor() if self.viewer.idle else None

    async def subscribe(self, wanted: Subscribe) -> None:
        """Watch what is wanted, which is said, and fill up; raises NotFound, RawNotAllowed and others."""
        generation = self._ctx.hub.remembered.generation
        _check_cursor(wanted.since, self._parts.fanout.shards)
        shown = wanted.runs if wanted.samples else []
        rows = await self._watchable(wanted.sensors, shown)
        projects = await self._projects(wanted.projects)
        runs = await self._runs(wanted.runs if wanted.ledger else [])
        if set(wanted.sensors) - {row["id"] for row in rows}:
            raise NotFound(noun="sensor")
        if set(wanted.projects) - projects:
            raise NotFound(noun="project")
        if wanted.ledger and set(wanted.runs) - runs:
            raise NotFound(noun="run")
        if wanted.values is not None and "raw" in wanted.values and not all(map(raw_open, rows)):
            raise RawNotAllowed
        await self._record(rows, wanted)
        # Rights that changed since they were read are asked for once more.
        self._doubtful |= self._ctx.hub.remembered.generation != generation
        if wanted.sensors or shown:
            self.viewer.values = frozenset(wanted.values or BOTH)
            self.viewer.binary = wanted.encoding == "binary"
        self.viewer.ledger |= wanted.ledger and bool(projects)
        await self._begin(
            wanted, rows, Subscribed(sensors=[], projects=sorted(projects), runs=sorted(runs), cursor=None)
        )
        self._parts.captures.watch(self.viewer, runs)
        if projects:
            # Changes between the two are told as events.
            self._parts.relay.watch(self.viewer, projects)
            await self._say(await self._parts.health.states(projects))

    async def _begin(self, wanted: Subscribe, rows: Sequence[asyncpg.Record], said: Subscribed) -> None:
        viewer, fanout = self.viewer, self._parts.fanout
        filler = Filler(self._ctx.hub, fanout, viewer, self._wire)
        fresh = frozenset(row["no"] for row in rows) - viewer.sensors.keys()
        # What waits for earlier subscriptions lies behind the cursor of this moment.
        first = not viewer.sensors
        plan: Plan | None = None
        viewer.holding = bool(fresh) and (wanted.since is not None or wanted.backlog_s > 0)
        try:
            if viewer.holding:
                plan = await filler.plan(fresh, wanted.since, wanted.backlog_s)
            viewer.sensors |= {row["no"]: (row["id"], raw_open(row)) for row in rows}
            until = fanout.watch(viewer, [row["no"] for row in rows])
            cursor = until if first and plan is None else None
            await self._say(said.model_copy(update={"sensors": [row["id"] for row in rows], "cursor": cursor}))
            if plan is not None:
                await filler.fill(plan, until, fresh, cursors=first)
        finally:
            viewer.release()

    def unsubscribe(self, sensors: frozenset[UUID], projects: frozenset[UUID], runs: frozenset[UUID]) -> None:
        """Watch these no longer; of runs, the ledgers of their captures."""
        numbers = [no for no, (sensor_id, _) in self.viewer.sensors.items() if sensor_id in sensors]
        self._parts.fanout.unwatch(self.viewer, numbers)
        self.viewer.forget(numbers)
        for no in numbers:
            del self.viewer.sensors[no]
        self._parts.relay.unwatch(self.viewer, self.viewer.projects & projects)
        self._parts.captures.unwatch(self.viewer, runs)

    async def send(self) -> None:
        """Send what comes until cancelled or the viewer is gone."""
        viewer = self.viewer
        while True:
            await viewer.wake.wait()
            viewer.wake.clear()
            for message in viewer.take_told():
                await self._wire.say(message)
            cursor = self._parts.fanout.cursor()
            frame = viewer.take(cursor)
            if frame is not None:
                await self._wire.show(frame, cursor)
                vectors = viewer.take_vectors()
                if vectors is not None:
                    await self._wire.say(vectors)
            # What arrives in the meantime shares the next frame.
            await asyncio.sleep(max(LEAST_PAUSE_S, self._parts.fanout.viewers / FRAMES_PER_S))

    async def guard(self, token: Callable[[], str]) -> None:
        """Take from the view what its user may see no longer; raises Unauthenticated once the token is not good."""
        remembered = self._ctx.hub.remembered
        generation = remembered.generation
        while True:
            await asyncio.sleep(WATCH_S)
            try:
                await user_of(self._ctx, token(), "read")
                if self._doubtful or remembered.generation != generation:
                    generation, self._doubtful = remembered.generation, False
                    await self._narrow()
            except DatabaseAway:
                self._doubtful = True  # nobody's rights can have changed there meanwhile

    async def _record(self, rows: Sequence[asyncpg.Record], wanted: Subscribe) -> None:
        """Write down who watches what from now on, in the trail of each project that is concerned."""
        for project_id, sensors in groupby(rows, lambda row: row["project_id"]):
            watched = list(sensors)
            values = wanted.values or BOTH
            details = {
                "sensors": [row["id"] for row in watched],
                "values": sorted(values if raw_open(watched[0]) else values - {"raw"}),
            }
            ctx = replace(self._ctx, grant=Grant(project_id, watched[0]["role"]))
            await record_apart(ctx, Fact("live.subscribed", details=details))

    async def _watchable(self, sensors: Sequence[UUID], runs: Sequence[UUID]) -> list[asyncpg.Record]:
        async with self._ctx.hub.db.connection() as connection:
            return await queries.watchable(
                connection,
                user_id=self._ctx.caller.id,
                only_project=only_project(self._ctx),
                sensors=sensors,
                runs=runs,
            )

    async def _projects(self, wanted: Iterable[UUID]) -> frozenset[UUID]:
        asked = list(wanted)
        if not asked:
            return frozenset()
        async with self._ctx.hub.db.connection() as connection:
            return frozenset(
                await queries.projects(
                    connection, user_id=self._ctx.caller.id, only_project=only_project(self._ctx), projects=asked
                )
            )

    async def _runs(self, wanted: Iterable[UUID]) -> frozenset[UUID]:
        asked = list(wanted)
        if not asked:
            return frozenset()
        async with self._ctx.hub.db.connection() as connection:
            return frozenset(
                await queries.runs(
                    connection, user_id=self._ctx.caller.id, only_project=only_project(self._ctx), runs=asked
                )
            )

    async def _narrow(self) -> None:
        viewer = self.viewer
        watched = {sensor_id: no for no, (sensor_id, _) in viewer.sensors.items()}
        rows = {row["id"]: row for row in await self._watchable(list(watched), [])} if watched else {}
        gone = watched.keys() - rows.keys()
        lost = viewer.projects - await self._projects(viewer.projects)
        runs = viewer.runs - await self._runs(viewer.runs)
        changed = [row for row in rows.values() if _changed(viewer, row)]
        for row in changed:
            viewer.sensors[row["no"]] = (row["id"], raw_open(row))
        self.unsubscribe(frozenset(gone), lost, runs)
        if gone or changed or lost or runs:
            raw = {str(row["id"]): raw_open(row) for row in changed}
            await self._say(AccessChanged(gone=sorted(gone), projects=sorted(lost), runs=sorted(runs), raw=raw))

    async def _say(self, message: BaseModel) -> None:
        await self._wire.say(message.model_dump_json())


def raw_open(row: asyncpg.Record) -> bool:
    """Tell whether raw values are open to the user of a row of `watchable`."""
    return may_read_raw(grant_of(row["project_id"], row["role"], row["raw_policy"]))


def _changed(viewer: Viewer, row: asyncpg.Record) -> bool:
    return row["no"] in viewer.sensors and viewer.sensors[row["no"]][1] is not raw_open(row)


def _check_cursor(since: str | None, shards: int) -> None:
    try:
        if since is not None:
            positions_of(since, shards)
    except ValueError as error:
        raise InvalidPayload(errors=[FieldError(loc=["message", "since"], msg=str(error))]) from error
