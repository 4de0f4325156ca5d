"""`etp edge`: an edge agent as a program of its own."""

import asyncio
import contextlib
import signal
import sys

from contract import logs
from edge.agent import serve
from edge.intake import NotLeft
from edge.settings import EdgeSettings
from edge.spool import SpoolInUse


def run(settings: EdgeSettings, *, leaving: bool = False) -> None:
    """Run an agent until SIGTERM or SIGINT, then close the spool and return; the broker keeps its session.

    Leaving, it takes what the broker holds, ends the session there, and returns when the hub has everything. Exits with
    status 1 and one line when another agent uses the spool, or the session could not be ended.
    """
    logs.configure()
    try:
        # Not uvloop: of a connection reset with bytes unread it calls the reader once and never again, and paho, which
        # reads one packet a call, would miss the end of its connection for as long as twenty seconds.
        asyncio.run(_until_stopped(settings, leaving=leaving))
    except* (SpoolInUse, NotLeft) as failures:
        sys.exit(f"etp edge: {failures.exceptions[0]}")


async def _until_stopped(settings: EdgeSettings, *, leaving: bool) -> None:
    agent = asyncio.ensure_future(serve(settings, leaving=leaving))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, agent.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await agent
