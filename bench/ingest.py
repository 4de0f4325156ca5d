"""How many samples a second are acknowledged as durable over HTTP and counted in the table at the end."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import asyncpg

from bench.ceiling import AGAINST, RowCopy
from bench.client import Client
from bench.figures import Figure, of_ratios
from bench.http_load import Plan, Report
from bench.rig import Rig

SENSORS = 200
MESSAGE = 25
UNIT = "samples/s"
_STEP_US = 1000
_STORED_TIMEOUT_S = 120.0

Say = Callable[[str], None]


@dataclass(frozen=True)
class Load:
    """How the samples of one benchmark come: their number, how many a request holds, and in which form.

    `columns` are series of 25 samples, as a gateway sends them; `edge` are those with what an edge agent adds;
    `rows` are samples of one sensor, row by row.
    """

    samples_per_body: int
    samples: int
    connections: int
    floor: float | None
    rounds: int = 5
    form: Literal["columns", "rows", "edge"] = "columns"


async def measure(name: str, load: Load, say: Say) -> Figure:
    """Run rounds of COPY and ingest, one right after the other, and compare them round by round."""
    async with Rig() as rig:
        await rig.start_hub(("api", "live"), ("writer", "worker"))
        database: asyncpg.Connection[asyncpg.Record] = await asyncpg.connect(rig.postgres.url)
        try:
            return await _rounds(name, load, rig, database, say)
        finally:
            await database.close()


async def _rounds(name: str, load: Load, rig: Rig, database: "asyncpg.Connection[asyncpg.Record]", say: Say) -> Figure:
    bench = await rig.register(SENSORS)
    ceiling = RowCopy(database, samples=load.samples, sensors=SENSORS, message=MESSAGE)
    await ceiling.prepare()
    first_t_us = time.time_ns() // 1000 - 7_200_000_000
    rates: list[float] = []
    ceilings: list[float] = []
    for number in range(load.rounds + 1):
        warming_up = number == 0
        bodies = load.samples // load.samples_per_body // (10 if warming_up else 1)
        plan = Plan(
            port=rig.http_port,
            token=bench.agent_token,
            sensors=bench.sensors,
            form=load.form,
            samples_per_body=load.samples_per_body,
            bodies=bodies,
            connections=load.connections,
            message=MESSAGE,
            first_t_us=first_t_us + number * 60_000_000,
            step_us=_STEP_US,
        )
        client = await Client.prepare(rig, "bench.http_load", plan)
        copied = await ceiling.samples_per_s()
        rate, detail = await send(plan, client, rig, database)
        if warming_up:
            continue
        rates.append(rate)
        ceilings.append(copied)
        say(f"{name} {number}/{load.rounds}: {rate:,.0f} of {copied:,.0f} = {rate / copied:.2f}; {detail}")
    return of_ratios(name, rates, ceilings, unit=UNIT, against=AGAINST, floor=load.floor)


async def send(
    plan: Plan, client: Client, rig: Rig, database: "asyncpg.Connection[asyncpg.Record]"
) -> tuple[float, str]:
    """Send everything; the clock stops when the last acknowledged sample is stored."""
    before = await _counted(database)
    booked = await _booked(database)
    cpu = rig.cpu_s()
    report = await client.go(Report, timeout_s=300.0)
    await stored(rig, database, booked + report.accepted)
    ended_s = time.monotonic()
    used = {part: seconds - cpu.get(part, 0.0) for part, seconds in rig.cpu_s().items()}
    used["client"] = report.cpu_s
    counted = await _counted(database) - before
    expected = plan.bodies * plan.samples_per_body
    if not counted == report.accepted == expected:
        raise RuntimeError(f"{expected} samples sent, {report.accepted} acknowledged, {counted} in the table")
    costs = " ".join(f"{part} {seconds / counted * 1e6:.2f}" for part, seconds in used.items())
    refused = {status: count for status, count in report.statuses.items() if status != 202}
    detail = f"µs: {costs}; ack P50 {report.ack_p50_ms:.1f} P95 {report.ack_p95_ms:.1f} ms"
    detail += f", stored {ended_s - report.ended_s:.2f} s later" + (f", refused {refused}" if refused else "")
    return counted / (ended_s - report.began_s), detail


async def stored(rig: Rig, database: "asyncpg.Connection[asyncpg.Record]", samples: int) -> None:
    """Wait until so many samples are booked as stored."""
    async with asyncio.timeout(_STORED_TIMEOUT_S):
        while await _booked(database) < samples:
            rig.check_alive()
            await asyncio.sleep(0.01)


async def _booked(database: "asyncpg.Connection[asyncpg.Record]") -> int:
    return await database.fetchval("select coalesce(sum(stored), 0)::bigint from sensor_ledger")


async def _counted(database: "asyncpg.Connection[asyncpg.Record]") -> int:
    return await database.fetchval("select coalesce(sum(n), 0)::bigint from telemetry_recent")
