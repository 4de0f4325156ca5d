"""Runs the benchmarks, or those named: `python -m bench [NAME…]`, or `make bench ONLY=name`."""

import asyncio
import os
import sys
import time
import traceback
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import NamedTuple

import psutil
import uvloop

from bench import access, backfill, edge, figures, ingest, late, latency, reading, storage
from bench.figures import Better, Figure
from bench.ingest import Load
from bench.latency import Path
from bench.rig import ROOT

CORES = 2
BUSY_PERCENT = 15.0
TIMEOUT_S = 300.0
RESULT = ROOT / "var" / "bench.json"

Say = Callable[[str], None]


class Benchmark(NamedTuple):
    """Something to measure, and how to say that it failed."""

    name: str
    run: Callable[[Say], Awaitable[Figure]]
    unit: str
    floor: float | None
    better: Better


def _ingest(name: str, load: Load) -> Benchmark:
    async def run(say: Say) -> Figure:
        return await ingest.measure(name, load, say)

    return Benchmark(name, run, ingest.UNIT, load.floor, "higher")


def _latency(name: str, path: Path) -> Benchmark:
    async def run(say: Say) -> Figure:
        return await latency.measure(name, path, say)

    return Benchmark(name, run, path.unit, path.limit_ms, "lower")


def _bounded(
    name: str, run: Callable[[str, float, Say], Awaitable[Figure]], unit: str, bound: float, better: Better = "lower"
) -> Benchmark:
    async def measure(say: Say) -> Figure:
        return await run(name, bound, say)

    return Benchmark(name, measure, unit, bound, better)


BENCHMARKS: tuple[Benchmark, ...] = (
    _ingest("ingest-100", Load(100, 400_000, connections=32, floor=0.2)),
    _ingest("ingest-1000", Load(1_000, 1_200_000, connections=24, floor=1.0)),
    _ingest("ingest-10000", Load(10_000, 3_000_000, connections=8, floor=2.0)),
    _latency("http-to-websocket", Path("http", limit_ms=150.0)),
    _latency("mqtt-to-websocket", Path("mqtt", limit_ms=250.0)),
    _latency("http-to-200-viewers", Path("http", limit_ms=20.0, percentile=95, viewers=200, quick=4)),
    _bounded("late", late.measure, ingest.UNIT, 0.7, "higher"),
    _bounded("read-binary", reading.measure_binary, reading.UNIT, 0.3),
    Benchmark("read-json", partial(reading.measure_json, "read-json"), reading.UNIT, None, "lower"),
    _bounded("access", access.measure, access.UNIT, 0.25),
    _bounded("storage-sealed", storage.measure_sealed, storage.UNIT, 20.0),
    _bounded("storage-recent-1hz", storage.measure_recent, storage.UNIT, 40.0),
    _bounded("edge-rate", edge.measure_rate, edge.RATE_UNIT, 0.5, "higher"),
    _bounded("edge-memory", edge.measure_memory, edge.MEMORY_UNIT, 120.0),
    Benchmark("backfill", backfill.measure, backfill.UNIT, backfill.FLOOR, "higher"),
)


def main(names: Sequence[str]) -> int:
    """Measure, print the table, write `var/bench.json`; 0 when every floor is held, 1 when not, 2 for no such name."""
    known = {benchmark.name: benchmark for benchmark in BENCHMARKS}
    if unknown := [name for name in names if name not in known]:
        print(f"✗ no benchmark is called {', '.join(unknown)}; there are: {', '.join(known)}", file=sys.stderr)
        return 2
    _prepare_machine()
    found = uvloop.run(_measure([known[name] for name in names] or list(BENCHMARKS)))
    figures.write(found, RESULT)
    print(f"\n{figures.table(found)}\n\n{RESULT.relative_to(ROOT)} holds the same as JSON", flush=True)
    return 0 if all(figure.held for figure in found) else 1


async def _measure(chosen: Sequence[Benchmark]) -> list[Figure]:
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"· {time.monotonic() - began:4.0f} s  {text}", flush=True)

    found: list[Figure] = []
    for benchmark in chosen:
        try:
            async with asyncio.timeout(TIMEOUT_S):
                found.append(await benchmark.run(say))
        except Exception:  # noqa: BLE001 - one that fails must not cost the others' figures
            traceback.print_exc()
            found.append(figures.failed(benchmark.name, benchmark.unit, benchmark.floor, benchmark.better))
    return found


def _prepare_machine() -> None:
    """Keep this process and all that it starts on two cores, so that machines compare, and say when others use them."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    busy = psutil.cpu_percent(interval=1.0)
    if busy > BUSY_PERCENT:
        print(f"· other programs use {busy:.0f} % of this machine: the figures are worse than it can do", flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
