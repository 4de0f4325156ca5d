"""What the terminal shows: one status line while it runs, the counts at the end."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from rich.console import Console
from rich.table import Table

from firmware_sim.device import Counts, Device
from firmware_sim.fleet import Fleet

_PLAIN_EVERY_S = 10.0
_STATUS_EVERY_S = 0.25


def totals(fleet: Fleet) -> Counts:
    """Add up a fleet's counts."""
    counts = [device.counts for device in fleet.devices]
    return Counts(
        made=sum(c.made for c in counts),
        sent=sum(c.sent for c in counts),
        acknowledged=sum(c.acknowledged for c in counts),
        refused=sum(c.refused for c in counts),
    )


def status_line(fleet: Fleet) -> str:
    """Say in one line what was sent and acknowledged, and what keeps packets back."""
    count = totals(fleet)
    line = f"{count.sent:,} sent · {count.acknowledged:,} acknowledged"
    for problem, links in list(fleet.problems.items())[:1]:
        line += f" · {links} of {len(fleet.links)} sensors wait: {problem}"
    return line


@asynccontextmanager
async def telling(console: Console, text: Callable[[], str]) -> AsyncGenerator[None]:
    """Keep a status line up to date while the body runs: in place on a terminal, else a line every 10 s."""

    async def keep_telling() -> None:
        if console.is_terminal:
            with console.status(text()) as status:
                while True:
                    status.update(text())
                    await asyncio.sleep(_STATUS_EVERY_S)
        while True:
            await asyncio.sleep(_PLAIN_EVERY_S)
            console.print(text(), highlight=False)

    task = asyncio.create_task(keep_telling())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)  # the line is gone before anything else is printed


def counts_table(fleet: Fleet, seconds: float) -> Table:
    """Tabulate samples per sensor."""
    devices = fleet.devices
    lost = any(_lost(d) for d in devices)
    table = Table(title=None, box=None, pad_edge=False, header_style="dim")
    table.add_column("Sensor")
    for head in ("Sent", "Acknowledged", *(("Not sent",) if lost else ())):
        table.add_column(head, justify="right")
    for device in devices:
        cells = [f"{device.counts.sent:,}", f"{device.counts.acknowledged:,}"]
        table.add_row(device.identity.name, *cells, *((f"{_lost(device):,}",) if lost else ()))
    count = totals(fleet)
    table.add_section()
    cells = [f"{count.sent:,}", f"{count.acknowledged:,}", *((f"{sum(map(_lost, devices)):,}",) if lost else ())]
    table.add_row(f"{len(devices)} sensors, {seconds:.0f} s", *cells, style="bold")
    return table


def _lost(device: Device) -> int:
    # Made by the device but never on the wire: dropped on purpose, pushed out of a full outbox, or cut off by the end.
    return device.counts.made - device.counts.sent


class Stopwatch:
    """Seconds since it was made."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        """How long ago."""
        return time.monotonic() - self._began
