"""Posts telemetry as fast as it is acknowledged: `python -m bench.http_load`, a plan on standard input."""

import asyncio
import resource
import sys
import time
from collections import Counter
from typing import Literal
from uuid import UUID

import msgspec
import numpy as np
import orjson
import uvloop

from bench.client import READY
from bench.http import Connection, post

_RETRY_S = 0.05


class Plan(msgspec.Struct):
    """What to send. Each connection sends for its own share of the sensors, in the order of time, body after body."""

    port: int
    token: str
    sensors: list[UUID]
    form: Literal["columns", "rows", "edge"]
    samples_per_body: int
    bodies: int
    connections: int
    message: int
    first_t_us: int
    step_us: int
    host: str = "127.0.0.1"


class Report(msgspec.Struct):
    """What came of it; times are of the system's monotonic clock."""

    accepted: int
    began_s: float
    ended_s: float
    cpu_s: float
    ack_p50_ms: float
    ack_p95_ms: float
    statuses: dict[int, int]


class _Receipt(msgspec.Struct):
    accepted: int


def requests_of(plan: Plan, connection: int) -> list[bytes]:
    """Write all requests of one connection beforehand; every sample of a sensor has a time of its own."""
    sensors = plan.sensors[connection :: plan.connections]
    bodies = len(range(connection, plan.bodies, plan.connections))
    rng = np.random.default_rng(plan.first_t_us % 2**32 + connection)
    per_message = plan.samples_per_body if plan.form == "rows" else min(plan.message, plan.samples_per_body)
    per_body = plan.samples_per_body // per_message
    sent = Counter[UUID]()
    turn = 0
    requests: list[bytes] = []
    for _ in range(bodies):
        series: list[dict[str, object]] = []
        values = np.round(rng.random(plan.samples_per_body) * 10.0, 4)
        for place in range(per_body):
            sensor = sensors[turn % len(sensors)]
            turn += 1
            first = plan.first_t_us + sent[sensor] * plan.step_us
            sent[sensor] += per_message
            t = (first + np.arange(per_message) * plan.step_us) / 1e6
            v = values[place * per_message : (place + 1) * per_message]
            series.append({"sensor_id": str(sensor), "t": t, "v": v})
            if plan.form == "edge":
                series[-1] |= {"p": v * 2.0 + 1.0, "profile_version": 1, "seq": sent[sensor], "boot": "b1"}
        document: dict[str, object] = {"series": series}
        if plan.form == "rows":
            (one,) = series
            pairs = zip(np.asarray(one["t"]).tolist(), np.asarray(one["v"]).tolist(), strict=True)
            document = {"sensor_id": one["sensor_id"], "samples": [{"t": t, "v": v} for t, v in pairs]}
        body = orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)
        requests.append(post("/telemetry", plan.host, plan.port, plan.token, body))
    return requests


async def _send_all(connection: Connection, requests: list[bytes], delays: list[float], seen: Counter[int]) -> int:
    accepted = 0
    for request in requests:
        while True:
            began = time.perf_counter()
            answer = await connection.send(request)
            delays.append(time.perf_counter() - began)
            seen[answer.status] += 1
            if answer.status == 202:
                accepted += msgspec.json.decode(answer.body, type=_Receipt).accepted
                break
            if answer.status not in {429, 503}:
                raise RuntimeError(f"the hub answered {answer.status}: {answer.body[:500].decode(errors='replace')}")
            await asyncio.sleep(_RETRY_S)
    return accepted


async def run(plan: Plan) -> Report:
    """Prepare, wait for the word, send everything and report."""
    requests = [requests_of(plan, connection) for connection in range(plan.connections)]
    connections = [await Connection.to(plan.host, plan.port) for _ in requests]
    print(READY, flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    before = resource.getrusage(resource.RUSAGE_SELF)
    began = time.monotonic()
    delays: list[float] = []
    seen = Counter[int]()
    accepted = await asyncio.gather(
        *(_send_all(connection, mine, delays, seen) for connection, mine in zip(connections, requests, strict=True))
    )
    ended = time.monotonic()
    after = resource.getrusage(resource.RUSAGE_SELF)
    for connection in connections:
        connection.close()
    return Report(
        accepted=sum(accepted),
        began_s=began,
        ended_s=ended,
        cpu_s=after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime,
        ack_p50_ms=float(np.percentile(delays, 50)) * 1000,
        ack_p95_ms=float(np.percentile(delays, 95)) * 1000,
        statuses=dict(seen),
    )


if __name__ == "__main__":
    report = uvloop.run(run(msgspec.json.decode(sys.stdin.readline(), type=Plan)))
    print(msgspec.json.encode(report).decode(), flush=True)
