"""Whether the memory of our processes stays flat."""

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
import psutil

from tests.chaos.stage import Stage

SAMPLE_S: Final = 1.0
WARM_S: Final = 60.0
WORTH_S: Final = 60.0
MIB: Final = 1 << 20


class Slope(NamedTuple):
    """How the memory of one process grew once it was warm."""

    name: str
    pid: int
    mib_a_minute: float
    over_s: float


@dataclass
class Memory:
    """What was measured: (seconds since the beginning, MiB) by name and pid."""

    measured: dict[tuple[str, int], list[tuple[float, float]]] = field(default_factory=dict)

    async def watch(self, stage: Stage) -> None:
        """Measure every process of ours until cancelled."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        while True:
            for name, program in stage.programs.items():
                pid = program.pid
                if pid is not None:
                    with contextlib.suppress(psutil.NoSuchProcess):
                        size = psutil.Process(pid).memory_info().rss / MIB
                        self.measured.setdefault((name, pid), []).append((loop.time() - began, size))
            await asyncio.sleep(SAMPLE_S)

    @property
    def highest(self) -> dict[str, float]:
        """The most memory (MiB) that each part ever had."""
        found: dict[str, float] = {}
        for (name, _), samples in self.measured.items():
            found[name] = max(found.get(name, 0.0), *(size for _, size in samples))
        return found

    def slopes(self, from_s: float = 0.0) -> Iterator[Slope]:
        """Fit a line through what each process had from `from_s` on and after a first minute, where that is enough."""
        for (name, pid), samples in self.measured.items():
            t, size = np.array(samples).T
            warm = t >= max(from_s, t[0] + WARM_S)
            if warm.sum() > 2 and (span_s := float(np.ptp(t[warm]))) >= WORTH_S:
                slope = float(np.polyfit(t[warm], size[warm], 1)[0]) * 60
                yield Slope(name, pid, slope, span_s)
