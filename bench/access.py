"""What it costs to find out who asks and what they may do, against a bare handler with one SELECT."""

import asyncio
from collections.abc import Callable
from typing import Final

import aiohttp

from bench.figures import Figure, of_ratios
from bench.http import Connection, get
from bench.rig import Rig
from dev.ports import free_port

UNIT: Final = "µs CPU/request"
AGAINST: Final = "a bare aiohttp handler with one SELECT"
CONNECTIONS: Final = 8
REQUESTS: Final = 600
ROUNDS: Final = 11  # what is judged is a small difference of large figures

# A limit would end the measurement after a second.
NO_LIMITS: Final = {
    "ETP_REQUESTS_PER_S": "1000000",
    "ETP_REQUESTS_BURST": "10000000",
    "ETP_PUBLIC_REQUESTS_PER_S": "1000000",
    "ETP_PUBLIC_REQUESTS_BURST": "10000000",
}

Say = Callable[[str], None]


async def measure(name: str, limit: float, say: Say) -> Figure:
    """Compare the CPU time of one server process for the three routes, round by round in turn."""
    async with Rig() as rig:
        await rig.start_hub(("api",))
        bench = await rig.register(1)
        token = await rig.log_in()
        await rig.stop("hub")
        sensor = bench.sensors[0]
        port, bare_port = free_port(), free_port()
        environment = {"ETP_HTTP_PORT": str(port)} | NO_LIMITS
        rig.start("server", ["bench.access_server", str(sensor), str(bare_port)], environment)
        bare = get("/bare", "127.0.0.1", bare_port, token)
        public = get(f"/bench/public/{sensor}", "127.0.0.1", port, token)
        member = get(f"/bench/member/{sensor}", "127.0.0.1", port, token)
        await _answers(rig, port)
        costs: list[float] = []
        ceilings: list[float] = []
        for number in range(ROUNDS + 1):
            used = [
                await _cost_us(rig, at, request) for at, request in ((bare_port, bare), (port, public), (port, member))
            ]
            if number == 0:
                continue  # warming up
            ceilings.append(used[0])
            costs.append(used[2] - used[1])
            say(f"{name} {number}/{ROUNDS}: bare {used[0]:.0f}, public {used[1]:.0f}, member {used[2]:.0f} µs")
        return of_ratios(name, costs, ceilings, unit=UNIT, against=AGAINST, floor=limit, better="lower")


async def _cost_us(rig: Rig, port: int, request: bytes) -> float:
    connections = [await Connection.to("127.0.0.1", port) for _ in range(CONNECTIONS)]
    before = rig.cpu_s()["server"]

    async def ask(connection: Connection) -> None:
        for _ in range(REQUESTS):
            answer = await connection.send(request)
            if answer.status != 200:
                raise RuntimeError(f"the server answered {answer.status}: {answer.body[:300].decode()}")

    await asyncio.gather(*(ask(connection) for connection in connections))
    used_s = rig.cpu_s()["server"] - before
    for connection in connections:
        connection.close()
    return used_s / (CONNECTIONS * REQUESTS) * 1e6


async def _answers(rig: Rig, port: int) -> None:
    async with asyncio.timeout(60), aiohttp.ClientSession() as session:
        while True:
            rig.check_alive()
            try:
                async with session.get(f"http://127.0.0.1:{port}/readyz") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.05)
