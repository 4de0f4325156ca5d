"""A whole running system for tests of the firmware: hub, broker and edge agent as programs of their own."""

import asyncio
import contextlib
import os
from pathlib import Path

import aiohttp
import numpy as np
import redis

from dev.ports import free_port
from dev.process import tail, until
from dev.seed import Seeded, seed
from dev.supervisor import Program
from firmware_sim.settings import DEMO_EMAIL, DEMO_PASSWORD, Settings
from firmware_sim.stage import Target
from tests.services import TestServers


class System:
    """Everything between a device and an export, seeded with the demo."""

    def __init__(self, folder: Path, database_url: str, redis_url: str) -> None:
        self.folder = folder
        self.data_dir = folder / "data"
        self.mqtt_port, http_port = free_port(), free_port()
        self.settings = Settings(_env_file=None, data_dir=self.data_dir, http_port=http_port, mqtt_port=self.mqtt_port)
        self.database_url = database_url
        self.env = {
            **{name: value for name, value in os.environ.items() if not name.startswith("ETP_")},
            "ETP_DATA_DIR": str(self.data_dir),
            "ETP_HTTP_PORT": str(http_port),
            "ETP_MQTT_PORT": str(self.mqtt_port),
            "ETP_DATABASE_URL": database_url,
            "ETP_REDIS_URL": redis_url,
            "PYTHONUNBUFFERED": "1",
        }
        self._programs: list[Program] = []

    @property
    def target(self) -> Target:
        """Where the firmware finds the system."""
        return Target(self.settings.hub, "127.0.0.1", self.mqtt_port, self.data_dir, DEMO_EMAIL, DEMO_PASSWORD)

    async def start(self) -> Seeded:
        """Start hub and broker, seed the demo, start its edge agent."""
        self.data_dir.mkdir(parents=True)
        await self._start(["cli", "hub"])
        await self._start(["cli", "broker"])
        await self._ready()
        seeded = await self.seed()
        await self._start(
            ["cli", "edge"],
            ETP_EDGE_AGENT_ID=str(seeded.agent_id),
            ETP_EDGE_TOKEN_FILE=str(seeded.agent_token_file),
        )
        return seeded

    async def seed(self) -> Seeded:
        """Seed the demo."""
        return await seed(self.settings, self.database_url)

    async def stop(self) -> None:
        """End all programs."""
        for program in reversed(self._programs):
            await program.stop()

    async def demo_sensor(self, *arguments: str) -> Program:
        """Start `demo-sensor` with these arguments; its output goes to its log."""
        return await self._start(["firmware_sim", *arguments])

    async def _start(self, arguments: list[str], **more: str) -> Program:
        log = self.folder / f"{'-'.join(arguments[:2]).replace('.', '-')}-{len(self._programs)}.log"
        program = Program(arguments, self.env | more, log)
        await program.start()
        self._programs.append(program)
        return program

    async def _ready(self) -> None:
        async with asyncio.timeout(60), aiohttp.ClientSession() as session:
            while not await _answers(session, f"{self.settings.hub}/readyz") or not await _listens(self.mqtt_port):
                for program in self._programs:
                    assert program.returncode is None, tail(program.log)
                await asyncio.sleep(0.05)


async def _answers(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(url) as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False


async def _listens(port: int) -> bool:
    with contextlib.suppress(OSError):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()
        return True
    return False


async def empty_stream(servers: TestServers) -> str:
    """Return the URL of a Valkey without any key."""
    url = (await servers.stream("valkey")).url
    with redis.Redis.from_url(url) as client:
        client.flushall()
    return url


__all__ = ["System", "empty_stream", "until"]


def bench_file(folder: Path) -> Path:
    """Eight numeric columns and a label, a step back and repeated times with other values, a gap, an empty cell."""
    rng = np.random.default_rng(11)
    seconds = [*range(60), *range(50, 90), *range(96, 126)]
    names = ["accel 1", "accel 2", "current", "pressure", "temperature", "thermocouple", "voltage", "flow"]
    lines = [";".join(["datetime", *names, "anomaly"])]
    for i, s in enumerate(seconds):
        cells = [repr(float(v)) for v in rng.standard_normal(8) * 10.0 ** rng.integers(-8, 9, 8)]
        cells[0] = "" if i == 70 else cells[0]
        lines.append(";".join([f"2020-03-09 10:{14 + s // 60}:{s % 60:02}", *cells, "1.0" if s > 80 else "0.0"]))
    path = folder / "bench.csv"
    path.write_text("\n".join(lines) + "\n")
    return path
