"""The system under test: real servers and programs in processes of their own, on fresh data and free ports."""

import asyncio
import contextlib
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import UUID

import aiohttp
import psutil

from dev.ports import free_port
from dev.postgres import Postgres
from dev.process import Child, FolderInUse, FolderLock, ServerFailed, spawn, tail
from dev.valkey import Valkey
from firmware_sim.hub_api import connected
from firmware_sim.hub_shapes import Agent, NewSensor, Sensor

ROOT = Path(__file__).resolve().parent.parent
EMAIL, PASSWORD, PROJECT = "bench@example.com", "brass gauge under a green lamp", "bench"
READY_TIMEOUT_S = 60.0
_STOP = ((signal.SIGTERM, 15.0),)
_LINEAR = {"kind": "linear", "slope": 2.0, "intercept": 1.0}
_NO_LIMIT = {"samples_per_s": 1e9}  # what the hub can take is measured, not what it lets one token send


@dataclass(frozen=True)
class Bench:
    """A project with sensors and an edge agent that may send for all of them."""

    sensors: list[UUID]
    sensor_tokens: list[str]
    agent_id: UUID
    agent_token: str


class Rig:
    """PostgreSQL and Valkey with fsync on every commit, and the programs that a benchmark starts on them.

    The data lie in the checkout's `var`, since a temporary folder may be in memory, where fsync costs nothing.
    """

    def __init__(self) -> None:
        place = ROOT / "var" / "bench"
        place.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(place)
        self.folder = Path(tempfile.mkdtemp(prefix="rig-", dir=place))
        self._lock = FolderLock(self.folder / "rig.lock")
        self._lock.acquire()
        self.postgres = Postgres(self.folder / "postgres")
        self.valkey = Valkey(self.folder / "valkey", fsync="always")
        self.programs: dict[str, Child] = {}
        self.http_port = free_port()
        self.mqtt_port = free_port()

    @property
    def hub_url(self) -> str:
        """The address of the hub that takes samples."""
        return f"http://127.0.0.1:{self.http_port}"

    async def __aenter__(self) -> Self:
        try:
            await self.postgres.start()
            await self.valkey.start()
            await self.finish("migrate", ["cli", "migrate"])
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._end()

    async def start_hub(self, *roles: Sequence[str]) -> None:
        """Start one hub process for each group of roles; the first takes samples at `hub_url`."""
        for group in roles:
            port = self.http_port if "api" in group else free_port()
            name = "hub" if len(roles) == 1 else group[0]
            self.start(name, ["cli", "hub", "--roles", ",".join(group)], {"ETP_HTTP_PORT": str(port)})
            await self._ready(name, f"http://127.0.0.1:{port}/readyz")

    def start(self, name: str, arguments: Sequence[str], more: Mapping[str, str] | None = None) -> Child:
        """Start one of the project's programs; its output goes to a log in the rig's folder."""
        child = spawn(
            [sys.executable, "-m", *arguments],
            death_signal=signal.SIGTERM,
            cwd=self.folder,  # a .env file of the checkout is not for benchmarks
            env=self.environment() | dict(more or {}),
            log=self._log(name),
        )
        self.programs[name] = child
        return child

    async def finish(self, name: str, arguments: Sequence[str], more: Mapping[str, str] | None = None) -> None:
        """Run one of the project's programs to its end."""
        child = self.start(name, arguments, more)
        await child.gone()
        del self.programs[name]
        if child.returncode != 0:
            raise ServerFailed(f"{name} ended with {child.returncode}:\n{tail(self._log(name))}")

    async def stop(self, name: str) -> None:
        """End one of the project's programs."""
        await self.programs.pop(name).stop(*_STOP)

    def environment(self) -> dict[str, str]:
        """Return the environment of every program; no setting of the caller reaches it."""
        own = {name: value for name, value in os.environ.items() if not name.startswith("ETP_")}
        return own | {
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "ETP_DATA_DIR": str(self.folder),
            "ETP_DATABASE_URL": self.postgres.url,
            "ETP_REDIS_URL": self.valkey.url,
            "ETP_STREAM_FSYNC": "always",
            "ETP_HTTP_PORT": str(self.http_port),
            "ETP_MQTT_PORT": str(self.mqtt_port),
            "ETP_HUB_URL": self.hub_url,
            "ETP_MQTT_URL": f"mqtt://127.0.0.1:{self.mqtt_port}",
        }

    async def register(self, sensors: int) -> Bench:
        """Create an owner, a project, sensors with a linear profile and a default edge agent."""
        owner = ["cli", "admin", "create-owner", EMAIL, "--project", PROJECT]
        await self.finish("owner", owner, {"ETP_OWNER_PASSWORD": PASSWORD})
        async with connected(self.hub_url, EMAIL, PASSWORD) as hub:
            project = await hub.project(PROJECT)
            made: list[UUID] = []
            tokens = [f"etps_bench_{os.urandom(24).hex()}" for _ in range(sensors)]
            for number, token in enumerate(tokens):
                new = NewSensor(f"sensor {number}", "voltage", "V", "V", profile=_LINEAR, token=token, limits=_NO_LIMIT)
                made.append((await hub.post(f"/projects/{project.id}/sensors", new, Sensor)).id)
            agent = await hub.post(
                f"/projects/{project.id}/edge-agents",
                {"name": "bench edge", "default": True, "limits": _NO_LIMIT},
                Agent,
            )
        return Bench(made, tokens, agent.id, agent.token or "")

    async def log_in(self) -> str:
        """Return an access token of the owner."""
        login, body = f"{self.hub_url}/api/v1/auth/login", {"email": EMAIL, "password": PASSWORD}
        async with aiohttp.ClientSession() as session, session.post(login, json=body) as answer:
            return (await answer.json())["access_token"]

    def cpu_s(self) -> dict[str, float]:
        """Return the CPU seconds that each program and server has used so far, children included."""
        pids = {name: child.pid for name, child in self.programs.items()}
        pids |= {"Valkey": self.valkey.pid or 0, "PostgreSQL": self.postgres.pid or 0}
        return {name: _cpu_s(pid) for name, pid in pids.items()}

    def check_alive(self) -> None:
        """Raise ServerFailed when a program has ended by itself."""
        for name, child in self.programs.items():
            if child.returncode is not None:
                raise ServerFailed(f"{name} ended with {child.returncode}:\n{tail(self._log(name))}")

    async def _ready(self, name: str, url: str) -> None:
        async with asyncio.timeout(READY_TIMEOUT_S), aiohttp.ClientSession() as session:
            while True:
                self.check_alive()
                try:
                    async with session.get(url) as answer:
                        if answer.status == 200:
                            return
                except aiohttp.ClientError:
                    pass
                await asyncio.sleep(0.05)

    def _log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    async def _end(self) -> None:
        for child in reversed(self.programs.values()):
            await child.stop(*_STOP)
        self.programs.clear()
        await self.valkey.stop()
        await self.postgres.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
        self._lock.release()


def _remove_leftovers(place: Path) -> None:
    """Remove the data of rigs that were killed; whoever still runs holds its lock."""
    for folder in place.glob("rig-*"):
        lock = FolderLock(folder / "rig.lock")
        with contextlib.suppress(FolderInUse):
            lock.acquire()
            shutil.rmtree(folder, ignore_errors=True)
            lock.release()


def _cpu_s(pid: int) -> float:
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0.0
    total = 0.0
    for member in family:
        try:
            times = member.cpu_times()
        except psutil.NoSuchProcess:
            continue
        # Time of children that have ended by now is in their parent's children times.
        total += times.user + times.system + times.children_user + times.children_system
    return total
