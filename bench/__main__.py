"""Runs the benchmarks, or those named: `python -m bench [NAME…]`, or `make bench ONLY=name`."""

import asyncio
import os
import sys
import time
import traceback
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import NamedTuple

from bench import figures
from bench.figures import Better, Figure
from bench.ingest import UNIT, Load
from bench.ingest import measure as measure_ingest
from bench.rig import ROOT

CORES = 2
TIMEOUT_S = 300.0
RESULT = ROOT / "var" / "bench.json"


class Benchmark(NamedTuple):
    """Something to measure, and how to say that it failed."""

    name: str
    run: Callable[[str, Callable[[str], None]], Awaitable[Figure]]
    unit: str
    floor: float | None
    better: Better


def _ingest(name: str, load: Load) -> Benchmark:
    return Benchmark(name, partial(_run_ingest, load), UNIT, load.floor, "higher")


async def _run_ingest(load: Load, name: str, say: Callable[[str], None]) -> Figure:
    return await measure_ingest(name, load, say)


BENCHMARKS: tuple[Benchmark, ...] = (
    _ingest("ingest-100", Load(100, 200_000, connections=20, floor=0.15)),
    _ingest("ingest-1000", Load(1_000, 800_000, connections=20, floor=0.7)),
    _ingest("ingest-10000", Load(10_000, 2_000_000, connections=8, floor=1.5)),
)


def main(names: Sequence[str]) -> int:
    """Measure, print the table and write `var/bench.json`; 0 when every floor is held, 1 when not, 2 for a wrong name."""
    known = {benchmark.name: benchmark for benchmark in BENCHMARKS}
    if unknown := [name for name in names if name not in known]:
        print(f"✗ no benchmark is called {', '.join(unknown)}; there are: {', '.join(known)}", file=sys.stderr)
        return 2
    _stay_on(CORES)
    found = asyncio.run(_measure([known[name] for name in names] or list(BENCHMARKS)))
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
                found.append(await benchmark.run(benchmark.name, say))
        except Exception:  # noqa: BLE001 - one that fails must not cost the others' figures
            traceback.print_exc()
            found.append(figures.failed(benchmark.name, benchmark.unit, benchmark.floor, benchmark.better))
    return found


def _stay_on(cores: int) -> None:
    """Keep this process and all that it starts on so many cores, so that machines compare."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
