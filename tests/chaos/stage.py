"""The whole platform with a gate between any two parts, and the faults that are played on it."""

import asyncio
import re
import signal
import time
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, NamedTuple

import psutil

from dev.ports import free_port
from dev.process import tail
from dev.supervisor import Server
from firmware_sim.hub_shapes import Agent
from tests.acceptance.gate import Gate
from tests.acceptance.journal import say
from tests.acceptance.system import System
from tests.chaos.brokers import KINDS, Deployed, Kind
from tests.chaos.plan import LINKS, Fault

WRITERS: Final = ("writer a", "writer b")
APIS: Final = ("api", "api b")
SHARDS: Final = 2


class Death(NamedTuple):
    """When a part was killed, and when it was about to start again: what it said until then was said before it died."""

    at_s: float
    until_s: float


class Stage(System):
    """Two apis, two writers, a worker, an edge agent, a broker and both servers."""

    def __init__(self, folder: Path, broker: Kind) -> None:
        super().__init__(folder, over_tcp=True, ETP_STREAM_SHARDS=str(SHARDS))
        self.gates: dict[str, Gate] = {}
        self.deaths: defaultdict[str, list[Death]] = defaultdict(list)
        self._busy: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self.broker = KINDS[broker](folder / "mosquitto", self.mqtt_port) if broker != "embedded" else None
        self._gate_ports = {link: free_port() for link in LINKS}

    def links_of(self, roles: str) -> dict[str, str]:
        """Lead hubs to their servers through gates."""
        who = "writer" if roles == "writer" else "api"
        # One process keeps the broker's accounts: two would undo each other's work.
        keeps = roles == "worker" and isinstance(self.broker, Deployed)
        return ({"ETP_MOSQUITTO_DIR": str(self.folder / "mosquitto")} if keeps else {}) | {
            "ETP_DATABASE_URL": self._through(f"{who} to postgres", self.postgres.url),
            "ETP_REDIS_URL": self._through(f"{who} to valkey", self.valkey.url),
        }

    def _through(self, link: str, url: str) -> str:
        return re.sub(r":\d+/", f":{self._gate_ports[link]}/", url)

    async def begin(self) -> None:
        """Start everything but the edge agent, and open all gates."""
        targets = self._targets()
        for link, target in targets.items():
            self.gates[link] = Gate(self._gate_ports[link], target)
            await self.gates[link].open()
        if self.broker is not None:
            await self.broker.start()
        await self.start(WRITERS, APIS)
        await self.start_hub("worker", "worker", free_port())
        if self.broker is None:
            await self.start_broker()

    async def begin_edge(self, agent: Agent) -> None:
        """Start the edge agent behind its gates."""
        ports = self._gate_ports
        await self.start_edge(
            agent,
            ETP_HUB_URL=f"http://127.0.0.1:{ports['edge to hub']}",
            ETP_MQTT_URL=f"mqtt://127.0.0.1:{ports['edge to broker']}",
            ETP_EDGE_REQUEST_TIMEOUT_S="5",
        )

    @property
    def device_hubs(self) -> list[str]:
        """Where devices post."""
        return [f"http://127.0.0.1:{self._gate_ports[f'devices to {api}']}" for api in APIS]

    @property
    def device_broker(self) -> int:
        """The port at which devices find the broker."""
        return self._gate_ports["devices to broker"]

    def part(self, name: str) -> Server:
        """Return a part by its name."""
        return self.broker if name == "broker" and self.broker is not None else super().part(name)

    async def play(self, faults: Iterable[Fault]) -> None:
        """Let faults happen at their times, and return when the last has passed."""
        began = asyncio.get_running_loop().time()
        async with asyncio.TaskGroup() as group:
            for fault in faults:
                await asyncio.sleep(max(0.0, began + fault.at_s - asyncio.get_running_loop().time()))
                group.create_task(self._happen(fault))

    async def _happen(self, fault: Fault) -> None:
        # A part that still starts, after the last fault, is left to.
        async with self._busy[fault.part]:
            say(str(fault))
            await self._do(fault)

    async def _do(self, fault: Fault) -> None:
        match fault.kind:
            case "kill":
                await self.kill(fault.part)
                died_at_s = time.monotonic()
                await asyncio.sleep(fault.for_s)
                self.deaths[fault.part].append(Death(died_at_s, time.monotonic()))
                await self.again(fault.part)
            case "pause":
                stopped = self._signal(fault.part, signal.SIGSTOP)
                await asyncio.sleep(fault.for_s)
                for process in stopped:
                    process.send_signal(signal.SIGCONT)
            case "cut":
                await self.gates[fault.part].shut()
                await asyncio.sleep(fault.for_s)
                await self.gates[fault.part].open()
            case "hold":
                self.gates[fault.part].hold()
                await asyncio.sleep(fault.for_s)
                await self.gates[fault.part].open()
            case "away":
                await self.postgres.stop()
                await asyncio.sleep(fault.for_s)
                await self.postgres.start()

    def _signal(self, part: str, number: signal.Signals) -> list[psutil.Process]:
        """Stop a part and its child processes: a server's backends would go on without their parent."""
        pid = self.part(part).pid
        assert pid is not None, f"{part} does not run:\n{tail(self.part(part).log)}"
        parent = psutil.Process(pid)
        family = [parent, *parent.children(recursive=True)]
        for process in family:
            process.send_signal(number)
        return family

    async def end(self) -> None:
        """Shut the gates and end everything."""
        await self.stop()
        if self.broker is not None:
            await self.broker.stop()
        for gate in self.gates.values():
            await gate.shut()

    def _targets(self) -> dict[str, Any]:
        ports = dict(zip(APIS, self.http_ports, strict=True))
        servers = dict(zip(("postgres", "valkey"), self.server_ports, strict=True))
        named = {"broker": self.mqtt_port, "hub": ports["api"], **ports, **servers}
        return {link: named[link.partition(" to ")[2]] for link in LINKS}
