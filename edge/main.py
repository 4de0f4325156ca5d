"""`etp edge`: an edge agent as a program of its own."""

import asyncio
import contextlib
import signal

import uvloop

from edge.agent import serve
from edge.settings import EdgeSettings


def run(settings: EdgeSettings) -> None:
    """Run an agent until SIGTERM or SIGINT, then leave the broker, close the spool and return."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_until_stopped(settings))


async def _until_stopped(settings: EdgeSettings) -> None:
    agent = asyncio.ensure_future(serve(settings))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, agent.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await agent
