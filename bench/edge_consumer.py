"""The ceiling of an edge agent: a bare aiomqtt consumer of the same session, which does nothing with a message."""

import asyncio
import socket
import sys
import time
from uuid import UUID

import aiomqtt
import msgspec

from bench.client import READY
from contract import topics


class Plan(msgspec.Struct):
    """Whose session to take up, and how many messages to wait for; 0 only begins the session."""

    port: int
    agent_id: UUID
    token: str
    messages: int


class Report(msgspec.Struct):
    """Messages a second between the first and the last one, and the CPU time of each."""

    per_s: float
    cpu_us: float


async def main() -> None:
    """Read the plan, wait for the word, take messages."""
    plan = msgspec.json.decode(sys.stdin.readline(), type=Plan)
    print(READY, flush=True)
    sys.stdin.readline()
    identity = str(plan.agent_id)
    async with aiomqtt.Client(
        "127.0.0.1",
        plan.port,
        username=identity,
        password=plan.token,
        identifier=identity,
        clean_session=False,
        socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
    ) as client:
        await client.subscribe([(topics.TELEMETRY_FILTER, 1), (topics.HEARTBEAT_FILTER, 1)])
        taken, began, used_s = 0, 0.0, time.process_time()
        if plan.messages:
            async for _ in client.messages:
                taken += 1
                began = began or time.monotonic()
                if taken == plan.messages:
                    break
        took_s = time.monotonic() - began
        used_s = time.process_time() - used_s
        await asyncio.sleep(0.2)  # the last acknowledgements leave
    print(msgspec.json.encode(Report((taken - 1) / took_s, used_s / max(taken, 1) * 1e6)).decode(), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
