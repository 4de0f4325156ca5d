"""`make run` without the set-up: the whole system as its user meets it, violent ends included."""

import asyncio
import contextlib
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import psutil
import pytest

from dev.demo import PROJECT
from dev.ports import free_port
from dev.process import Child, spawn, until
from firmware_sim.hub_api import connected
from firmware_sim.settings import DEMO_PASSWORD

START_S = 120
PARTS = ("postgres", "valkey-server", "hub", "broker", "edge", "firmware_sim")


@dataclass
class System:
    """One data folder with its ports, on which the system is run again and again."""

    folder: Path
    http_port: int = field(default_factory=free_port)
    mqtt_port: int = field(default_factory=free_port)
    runs: list[Child] = field(default_factory=list[Child])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def output(self) -> str:
        return (self.folder / f"out-{len(self.runs)}.txt").read_text()

    def run(self, command: Sequence[str] = (sys.executable, "-m", "dev.up"), **env: str) -> Child:
        (self.folder / "dist").mkdir(exist_ok=True)
        (self.folder / "dist" / "index.html").write_text("<!doctype html><title>dashboard</title>")
        log = self.folder / f"out-{len(self.runs) + 1}.txt"
        settings = {
            "ETP_DATA_DIR": str(self.folder / "var"),
            "ETP_HTTP_PORT": str(self.http_port),
            "ETP_MQTT_PORT": str(self.mqtt_port),
            "ETP_FRONTEND_DIR": str(self.folder / "dist"),
        }
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("ETP_", "MAKE"))}
        child = spawn(command, env=inherited | settings | env, log=log, death_signal=signal.SIGTERM)
        self.runs.append(child)
        return child

    async def ready(self, **env: str) -> Child:
        child = self.run(**env)
        assert await until(lambda: child.returncode is not None or "Ctrl-C ends it" in self.output, START_S)
        assert child.returncode is None, self.output
        return child

    def parts(self) -> dict[str, int]:
        """Find the pid of each part that runs now."""
        found: dict[str, int] = {}
        for process in psutil.Process(self.runs[-1].pid).children():
            with contextlib.suppress(psutil.NoSuchProcess):  # it ended meanwhile
                words = " ".join([process.name(), *process.cmdline()])
                found |= {p: process.pid for p in PARTS if words.startswith(p) or re.search(f"-m (cli )?{p}\\b", words)}
        return found

    async def is_ready(self) -> bool:
        try:
            async with aiohttp.ClientSession() as session, session.get(f"{self.url}/readyz") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    async def owner_sees(self) -> tuple[int, int]:
        """Return how many samples the first sensor's ledger has stored, and how many captures the project holds."""
        async with connected(self.url, "owner@example.com", DEMO_PASSWORD) as hub:
            project = await hub.project(PROJECT)
            ledger = await hub.sensor_ledger((await hub.sensors(project.id))[0].id)
            assert ledger.received == ledger.stored + ledger.duplicates + ledger.rejected + ledger.pending
            return ledger.stored, len(await hub.sensors(project.id))


@pytest.fixture
async def system(tmp_path: Path) -> AsyncIterator[System]:
    made = System(tmp_path)
    yield made
    for child in made.runs:
        await child.stop((signal.SIGTERM, 60))


async def eventually(condition: Callable[[], object], timeout_s: float = 60) -> None:
    async with asyncio.timeout(timeout_s):
        while True:
            outcome = condition()
            if await outcome if asyncio.iscoroutine(outcome) else outcome:
                return
            await asyncio.sleep(0.1)


@pytest.mark.slow
async def test_demo_starts_survives_the_kill_of_each_part_and_of_all_and_finds_its_data_again(system: System):
    up = await system.ready()
    assert f"{system.url}\n" in system.output
    for login in ("owner@example.com", "editor@example.com", "viewer@example.com"):
        assert f"log in as {login}, password {DEMO_PASSWORD}" in system.output
    assert set(system.parts()) == set(PARTS)

    for part in PARTS:
        before = system.parts()[part]
        os.kill(before, signal.SIGKILL)
        await eventually(lambda part=part, before=before: system.parts().get(part, before) != before)
        await eventually(system.is_ready)
    stored, sensors = await system.owner_sees()

    async def more_arrives() -> bool:
        return (await system.owner_sees())[0] > stored

    await eventually(more_arrives)
    stored, _ = await system.owner_sees()

    everything = [up.pid, *system.parts().values()]
    for pid in everything:
        os.kill(pid, signal.SIGKILL)
    await eventually(lambda: not any(map(psutil.pid_exists, everything[1:])))

    up = await system.ready()
    assert (await system.owner_sees())[0] >= stored
    assert (await system.owner_sees())[1] == sensors
    parts = system.parts()
    os.killpg(up.pid, signal.SIGTERM)
    assert await up.gone(60)
    assert up.returncode == 0, system.output
    assert not any(map(psutil.pid_exists, parts.values()))


async def test_second_run_on_the_same_folder_says_so(system: System):
    await system.ready(ETP_DEMO="0")
    assert re.search(r"http://127\.0\.0\.1:\d+/register#etpi_\S+", system.output), system.output
    second = system.run(ETP_DEMO="0")
    assert await second.gone(30)
    assert second.returncode == 1
    assert f"in use by process {system.runs[0].pid}" in system.output
    assert "ETP_DATA_DIR" in system.output
    assert await system.is_ready()


async def test_taken_ports_are_named_with_what_to_change(system: System):
    async with await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", system.http_port):
        up = system.run(ETP_DEMO="0")
        assert await up.gone(30)
    assert up.returncode == 1
    assert f"Port {system.http_port} is taken" in system.output
    assert "ETP_HTTP_PORT=" in system.output
    assert "ETP_MQTT_PORT=" not in system.output


async def test_demo_is_refused_in_production(system: System):
    up = system.run(ETP_ENV="production")
    assert await up.gone(30)
    assert up.returncode == 1
    assert "ETP_DEMO=0" in system.output


async def test_system_ends_with_the_make_that_started_it(system: System):
    makefile = system.folder / "Makefile"
    makefile.write_text(f"run:\n\t@{sys.executable} -m dev.up\n")
    make = system.run(("make", "-f", str(makefile), "run"), ETP_DEMO="0")
    assert await until(lambda: make.returncode is not None or "Ctrl-C ends it" in system.output, START_S)
    assert make.returncode is None, system.output
    (up,) = psutil.Process(make.pid).children()
    family = [up.pid, *(child.pid for child in up.children())]
    os.kill(make.pid, signal.SIGKILL)
    await eventually(lambda: not any(map(psutil.pid_exists, family)))
    assert "everything has ended" in system.output
