"""Tells the hub how the agent is doing, so that people see it beside their sensors."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final

import msgspec

from edge.hub_client import HubClient
from edge.status import Status

LONGEST_INTERVAL_S: Final = 10.0  # the hub takes an agent for offline after 30 s of silence
FAREWELL_S: Final = 1.0
_LONGEST_TROUBLE: Final = 500


async def run(hub: HubClient, status: Callable[[], Status], interval_s: float) -> None:
    """Tell for ever, and at last that the agent has stopped. A report that fails is left to the next one."""
    try:
        while True:
            await hub.send_status(_short(status()))
            await asyncio.sleep(min(interval_s, LONGEST_INTERVAL_S))
    finally:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FAREWELL_S):
                await hub.send_status(_short(msgspec.structs.replace(status(), state="stopped")))


def _short(status: Status) -> Status:
    return msgspec.structs.replace(
        status,
        hub_problem=status.hub_problem and status.hub_problem[:_LONGEST_TROUBLE],
        broker_problem=status.broker_problem and status.broker_problem[:_LONGEST_TROUBLE],
        blocked=status.blocked and status.blocked[:_LONGEST_TROUBLE],
    )
