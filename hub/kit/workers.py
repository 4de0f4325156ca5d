"""Background workers: restarted with jittered backoff when they fail, their state visible."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

import structlog

from hub.kit.clock import Clock
from hub.kit.problems import DatabaseAway

log = structlog.get_logger(__name__)

MAX_BACKOFF_S = 5.0


@dataclass
class WorkerState:
    """How a worker is doing, as shown on /readyz."""

    name: str
    running: bool = False
    restarts: int = 0
    last_error: str | None = None
    since: datetime | None = None


class Workers:
    """The workers of one process, in one TaskGroup."""

    def __init__(self, clock: Clock) -> None:
        """Start with none."""
        self._clock = clock
        self.states: list[WorkerState] = []
        self._jobs: list[tuple[WorkerState, Callable[[], Awaitable[None]]]] = []

    def add(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        """Add a worker before `run_all`; `run` loops until it is cancelled."""
        state = WorkerState(name=name)
        self.states.append(state)
        self._jobs.append((state, run))

    async def run_all(self) -> None:
        """Run every worker until cancelled."""
        async with asyncio.TaskGroup() as group:
            tasks = {group.create_task(self._keep(state, run), name=state.name) for state, run in self._jobs}
            try:
                await asyncio.Event().wait()
            finally:
                # Before Python 3.12 wait_for, which the Redis client uses, can swallow a cancellation: ask until heard.
                while tasks:
                    for task in tasks:
                        task.cancel()
                    _, tasks = await asyncio.wait(tasks, timeout=0.5)

    async def _keep(self, state: WorkerState, run: Callable[[], Awaitable[None]]) -> None:
        backoff_s = 0.1
        while True:
            state.running, state.since = True, self._clock.now()
            started = asyncio.get_running_loop().time()
            try:
                await run()
            except Exception as error:  # noqa: BLE001 - whatever ends a worker, the others go on and it is restarted
                state.last_error = type(error).__name__
                log.warning("worker failed", worker=state.name, error=str(error), kind=type(error).__name__)
            state.running = False
            state.restarts += 1
            if asyncio.get_running_loop().time() - started > 30:
                backoff_s = 0.1
            await asyncio.sleep(backoff_s * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, not a secret
            backoff_s = min(backoff_s * 2, MAX_BACKOFF_S)


async def regularly(act: Callable[[], Awaitable[object]], pause_s: float, meanwhile: str) -> None:
    """Act again and again until cancelled, with a pause after each time; `meanwhile` says what no database means."""
    while True:
        try:
            await act()
        except DatabaseAway:
            log.info("the database is away", meanwhile=meanwhile)
        await asyncio.sleep(pause_s)
