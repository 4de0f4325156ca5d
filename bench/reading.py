"""How long 40,000 samples of one sensor take over HTTP, raw and physical, against psql reading the same from rows."""

import asyncio
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

import asyncpg

from bench.ceiling import RowCopy
from bench.client import Client
from bench.figures import Figure, of_ratios
from bench.http import Connection, get
from bench.http_load import Plan, Report
from bench.ingest import stored
from bench.rig import Bench, Rig
from contract import frames
from dev.postgres import bin_dir

UNIT: Final = "ms"
AGAINST: Final = "psql -c 'select … order by ts', from rows with btree (sensor, ts)"
SENSORS: Final = 200
SAMPLES: Final = 40_000
MESSAGE: Final = 25
STEP_US: Final = 1000
ROUNDS: Final = 7
SENSORS_A_ROUND: Final = 5
PSQL_TIMEOUT_S: Final = 60.0

Say = Callable[[str], None]


async def measure_json(name: str, say: Say) -> Figure:
    """Read as JSON columns, which scripts ask for."""
    return await _measure(name, None, say, "application/json")


async def measure_binary(name: str, limit: float, say: Say) -> Figure:
    """Read as the binary frame that the dashboard asks for."""
    return await _measure(name, limit, say, frames.MEDIA_TYPE)


async def _measure(name: str, limit: float | None, say: Say, form: str) -> Figure:
    """Store 200 sensors' samples, all 40,000 long, both ways; then read some, one after the other, each way in turn."""
    async with Rig() as rig:
        await rig.start_hub(("api", "live"), ("writer", "worker"))
        bench = await rig.register(SENSORS)
        database: asyncpg.Connection[asyncpg.Record] = await asyncpg.connect(rig.postgres.url)
        try:
            rows = RowCopy(database, samples=SENSORS * SAMPLES, sensors=SENSORS, message=MESSAGE)
            await rows.prepare()
            await rows.fill()
            await database.execute("vacuum analyze bench_rows")
            first_t_us = time.time_ns() // 1000 - 7_200_000_000
            await _send(rig, database, bench, first_t_us)
            await database.execute("checkpoint")  # neither shall wait for what filling the tables left to be written
        finally:
            await database.close()
        took_ms: list[float] = []
        psql_ms: list[float] = []
        token = await rig.log_in()
        for number in range(ROUNDS + 1):
            sensors = [(number * SENSORS_A_ROUND + place) % SENSORS for place in range(SENSORS_A_ROUND)]
            paths = [_path(bench.sensors[sensor], first_t_us) for sensor in sensors]
            over_http = sum([await _over_http(rig, path, token, form) for path in paths]) / SENSORS_A_ROUND
            by_psql = sum([await _by_psql(rig, sensor) for sensor in sensors]) / SENSORS_A_ROUND
            if number == 0:
                continue  # warming up
            took_ms.append(over_http)
            psql_ms.append(by_psql)
            start_ms = median([await _psql(rig, "select 1", 1) for _ in range(3)])
            say(
                f"{name} {number}/{ROUNDS}: {over_http:.1f} of {by_psql:.1f} ms = {over_http / by_psql:.2f}; "
                f"psql took {start_ms:.1f} ms of that to start and connect"
            )
    return of_ratios(name, took_ms, psql_ms, unit=UNIT, against=AGAINST, floor=limit, better="lower")


async def _send(rig: Rig, database: "asyncpg.Connection[asyncpg.Record]", bench: Bench, first_t_us: int) -> None:
    """Send every sensor's samples over HTTP, message by message, and wait until they are stored."""
    plan = Plan(
        port=rig.http_port,
        token=bench.agent_token,
        sensors=bench.sensors,
        form="columns",
        samples_per_body=10_000,
        bodies=SENSORS * SAMPLES // 10_000,
        connections=8,
        message=MESSAGE,
        first_t_us=first_t_us,
        step_us=STEP_US,
    )
    client = await Client.prepare(rig, "bench.http_load", plan)
    report = await client.go(Report, timeout_s=120.0)
    await stored(rig, database, report.accepted)


def _path(sensor: UUID, first_t_us: int) -> str:
    start = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=first_t_us)
    end = start + timedelta(microseconds=SAMPLES * STEP_US)
    query = urlencode({"values": "raw,physical", "from": start.isoformat(), "to": end.isoformat()})
    return f"/api/v1/sensors/{sensor}/samples?{query}"


async def _over_http(rig: Rig, path: str, token: str, form: str) -> float:
    """Connect, ask for the samples, and return after how many ms the last byte was here."""
    began = time.perf_counter()
    connection = await Connection.to("127.0.0.1", rig.http_port)
    answer = await connection.send(get(path, "127.0.0.1", rig.http_port, token, form))
    took_ms = (time.perf_counter() - began) * 1000
    connection.close()
    if answer.status != 200:
        raise RuntimeError(f"the hub answered {answer.status}: {answer.body[:300].decode(errors='replace')}")
    if form == frames.MEDIA_TYPE:
        (series,) = frames.decode(answer.body).series
        counts = [0 if column is None else len(column) for column in (series.t, series.raw, series.physical)]
    else:
        document = json.loads(answer.body)
        counts = [len(document[name]) for name in ("t", "raw", "physical")]
    if counts != [SAMPLES] * 3:
        raise RuntimeError(f"the answer holds {counts} times, raw and physical values")
    return took_ms


async def _by_psql(rig: Rig, sensor: int) -> float:
    """Let psql print the same from rows."""
    query = f"select ts, raw, physical from bench_rows where sensor_id = {sensor:d} order by ts"  # noqa: S608 - a number of ours
    return await _psql(rig, query, SAMPLES)


async def _psql(rig: Rig, query: str, lines: int) -> float:
    command = [bin_dir() / "psql", "-X", "-A", "-t", "-d", rig.postgres.url, "-c", query]
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(*map(str, command), stdout=asyncio.subprocess.PIPE)
    async with asyncio.timeout(PSQL_TIMEOUT_S):
        printed, _ = await process.communicate()
    took_ms = (time.perf_counter() - began) * 1000
    if process.returncode != 0 or len(printed.splitlines()) != lines:
        raise RuntimeError(f"psql ended with {process.returncode} and {len(printed.splitlines())} lines")
    return took_ms
