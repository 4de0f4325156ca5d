"""Races: decided by a lock of the test's, so that they end the same way every time, or left to chance, many times."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from hub.kit.db import Tx
from tests.hub.callers import Answer

T = TypeVar("T")

# How often chance is given a chance.
TIMES = 24
# Two requests that take some milliseconds each overlap in every way when they start within this time.
WITHIN_S = 0.006


async def all_behind(db: Tx, lock: str, *requests: Coroutine[Any, Any, T]) -> list[T]:
    """Run the requests against each other: the statement `lock` holds them until all of them stand in line."""
    async with asyncio.TaskGroup() as group, db.transaction():
        await db.execute(lock)
        running = [group.create_task(request) for request in requests]
        await waiting(db, len(running))
    return [task.result() for task in running]


async def in_line(db: Tx, lock: str, *requests: Coroutine[Any, Any, T]) -> list[T]:
    """Run the requests against each other, first come, first served: each starts once those before it stand in line."""
    running: list[asyncio.Task[T]] = []
    async with asyncio.TaskGroup() as group, db.transaction():
        await db.execute(lock)
        for request in requests:
            running.append(group.create_task(request))
            await waiting(db, len(running))
    return [task.result() for task in running]


async def waiting(db: Tx, count: int) -> None:
    """Wait until so many wait for locks."""
    async with asyncio.timeout(10):
        while await db.fetchval("select count(*) from pg_locks where not granted") < count:  # noqa: ASYNC110 - another process's locks
            await asyncio.sleep(0.002)


async def until(holds: Callable[[], Awaitable[bool]], within_s: float = 5.0) -> None:
    """Wait until something holds that nobody announces; raises TimeoutError when it does not in time."""
    async with asyncio.timeout(within_s):
        while not await holds():  # noqa: ASYNC110 - another process decides
            await asyncio.sleep(0.01)


async def at_random(chance: random.Random, *requests: Coroutine[Any, Any, T]) -> list[T]:
    """Run the requests against each other, each after a random pause of some milliseconds."""

    async def soon(pause_s: float, request: Coroutine[Any, Any, T]) -> T:
        await asyncio.sleep(pause_s)
        return await request

    return await asyncio.gather(*(soon(chance.uniform(0, WITHIN_S), request) for request in requests))


def told(answer: Answer, code: str, *words: str) -> None:
    """Expect a conflict whose text names what stands in the way."""
    assert (answer.status, answer.code) == (409, code), answer.body
    assert all(word in answer.body["detail"] for word in words), answer.body["detail"]
