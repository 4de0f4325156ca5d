"""Runs the whole system on this machine under one supervisor: `python -m dev.up`, or `make run`."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
from pydantic import ValidationError

from dev import ports
from dev.demo import PROJECT, USERS
from dev.postgres import Postgres
from dev.process import FolderInUse, FolderLock, ServerFailed, die_with_parent, tail
from dev.settings import RunSettings
from dev.supervisor import Program, Supervisor, end_leftovers
from dev.valkey import Valkey
from firmware_sim.hub_api import HubRefused, HubUnreachable, connected
from firmware_sim.settings import DEMO_PASSWORD

READY_TIMEOUT_S = 120.0
DEMO_LOGINS = tuple(f"{role}@example.com" for role in USERS)


def say(text: str) -> None:
    """Print a line of progress."""
    print(f"· {text}", flush=True)


def main() -> int:
    """Run until SIGINT or SIGTERM; return the exit code."""
    try:
        settings = RunSettings()
    except ValidationError as error:
        return _fail("\n".join(f"ETP_{str(f['loc'][0]).upper()}: {f['msg']}" for f in error.errors()))
    if settings.demo and settings.env == "production":
        return _fail("ETP_ENV=production refuses the demo's known passwords: set ETP_DEMO=0")
    if "MAKELEVEL" in os.environ:
        die_with_parent()
    code = 0
    try:
        asyncio.run(run(settings))
    except* (FolderInUse, ports.PortTaken, ServerFailed) as failures:
        code = _fail(str(failures.exceptions[0]))
    return code


def _fail(text: str) -> int:
    print(f"✗ {text}", file=sys.stderr, flush=True)
    return 1


async def run(settings: RunSettings) -> None:
    """Start every part, say when the system is ready, and end every part when a signal asks for it."""
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    data_dir = settings.data_dir.absolute()
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = FolderLock(data_dir / "run.lock")
    try:
        await lock.acquire_soon(say)
    except FolderInUse as in_use:
        raise FolderInUse(
            f"{in_use}: the system runs there already. End that one, or choose another folder and ports: "
            "ETP_DATA_DIR=var-2 ETP_HTTP_PORT=8081 ETP_MQTT_PORT=1884 make run"
        ) from None
    pid_file = data_dir / "run.pids"
    for name in await end_leftovers(pid_file):
        say(f"{name} was left by a run that was killed; it has ended")
    ports.require(
        {"ETP_HTTP_PORT": settings.http_port} | ({"ETP_MQTT_PORT": settings.mqtt_port} if not settings.mqtt_url else {})
    )
    async with Supervisor(say, pid_file) as supervisor:
        starting = asyncio.create_task(_start(settings, data_dir, supervisor))
        stopping = asyncio.create_task(ended.wait())
        try:
            await asyncio.wait((starting, stopping), return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                starting.result()
                await stopping
        finally:
            starting.cancel()
            stopping.cancel()
            await asyncio.gather(starting, stopping, return_exceptions=True)
        lock.note_ending()
        say("ending")
    say(f"everything has ended; the data stay in {data_dir}")


async def _start(settings: RunSettings, data_dir: Path, supervisor: Supervisor) -> None:
    started = time.monotonic()
    env = await _servers(settings, data_dir, supervisor)
    logs = data_dir / "logs"
    say("database schema")
    await _task(Program(["cli", "migrate"], env, logs / "migrate.log"))
    say("hub")
    await supervisor.start("hub", Program(["cli", "hub"], env, logs / "hub.log"))
    if settings.mqtt_url is None:
        await supervisor.start("broker", Program(["cli", "broker"], env, logs / "broker.log"))
    await _until("the hub", lambda: _hub_ready(settings))
    if settings.mqtt_url is None:
        await _until("the broker", lambda: _listening(settings.mqtt_port))
    if settings.demo:
        say("demo project, edge agent and simulated bench")
        await _task(Program(["dev.seed"], env, logs / "seed.log"))
        agent = {
            "ETP_EDGE_AGENT_ID": (data_dir / "edge" / "agent-id").read_text().strip(),
            "ETP_EDGE_TOKEN_FILE": str(data_dir / "edge" / "token"),
        }
        await supervisor.start("edge agent", Program(["cli", "edge"], env | agent, logs / "edge.log"))
        broker = [] if settings.mqtt_url is None else ["--mqtt", settings.mqtt_url]
        firmware = Program(["firmware_sim", "scenario", "bench", *broker], env, logs / "firmware.log")
        since = datetime.now(UTC)
        await supervisor.start("simulated bench", firmware)
        await _samples_arrive(settings, since)
    invite = logs / "invite.log"
    if not settings.demo:
        invite.unlink(missing_ok=True)
        await _task(Program(["cli", "admin", "invite", "--only-first"], env, invite))
    supervisor.settled = True
    _announce(settings, time.monotonic() - started, "" if settings.demo else _last_line(invite))
    invite.unlink(missing_ok=True)


async def _servers(settings: RunSettings, data_dir: Path, supervisor: Supervisor) -> dict[str, str]:
    env = {
        **os.environ,
        "ETP_DATA_DIR": str(data_dir),
        "ETP_HTTP_PORT": str(settings.http_port),
        "ETP_MQTT_PORT": str(settings.mqtt_port),
        "ETP_HUB_URL": settings.hub_url,
        "ETP_MQTT_URL": settings.mqtt_url or f"mqtt://127.0.0.1:{settings.mqtt_port}",
        "ETP_STREAM_FSYNC": settings.stream_fsync,
        "ETP_ENV": settings.env,
        "PYTHONUNBUFFERED": "1",
    }
    if settings.database_url is None:
        first = " (its first start creates the database)" if not (data_dir / "postgres").exists() else ""
        say(f"PostgreSQL{first}")
        postgres = Postgres(data_dir / "postgres")
        await supervisor.start("PostgreSQL", postgres)
        env["ETP_DATABASE_URL"] = postgres.url
    if settings.redis_url is None:
        say("Valkey")
        valkey = Valkey(data_dir / "valkey", fsync=settings.stream_fsync, max_memory=settings.stream_max_memory)
        await supervisor.start("Valkey", valkey)
        env["ETP_REDIS_URL"] = valkey.url
    return env


async def _task(program: Program) -> None:
    await program.start()
    try:
        await program.gone()
    finally:
        await program.stop()
    if program.returncode != 0:
        raise ServerFailed(f"{program.title} ended with {program.returncode}:\n{tail(program.log)}")


async def _until(what: str, ready: Callable[[], Awaitable[bool]]) -> None:
    deadline = time.monotonic() + READY_TIMEOUT_S
    reported = time.monotonic()
    while not await ready():
        now = time.monotonic()
        if now > deadline:
            raise ServerFailed(f"waited {READY_TIMEOUT_S:.0f} s for {what}; the logs folder says more")
        if now - reported > 5:
            say(f"waiting for {what}")
            reported = now
        await asyncio.sleep(0.1)


async def _hub_ready(settings: RunSettings) -> bool:
    with contextlib.suppress(aiohttp.ClientError, TimeoutError):
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
            async with session.get(f"{settings.hub_url}/readyz") as answer:
                ready = answer.status == 200
            async with session.get(settings.hub_url) as page:
                return ready and page.status == 200
    return False


async def _samples_arrive(settings: RunSettings, since: datetime) -> None:
    async def newer() -> bool:
        return any(s.last_t is not None and s.last_t > since for s in await hub.sensors(project.id))

    try:
        async with connected(settings.hub_url, DEMO_LOGINS[-1], DEMO_PASSWORD) as hub:
            project = await hub.project(PROJECT)
            await _until("samples to arrive through broker, edge agent and hub", newer)
    except (HubRefused, HubUnreachable) as failed:
        raise ServerFailed(f"the demo cannot be read: {failed}") from failed


async def _listening(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


def _last_line(file: Path) -> str:
    lines = file.read_text(encoding="utf-8").split()
    return lines[-1] if lines else ""


def _announce(settings: RunSettings, took_s: float, invite: str) -> None:
    lines = ["", f"  Ready in {took_s:.0f} s:  {settings.hub_url}", ""]
    if settings.demo:
        lines += [f"  log in as {login}, password {DEMO_PASSWORD}" for login in DEMO_LOGINS]
    elif invite:
        lines += [
            "  Open the first account with this link, good once and for a week; its owner creates projects there:"
        ]
        lines += [f"    {invite}"]
    else:
        lines += ["  log in with your account"]
    print("\n".join([*lines, "", "  Ctrl-C ends it.", ""]), flush=True)


if __name__ == "__main__":
    sys.exit(main())
