"""One run: load over MQTT and HTTP, a plan of faults, and the account that is given at the end."""

import asyncio
import contextlib
import sqlite3
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.acceptance.journal import Journal, say
from tests.acceptance.load import Gateway, Stream, over_broker, over_http
from tests.acceptance.system import LINEAR, Bench, eventually
from tests.chaos.brokers import Kind
from tests.chaos.memory import Memory
from tests.chaos.plan import Plan
from tests.chaos.stage import Stage
from tests.chaos.verify import Found, verify

SETTLE_S: Final = 180.0
STILL_S: Final = 5.0  # longer than any part waits before it tries again


@dataclass(frozen=True)
class Load:
    """How many sensors send over each way, 25 samples/s each, and how many gateways post for them."""

    over_http: int
    over_mqtt: int
    gateways: int
    broker: Kind = "mosquitto"


@dataclass
class Outcome:
    """What came of it."""

    http: Found
    mqtt: Found
    refusals: Counter[Any]
    memory: Memory
    took_s: float
    dead: int
    left_in_spool: int
    faults: int

    @property
    def problems(self) -> list[str]:
        """Everything that is not as it should be."""
        told = [*self.http.problems, *self.mqtt.problems]
        told += ["the order of a sensor was not kept"] * bool(self.http.late or self.mqtt.late)
        told += [f"{self.dead} entries could not be stored"] * bool(self.dead)
        told += [f"{self.left_in_spool} entries are left in the spool"] * bool(self.left_in_spool)
        return told

    def report(self) -> str:
        """Tell it in words."""
        lines = [
            f"{self.faults} faults in {self.took_s:.0f} s; refusals that senders met: {dict(self.refusals)}",
            f"HTTP: {self.http}",
            f"MQTT: {self.mqtt}, {self.mqtt.lost_by_the_broker} packets died with the broker",
            "most memory (MiB): " + ", ".join(f"{name} {mib:.0f}" for name, mib in sorted(self.memory.highest.items())),
        ]
        lines += [f"PROBLEM {problem}" for problem in self.problems] or ["every ledger closes"]
        return "\n".join(lines)


async def chaos(folder: Path, plan: Plan, load: Load) -> Outcome:
    """Play a plan, and look what is there when everything has settled."""
    stage, memory, began = Stage(folder, load.broker), Memory(), time.monotonic()
    http, mqtt = Journal(), Journal()
    faults = plan.faults()
    try:
        await stage.begin()
        first, second = await asyncio.gather(
            stage.bench("http", load.over_http, LINEAR), stage.bench("mqtt", load.over_mqtt, LINEAR)
        )
        await stage.begin_edge(second.agent)
        await _edge_hears(stage, second)
        token = first.agent.token or ""
        gateways = [
            Gateway(stage.device_hubs, token, first.ids[i :: load.gateways], http, plan.seed + i, repeats=0.05)
            for i in range(load.gateways)
        ]
        streams = [Stream(sensor, mqtt, plan.seed + i) for i, sensor in enumerate(second.sensors)]
        async with AsyncExitStack() as running:
            await running.enter_async_context(_measured(memory, stage))
            await running.enter_async_context(over_http(gateways, timeout_s=10.0))
            await running.enter_async_context(over_broker(streams, stage.device_broker, every_s=0.5))
            say(f"load begins, seed {plan.seed}")
            await stage.play(faults)
            say("no more faults")
            await asyncio.sleep(max(0.0, plan.duration_s - faults[-1].at_s - faults[-1].for_s))
        say("load ended")
        await _settled(stage)
        ledgers = await stage.ledgers([*first.ids, *second.ids])
        return Outcome(
            http=await verify(stage.postgres.url, http, ledgers, ()),
            mqtt=await verify(stage.postgres.url, mqtt, ledgers, stage.deaths["broker"]),
            refusals=sum((Counter(gateway.refusals) for gateway in gateways), Counter[Any]()),
            memory=memory,
            took_s=time.monotonic() - began,
            dead=(await stage.fetch("select count(*) from stream_dead"))[0][0],
            left_in_spool=_left(folder),
            faults=len(faults),
        )
    finally:
        await stage.end()


async def _edge_hears(stage: Stage, bench: Bench) -> None:
    """Publish until something arrives: a broker keeps nothing for an edge agent that it does not know yet."""
    (sensor,) = await stage.register(bench.project_id, "first", 1)
    stream = Stream(sensor, Journal(), 0)
    async with over_broker([stream], stage.device_broker, streaming=False):

        async def arrived() -> bool:
            await stream.publish(*stream.grid.due())
            await asyncio.sleep(0.2)
            return await stage.stored_count() > 0

        await eventually(arrived, 60)


@asynccontextmanager
async def _measured(memory: Memory, stage: Stage) -> AsyncIterator[None]:
    watching = asyncio.create_task(memory.watch(stage))
    try:
        yield
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def _settled(stage: Stage) -> None:
    """Wait until nothing comes any more, from broker, spool and stream."""
    loop = asyncio.get_running_loop()
    count, since = 0, loop.time()

    async def still() -> bool:
        nonlocal count, since
        if (now := await stage.stored_count()) != count:
            count, since = now, loop.time()
        return loop.time() > since + STILL_S

    with contextlib.suppress(TimeoutError):  # what is missing then is told by the account
        await eventually(still, SETTLE_S)
    await stage.programs["edge"].stop()
    await stage.drained(SETTLE_S)


def _left(folder: Path) -> int:
    with contextlib.closing(sqlite3.connect(folder / "data" / "edge" / "spool.sqlite", timeout=30)) as spool:
        return sum(spool.execute(f"select count(*) from {table}").fetchone()[0] for table in ("entry", "refused"))
