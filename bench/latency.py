"""How long a sample takes from its sender to the viewers' open WebSockets, at 5,000 samples a second."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from bench.client import Client
from bench.figures import Figure, of_values
from bench.live_load import PERCENTILES, Plan, Report
from bench.rig import Bench, Rig

SENSORS = 200
_BROKER_TIMEOUT_S = 30.0


@dataclass(frozen=True)
class Path:
    """The way of the samples, who watches, and the time within which 99 (or so) of 100 messages must be seen.

    200 sensors send a message of 25 samples a second each, and further ones, `quick`, ten messages a second. These are
    watched by the viewers, each viewer one; where there are none, all sensors are.
    """

    way: Literal["http", "mqtt"]
    limit_ms: float
    percentile: Literal[95, 99] = 99
    viewers: int = 1
    quick: int = 0
    rounds: int = 5
    round_s: float = 8.0

    @property
    def unit(self) -> str:
        """What the figure counts."""
        return f"ms P{self.percentile}"


async def measure(name: str, path: Path, say: Callable[[str], None]) -> Figure:
    """Run the system as `make run` does, send at a steady pace, and judge the median of the rounds' P99."""
    async with Rig() as rig:
        await rig.start_hub(("api", "live", "writer", "worker"))
        bench = await rig.register(path.quick + SENSORS)
        if path.way == "mqtt":
            await _start_edge(rig, bench)
        plan = Plan(
            way=path.way,
            http_port=rig.http_port,
            mqtt_port=rig.mqtt_port,
            access_token=await rig.log_in(),
            agent_token=bench.agent_token,
            sensors=bench.sensors,
            sensor_tokens=bench.sensor_tokens,
            warm_up_s=3.0,
            round_s=path.round_s,
            rounds=path.rounds,
            viewers=path.viewers,
            quick=path.quick,
        )
        client = await Client.prepare(rig, "bench.live_load", plan)
        cpu = rig.cpu_s()
        report = await client.go(Report, timeout_s=300.0)
        rig.check_alive()
        seconds = plan.warm_up_s + plan.round_s * plan.rounds
        used = {part: (total - cpu.get(part, 0.0)) / seconds for part, total in rig.cpu_s().items()}
    for number, one in enumerate(report.rounds, 1):
        p50, p95, p99, worst = (one.took_ms[percent] for percent in PERCENTILES)
        say(
            f"{name} {number}/{path.rounds}: {one.seen} seen, "
            f"P50 {p50:.0f} P95 {p95:.0f} P99 {p99:.0f} worst {worst:.0f} ms"
        )
    say(f"{name} share of a core: {' '.join(f'{part} {share:.0%}' for part, share in used.items())}")
    took_ms = [one.took_ms[path.percentile] for one in report.rounds]
    return of_values(name, took_ms, unit=path.unit, limit=path.limit_ms)


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
