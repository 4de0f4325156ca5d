"""How fast a backlog is stored whose samples all lie below their sensors' newest, against samples above it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import asyncpg

from bench.client import Client
from bench.figures import Figure, of_ratios
from bench.http_load import Plan
from bench.ingest import MESSAGE, UNIT, send
from bench.rig import Bench, Rig

AGAINST: Final = "the same number of samples above their sensors' newest"
SENSORS: Final = 200
STEP_US: Final = 1000
ROUNDS: Final = 3
SAMPLES: Final = 6_000_000  # three rounds: 18M, an hour of 5,000 samples/s
SAMPLES_PER_BODY: Final = 10_000

Say = Callable[[str], None]


@dataclass
class _Way:
    """Where the next round's samples begin: both ways move forward in time, and never meet."""

    t_us: int


async def measure(name: str, floor: float, say: Say) -> Figure:
    """Send above the mark and below it in turn; nothing of the backlog overlaps what is stored."""
    async with Rig() as rig:
        await rig.start_hub(("api", "live"), ("writer", "worker"))
        bench = await rig.register(SENSORS)
        database: asyncpg.Connection[asyncpg.Record] = await asyncpg.connect(rig.postgres.url)
        now_us = time.time_ns() // 1000
        above, below = _Way(now_us - 4 * 3_600_000_000), _Way(now_us - 6 * 3_600_000_000)
        late: list[float] = []
        fresh: list[float] = []
        try:
            for number in range(ROUNDS + 1):
                # The first round warms up, and sets the marks that the backlog lies below.
                samples = SAMPLES // 10 if number == 0 else SAMPLES
                rates = [await _round(rig, bench, database, way, samples) for way in (above, below)]
                if number == 0:
                    continue
                fresh.append(rates[0][0])
                late.append(rates[1][0])
                say(
                    f"{name} {number}/{ROUNDS}: {late[-1]:,.0f} of {fresh[-1]:,.0f} = {late[-1] / fresh[-1]:.2f}; "
                    f"{rates[1][1]}"
                )
            counted = await database.fetchval("select sum(late) from sensor_ledger")
        finally:
            await database.close()
    expected = SAMPLES // 10 + ROUNDS * SAMPLES
    if counted != expected:
        raise RuntimeError(f"{counted} of {expected} samples were counted as late")
    return of_ratios(name, late, fresh, unit=UNIT, against=AGAINST, floor=floor)


async def _round(
    rig: Rig, bench: Bench, database: "asyncpg.Connection[asyncpg.Record]", way: _Way, samples: int
) -> tuple[float, str]:
    plan = Plan(
        port=rig.http_port,
        token=bench.agent_token,
        sensors=bench.sensors,
        form="columns",
        samples_per_body=SAMPLES_PER_BODY,
        bodies=samples // SAMPLES_PER_BODY,
        connections=16,
        message=MESSAGE,
        first_t_us=way.t_us,
        step_us=STEP_US,
    )
    # Twice as far as the mean: the connections' shares of bodies and sensors are not all alike.
    way.t_us += 2 * samples // SENSORS * STEP_US
    return await send(plan, await Client.prepare(rig, "bench.http_load", plan), rig, database)
