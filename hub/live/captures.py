"""Counts what the captures of watched runs hold, once for all viewers of this process, and tells what changes."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from typing import Final, NamedTuple
from uuid import UUID

import asyncpg
import structlog

from hub.captures.models import CaptureStatus
from hub.kit.context import Hub
from hub.kit.problems import DatabaseAway
from hub.live import queries
from hub.live.messages import CaptureCounts
from hub.live.viewer import Viewer
from hub.telemetry import counting
from hub.telemetry.problems import StreamUnread

log = structlog.get_logger(__name__)

LOOK_S: Final = 1.0
# Counting a long capture takes a while: it rests four times as long, so that it takes a fifth of a core at most.
REST: Final = 4.0
# What comes late to a finished capture is rare, and there may be many of them: they are counted every fifth look.
FINISHED_EVERY: Final = 5


class Told(NamedTuple):
    """What was said of a capture last."""

    run_id: UUID
    status: CaptureStatus
    message: str


class CaptureLedgers:
    """Remembers, capture by capture, what was told last; new viewers of a run get that at once."""

    def __init__(self, hub: Hub) -> None:
        """Start with nobody watching."""
        self._hub = hub
        self._watching: dict[UUID, set[Viewer]] = defaultdict(set)
        self._told: dict[UUID, Told] = {}
        self._looks = 0

    def watch(self, viewer: Viewer, runs: Iterable[UUID]) -> None:
        """Tell the viewer from now on what the captures of these runs hold."""
        fresh = frozenset(runs) - viewer.runs
        viewer.runs |= fresh
        for run_id in fresh:
            self._watching[run_id].add(viewer)
        for capture_id, told in self._told.items():
            if told.run_id in fresh:
                viewer.tell_counts(told.run_id, capture_id, told.message)

    def unwatch(self, viewer: Viewer, runs: Iterable[UUID]) -> None:
        """Tell nothing of these runs any more."""
        gone = viewer.runs & frozenset(runs)
        viewer.runs -= gone
        for run_id in gone:
            watching = self._watching[run_id]
            watching.discard(viewer)
            if not watching:
                del self._watching[run_id]
        viewer.forget_counts(gone)

    async def run(self) -> None:
        """Look every second, while somebody watches, until cancelled."""
        loop = asyncio.get_running_loop()
        took_s = 0.0
        while True:
            await asyncio.sleep(max(LOOK_S, REST * took_s))
            began_s = loop.time()
            try:
                await self.look()
            except (DatabaseAway, StreamUnread):
                log.info("ledgers of captures are kept, database or stream is away")
            took_s = loop.time() - began_s

    async def look(self) -> None:
        """Count the captures that run and those nobody was told of yet; now and then also those that may grow late."""
        self._told = {capture: told for capture, told in self._told.items() if told.run_id in self._watching}
        if not self._watching:
            return
        self._looks += 1
        async with self._hub.db.connection() as connection:
            rows = await queries.growing_captures(connection, list(self._watching), list(self._told))
        for row in rows:
            told = self._told.get(row["id"])
            over = told is not None and told.status == row["status"] == CaptureStatus.FINISHED
            if not over or self._looks % FINISHED_EVERY == 0:
                await self._count(row)
        for capture_id in self._told.keys() - {row["id"] for row in rows}:
            del self._told[capture_id]

    async def _count(self, row: asyncpg.Record) -> None:
        capture_id, run_id, status = row["id"], row["run_id"], CaptureStatus(row["status"])
        ledger = await counting.of_capture(self._hub, capture_id)
        counts = CaptureCounts(run_id=run_id, capture_id=capture_id, status=status, ledger=ledger)
        told = Told(run_id, status, counts.model_dump_json())
        if self._told.get(capture_id) != told:
            self._told[capture_id] = told
            for viewer in self._watching.get(run_id, ()):
                viewer.tell_counts(run_id, capture_id, told.message)
        if status not in {CaptureStatus.RUNNING, CaptureStatus.FINISHED}:
            # Told once more as it was sealed or failed; from now on it is not asked for.
            self._told.pop(capture_id, None)
