"""Workers: one that fails is restarted and shown, the others go on."""

import asyncio

from hub.kit.clock import SystemClock
from hub.kit.workers import Workers


async def test_restarts_what_fails() -> None:
    workers = Workers(SystemClock())
    again = asyncio.Event()
    calm = asyncio.Event()

    async def fails() -> None:
        if workers.states[0].restarts:
            again.set()
            await asyncio.Event().wait()
        raise ValueError("boom")

    async def lives() -> None:
        calm.set()
        await asyncio.Event().wait()

    workers.add("fails", fails)
    workers.add("lives", lives)
    running = asyncio.create_task(workers.run_all())
    async with asyncio.timeout(10):
        await again.wait()
        await calm.wait()
    failing, living = workers.states
    assert (failing.running, failing.restarts, failing.last_error) == (True, 1, "ValueError")
    assert (living.running, living.restarts, living.last_error) == (True, 0, None)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert running.cancelled()
