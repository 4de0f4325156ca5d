"""Races that end the same way every time: requests wait behind a lock of the test's, then go on at once."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from hub.kit.db import Tx

T = TypeVar("T")


async def all_behind(db: Tx, lock: str, *requests: Coroutine[Any, Any, T]) -> list[T]:
    """Run the requests against each other: the statement `lock` holds them until all of them stand in line."""
    async with asyncio.TaskGroup() as group, db.transaction():
        await db.execute(lock)
        running = [group.create_task(request) for request in requests]
        async with asyncio.timeout(10):
            while await db.fetchval("select count(*) from pg_locks where not granted") < len(running):  # noqa: ASYNC110 - another process's locks
                await asyncio.sleep(0.005)
    return [task.result() for task in running]


async def until(holds: Callable[[], Awaitable[bool]], within_s: float = 5.0) -> None:
    """Wait until something holds that nobody announces; raises TimeoutError when it does not in time."""
    async with asyncio.timeout(within_s):
        while not await holds():  # noqa: ASYNC110 - another process decides
            await asyncio.sleep(0.01)
