"""Fills a viewer up to the moment from which it is handed everything, out of the stream and the database."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from redis.exceptions import RedisError

from hub.kit.context import Hub
from hub.live import missed
from hub.live.fanout import Fanout, cursor_of, positions_of
from hub.live.messages import Gap
from hub.live.viewer import Piece, Viewer
from hub.live.wire import Wire
from hub.telemetry import backlog
from hub.telemetry.backlog import Backlog
from hub.telemetry.problems import StreamUnread
from hub.telemetry.stream import StreamId

FRAME_SAMPLES: Final = 20_000
REACH_S: Final = 5.0
NOTHING: Final = Backlog({}, {}, {})


class Plan(NamedTuple):
    """What is to be sent before what is handed over: what is stored of a time on, then the stream from `since` on.

    `gap_since` is the cursor that is held no longer. `from_us` is None where all that the stream holds is wanted.
    """

    since: Sequence[StreamId]
    stored: Backlog = NOTHING
    from_us: int | None = None
    gap_since: str | None = None


class Filler:
    """Fills one viewer, as fast as it takes it."""

    def __init__(self, hub: Hub, fanout: Fanout, viewer: Viewer, wire: Wire) -> None:
        """Send over `wire` what the viewer may see."""
        self._hub = hub
        self._fanout = fanout
        self._viewer = viewer
        self._wire = wire

    async def plan(self, sensors: frozenset[int], since: str | None, backlog_s: float) -> Plan:
        """Find out how to fill up: after a cursor while the stream holds it, else with the last seconds if wanted.

        Raises RangeTooLarge, StreamUnread and DatabaseAway.
        """
        hub, fanout = self._hub, self._fanout
        positions = None if since is None else positions_of(since, fanout.shards)
        shards = {no % fanout.shards for no in sensors}
        try:
            if positions is not None and (not backlog_s or not await missed.gone(hub.stream, shards, positions)):
                return Plan(positions)
            from_us = hub.clock.now_us() - int(backlog_s * 1e6)
            stored = await backlog.read(hub, sorted(sensors), from_us)
        except RedisError as error:
            raise StreamUnread("What was missed is kept there.") from error
        for shard, reach in stored.reaches.items():
            # What is stored must not be handed over once more.
            if not await fanout.reach(shard, reach, REACH_S):
                raise StreamUnread("The live view is behind what is stored.")
        here = positions_of(fanout.cursor(), fanout.shards)
        return Plan([stored.reaches.get(shard, here[shard]) for shard in range(fanout.shards)], stored, from_us, since)

    async def fill(self, wanted: Plan, until: str, sensors: frozenset[int], *, cursors: bool) -> None:
        """Send what the plan says up to the cursor `until`; frames carry cursors where one may resume at them.

        What cannot be had is told as a gap.
        """
        from_us = wanted.from_us
        if wanted.gap_since is not None and from_us is not None:
            await self._say_gap(wanted.gap_since, from_us / 1e6)
        for pieces in _portions(wanted.stored):
            await self._show(pieces, None)
        told = False
        ends = positions_of(until, len(wanted.since))
        try:
            async for page in missed.pages(self._hub.stream, wanted.since, ends, sensors, wanted.stored.holds):
                if page.gap and not told:
                    told = True
                    await self._say_gap(cursor_of(wanted.since), None)
                pieces = page.pieces if from_us is None else _from(page.pieces, from_us)
                if pieces or (cursors and list(page.positions) == ends):
                    await self._show(pieces, cursor_of(page.positions) if cursors else None)
        except RedisError:
            await self._say_gap(cursor_of(wanted.since), None)

    async def _show(self, pieces: Mapping[int, Sequence[Piece]], cursor: str | None) -> None:
        await self._wire.show(self._viewer.frame(pieces, cursor), cursor)

    async def _say_gap(self, since: str, whole_from: float | None) -> None:
        await self._wire.say(Gap(since=since, whole_from=whole_from).model_dump_json())


def _portions(stored: Backlog) -> list[dict[int, list[Piece]]]:
    """Divide what is stored into frames that are not too large."""
    portions: list[dict[int, list[Piece]]] = []
    room = 0
    for no, column in stored.columns.items():
        for start in range(0, len(column.t_us), FRAME_SAMPLES):
            piece = Piece(column.t_us, column.raw, column.physical, column.status, float("nan")).take(
                slice(start, start + FRAME_SAMPLES)
            )
            if room < len(piece.t_us):
                portions.append({})
                room = FRAME_SAMPLES
            portions[-1].setdefault(no, []).append(piece)
            room -= len(piece.t_us)
    return portions


def _from(pieces: Mapping[int, Sequence[Piece]], from_us: int) -> dict[int, list[Piece]]:
    """Leave out what was taken before a time."""
    kept: dict[int, list[Piece]] = {}
    for no, some in pieces.items():
        for piece in some:
            wanted = piece.t_us >= from_us
            if wanted.any():
                kept.setdefault(no, []).append(piece.take(np.asarray(wanted)))
    return kept
