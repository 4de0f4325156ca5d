"""A whole platform of real processes on free ports, whose parts are killed, paused and started again one by one."""

import asyncio
import contextlib
import os
import shutil
import signal
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import aiohttp
import asyncpg
import numpy as np
import orjson
import redis.asyncio

from dev.ports import free_port
from dev.postgres import Postgres
from dev.process import tail
from dev.supervisor import Program, Server
from dev.valkey import Valkey
from firmware_sim.device import Identity
from firmware_sim.hub_api import Hub, connected
from firmware_sim.hub_shapes import Agent
from hub.admin import ensure_owner
from hub.settings import Settings
from hub.telemetry.stream import key_of
from tests.acceptance.journal import Sample, samples_of
from tests.services import migrate, program_of

EMAIL, PASSWORD = "owner@example.com", "demo-password"
LINEAR = {"kind": "linear", "slope": 2.0, "intercept": 1.0}
READY_S = 60.0


class System:
    """PostgreSQL, Valkey and our programs by name; `env` are further settings of all of them.

    Bound to no event loop: a module's tests may share a running one.
    """

    def __init__(self, folder: Path, stream_server: str = "valkey", *, over_tcp: bool = False, **env: str) -> None:
        self.folder = folder
        self.server_ports = (free_port(), free_port()) if over_tcp else (None, None)
        self.postgres = Postgres(folder / "postgres", self.server_ports[0])
        self.valkey = Valkey(folder / "valkey", self.server_ports[1], program=program_of(stream_server))
        self.http_ports = [free_port(), free_port()]
        self.http_port, self.mqtt_port = self.http_ports[0], free_port()
        self.hub_url = f"http://127.0.0.1:{self.http_port}"
        self.hub_urls = [self.hub_url]
        self.programs: dict[str, Program] = {}
        self.env = {name: value for name, value in os.environ.items() if not name.startswith("ETP_")} | {
            "ETP_DATA_DIR": str(folder / "data"),
            "ETP_HUB_URL": self.hub_url,
            "ETP_HTTP_PORT": str(self.http_port),
            "ETP_MQTT_PORT": str(self.mqtt_port),
            "PYTHONUNBUFFERED": "1",
            **env,
        }

    async def start(self, writers: Sequence[str] = ("writer",), apis: Sequence[str] = ("api",)) -> None:
        """Start the servers, the hub in its parts, and make the owner; the first of one or two apis works, too."""
        (self.folder / "data").mkdir(parents=True)
        await asyncio.gather(self.postgres.start(), self.valkey.start())
        self.env |= {"ETP_DATABASE_URL": self.postgres.url, "ETP_REDIS_URL": self.valkey.url}
        await migrate(self.postgres.url)
        settings = Settings(
            _env_file=None,
            database_url=self.postgres.url,
            redis_url=self.valkey.url,
            data_dir=self.folder / "data",
        )
        await ensure_owner(settings, email=EMAIL, name="Owner", password=PASSWORD, project="bench")
        ports = self.http_ports[: len(apis)]
        self.hub_urls = [f"http://127.0.0.1:{port}" for port in ports]
        roles = ["api,live,worker", *("api" for _ in apis[1:])]
        await asyncio.gather(
            *(self.start_hub(name, "writer", free_port()) for name in writers),
            *(self.start_hub(*one) for one in zip(apis, roles, ports, strict=True)),
        )

    async def stop(self) -> None:
        """End everything."""
        for name, program in self.programs.items():
            if program.pid is not None:
                self.resume(name)
        await asyncio.gather(*(program.stop() for program in self.programs.values()))
        await asyncio.gather(self.valkey.stop(), self.postgres.stop())

    async def start_hub(self, name: str, roles: str, port: int) -> None:
        """Start a hub with these roles and wait until it is ready."""
        await self.launch(name, ["cli", "hub", "--roles", roles], ETP_HTTP_PORT=str(port), **self.links_of(roles))
        await self.ready(name, port)

    def links_of(self, roles: str) -> dict[str, str]:
        """Return where a hub with these roles finds the servers, when not at their own addresses."""
        return {}

    async def start_broker(self) -> None:
        """Start the broker and wait until it listens."""
        await self.launch("broker", ["cli", "broker"])
        await self.listening("broker", self.mqtt_port)

    async def start_edge(self, agent: Agent, **env: str) -> None:
        """Start the edge agent."""
        token = {"ETP_EDGE_AGENT_ID": str(agent.id), "ETP_EDGE_TOKEN": agent.token or "", "ETP_EDGE_BACKOFF_MAX_S": "2"}
        await self.launch("edge", ["cli", "edge"], **(token | env))

    async def launch(self, name: str, arguments: list[str], **env: str) -> None:
        """Start a program under a name of its own; its output goes to its log."""
        program = Program(arguments, self.env | env, self.folder / f"{name}.log")
        await program.start()
        self.programs[name] = program

    def part(self, name: str) -> Server:
        """Return a part by its name."""
        servers: dict[str, Server] = {"valkey": self.valkey, "postgres": self.postgres}
        return servers.get(name) or self.programs[name]

    def set(self, name: str, **env: str) -> None:
        """Change settings of a program for its next start."""
        old = self.programs[name]
        self.programs[name] = Program(old.arguments, {**old.env, **env}, old.log)

    async def again(self, name: str) -> None:
        """Start a part that was killed."""
        await self.part(name).start()

    async def kill(self, name: str) -> None:
        """Kill a part with SIGKILL."""
        part = self.part(name)
        assert part.pid is not None, f"{name} does not run:\n{tail(part.log)}"
        os.kill(part.pid, signal.SIGKILL)
        await part.gone()

    def pause(self, name: str) -> None:
        """Stop a program with SIGSTOP: it does nothing and does not know it."""
        os.kill(self.programs[name].pid or 0, signal.SIGSTOP)

    def resume(self, name: str) -> None:
        """Let a paused program go on."""
        os.kill(self.programs[name].pid or 0, signal.SIGCONT)

    async def ready(self, name: str, port: int) -> None:
        """Wait until a hub says that its parts work."""
        async with aiohttp.ClientSession() as session:
            await eventually(lambda: self._answers(name, session, f"http://127.0.0.1:{port}/readyz"), READY_S)

    async def listening(self, name: str, port: int) -> None:
        """Wait until a program listens."""
        await eventually(lambda: self._listens(name, port), READY_S)

    async def _answers(self, name: str, session: aiohttp.ClientSession, url: str) -> bool:
        self._still_runs(name)
        with contextlib.suppress(aiohttp.ClientError):
            async with session.get(url) as answer:
                return answer.status == 200
        return False

    async def _listens(self, name: str, port: int) -> bool:
        self._still_runs(name)
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return True
        return False

    def _still_runs(self, name: str) -> None:
        program = self.programs[name]
        assert program.returncode is None, f"{name} ended:\n{tail(program.log)}"

    @contextlib.asynccontextmanager
    async def owner(self) -> AsyncGenerator[Hub]:
        """Log in as the owner."""
        async with connected(self.hub_url, EMAIL, PASSWORD) as hub:
            yield hub

    async def bench(self, project: str, sensors: int, profile: Mapping[str, Any] | None = None) -> "Bench":
        """Make a project with sensors and an edge agent that serves all of them."""
        async with self.owner() as hub:
            project_id = (await hub.project(project)).id
            agent = await hub.post(f"/projects/{project_id}/edge-agents", {"name": "edge", "default": True}, Agent)
        return Bench(project_id, agent, await self.register(project_id, project, sensors, profile))

    async def register(
        self, project_id: UUID, prefix: str, sensors: int, profile: Mapping[str, Any] | None = None
    ) -> list[Identity]:
        """Register sensors."""
        slots = asyncio.Semaphore(8)
        async with self.owner() as hub:

            async def one(i: int) -> Identity:
                body = {"name": f"{prefix} {i:03}", "type": "other", "input_unit": "V", "display_unit": "V"}
                async with slots:
                    answer = await hub.ask("POST", f"/projects/{project_id}/sensors", body | {"profile": profile})
                made = orjson.loads(answer)
                return Identity(UUID(made["id"]), made["name"], made["token"])

            return await asyncio.gather(*(one(i) for i in range(sensors)))

    async def ledgers(self, sensors: Sequence[Any]) -> dict[str, dict[str, Any]]:
        """Read the ledgers of some sensors, by id."""
        async with self.owner() as hub:
            slots = asyncio.Semaphore(8)

            async def read(sensor_id: Any) -> dict[str, Any]:
                async with slots:
                    return orjson.loads(await hub.ask("GET", f"/sensors/{sensor_id}/ledger"))

            found = await asyncio.gather(*(read(sensor_id) for sensor_id in sensors))
        return {str(sensor_id): ledger for sensor_id, ledger in zip(sensors, found, strict=True)}

    async def fetch(self, statement: str, *values: Any) -> list[asyncpg.Record]:
        """Ask the database behind the platform's back."""
        connection = await asyncpg.connect(self.postgres.url, timeout=10)
        try:
            return await connection.fetch(statement, *values)
        finally:
            await connection.close()

    async def stored(self) -> list[Sample]:
        """Read every stored sample out of the table, as often as it stands there."""
        rows = await self.fetch(
            "select sensor.id::text, first_t, t_offset, raw from telemetry_recent join sensor on no = sensor_no"
        )
        return [
            sample
            for sensor, first_t, offsets, values in rows
            for sample in samples_of(sensor, first_t + np.array(offsets, np.int64), values)
        ]

    async def stored_count(self) -> int:
        """Count the stored samples."""
        return (await self.fetch("select coalesce(sum(n), 0)::bigint from telemetry_recent"))[0][0]

    async def drained(self, timeout_s: float = 60.0) -> None:
        """Wait until the position of every shard stands at its stream's end."""
        async with redis.asyncio.from_url(self.valkey.url) as stream:

            async def at_end() -> bool:
                life = (await stream.info("server"))["run_id"]
                for shard, run_id, last_id in await self.fetch("select shard, run_id, last_id from stream_shard"):
                    newest = await stream.xrevrange(key_of(shard), count=1)
                    if newest and (run_id, last_id) != (life, newest[0][0].decode()):
                        return False
                return True

            await eventually(at_end, timeout_s)

    def empty_valkeys_folder(self) -> None:
        """Throw the stream's files away; Valkey must be dead."""
        shutil.rmtree(self.valkey.data_dir / "appendonlydir")

    def newest_aof(self) -> Path:
        """Return the file that Valkey appends to."""
        return max(
            (self.valkey.data_dir / "appendonlydir").glob("*.incr.aof"), key=lambda path: int(path.name.split(".")[2])
        )


@dataclass(frozen=True)
class Bench:
    """A project's sensors and the edge agent that serves them."""

    project_id: UUID
    agent: Agent
    sensors: list[Identity]

    @property
    def ids(self) -> list[str]:
        """The sensors' ids."""
        return [str(sensor.sensor_id) for sensor in self.sensors]


async def eventually(condition: Callable[[], Awaitable[bool]], timeout_s: float) -> None:
    """Poll until a condition holds; raises TimeoutError."""
    async with asyncio.timeout(timeout_s):
        while True:
            if await condition():
                return
            await asyncio.sleep(0.05)
