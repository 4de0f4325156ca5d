"""How long a sample takes from its sender to a viewer's open WebSocket, at 5,000 samples a second from 200 sensors."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from bench.client import Client
from bench.figures import Figure, of_values
from bench.live_load import Plan, Report
from bench.rig import EMAIL, PASSWORD, Bench, Rig

SENSORS = 200
UNIT = "ms P99"
_BROKER_TIMEOUT_S = 30.0


@dataclass(frozen=True)
class Path:
    """The way of the samples, and the time within which 99 of 100 messages must be seen."""

    way: Literal["http", "mqtt"]
    limit_ms: float
    rounds: int = 5
    round_s: float = 8.0


async def measure(name: str, path: Path, say: Callable[[str], None]) -> Figure:
    """Run the system as `make run` does, send at a steady pace, and judge the median of the rounds' P99."""
    async with Rig() as rig:
        await rig.start_hub(("api", "live", "writer", "worker"))
        bench = await rig.register(SENSORS)
        if path.way == "mqtt":
            await _start_edge(rig, bench)
        plan = Plan(
            way=path.way,
            http_port=rig.http_port,
            mqtt_port=rig.mqtt_port,
            email=EMAIL,
            password=PASSWORD,
            agent_token=bench.agent_token,
            sensors=bench.sensors,
            sensor_tokens=bench.sensor_tokens,
            warm_up_s=3.0,
            round_s=path.round_s,
            rounds=path.rounds,
        )
        client = await Client.prepare(rig, "bench.live_load", plan)
        cpu = rig.cpu_s()
        report = await client.go(Report, timeout_s=300.0)
        rig.check_alive()
        seconds = plan.warm_up_s + plan.round_s * plan.rounds
        used = {part: (total - cpu.get(part, 0.0)) / seconds for part, total in rig.cpu_s().items()}
    for number, one in enumerate(report.rounds, 1):
        say(
            f"{name} {number}/{path.rounds}: {one.messages} messages, "
            f"P50 {one.p50_ms:.0f} P95 {one.p95_ms:.0f} P99 {one.p99_ms:.0f} worst {one.worst_ms:.0f} ms"
        )
    say(f"{name} share of a core: {' '.join(f'{part} {share:.0%}' for part, share in used.items())}")
    return of_values(name, [one.p99_ms for one in report.rounds], unit=UNIT, limit=path.limit_ms)


async def _start_edge(rig: Rig, bench: Bench) -> None:
    """Start broker and edge agent; the client waits by itself until messages come through."""
    rig.start("broker", ["cli", "broker"])
    async with asyncio.timeout(_BROKER_TIMEOUT_S):
        while not await _listens(rig.mqtt_port):
            rig.check_alive()
            await asyncio.sleep(0.05)
    identity = {"ETP_EDGE_AGENT_ID": str(bench.agent_id), "ETP_EDGE_TOKEN": bench.agent_token}
    rig.start("edge", ["cli", "edge"], identity)


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True
