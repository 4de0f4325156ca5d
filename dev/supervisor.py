"""Keeps the parts of the system running, and ends them in order."""

import asyncio
import json
import random
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import psutil

from dev.process import Child, ServerFailed, spawn, tail

FIRST_DELAY_S = 0.5
LONGEST_DELAY_S = 10.0
STEADY_S = 30.0  # whoever ran this long is restarted without having to wait for earlier failures
_STOP = ((signal.SIGTERM, 15.0),)


class Server(Protocol):
    """A part that can be started, watched and stopped, and started again after it died."""

    log: Path

    @property
    def pid(self) -> int | None:
        """The process id, None while it does not run."""
        ...

    async def start(self) -> None:
        """Start it and return when it works."""
        ...

    async def stop(self) -> None:
        """End it."""
        ...

    async def gone(self, timeout_s: float | None = None) -> bool:
        """Wait until it has ended."""
        ...


class Program:
    """One of our own programs (`arguments` follow `python -m`) as a child process, its output in `log`."""

    def __init__(self, arguments: Sequence[str], env: Mapping[str, str], log: Path) -> None:
        self.log = log
        self.title = " ".join(arguments)
        self.arguments = arguments
        self.env = env
        self._child: Child | None = None

    @property
    def pid(self) -> int | None:
        """The process id, None while it does not run."""
        return self._child.pid if self._child and self._child.returncode is None else None

    @property
    def returncode(self) -> int | None:
        """How the program ended, None while it runs or before it was started."""
        return self._child.returncode if self._child else None

    async def start(self) -> None:
        """Start the program."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", *self.arguments]
        self._child = spawn(command, env=self.env, log=self.log, death_signal=signal.SIGTERM)

    async def stop(self) -> None:
        """Ask the program to end, and kill it when it does not."""
        if self._child is not None:
            await self._child.stop(*_STOP)

    async def gone(self, timeout_s: float | None = None) -> bool:
        """Wait until the program has ended; False when `timeout_s` passed first."""
        return self._child is None or await self._child.gone(timeout_s)


class Supervisor:
    """Starts parts, restarts those that die, with growing delays, and stops all of them in reverse order.

    Until `settled`, a part that dies three times in a row fails the whole with `ServerFailed`. The process ids of
    running parts stand in `pid_file`, so that `end_leftovers` finds them after this process was killed.
    """

    def __init__(self, say: Callable[[str], None], pid_file: Path) -> None:
        self.settled = False
        self._say = say
        self._pid_file = pid_file
        self._group = asyncio.TaskGroup()
        self._parts: dict[str, Server] = {}
        self._keepers: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for keeper in self._keepers:
            keeper.cancel()
        try:
            for name, server in reversed(self._parts.items()):
                await server.stop()
                self._say(f"{name} has ended")
            self._pid_file.unlink(missing_ok=True)
        finally:
            await self._group.__aexit__(kind, error, trace)

    async def start(self, name: str, server: Server) -> None:
        """Start a part and watch it from now on."""
        self._parts[name] = server
        await server.start()
        self._note_pids()
        self._keepers.append(self._group.create_task(self._keep(name, server), name=name))

    async def _keep(self, name: str, server: Server) -> None:
        deaths, started = 0, time.monotonic()
        while True:
            await server.gone()
            deaths = 1 if time.monotonic() - started > STEADY_S else deaths + 1
            if not self.settled and deaths >= 3:
                raise ServerFailed(f"{name} does not stay up:\n{tail(server.log)}")
            delay_s = min(LONGEST_DELAY_S, FIRST_DELAY_S * 2 ** (deaths - 1)) * random.uniform(0.8, 1.2)  # noqa: S311
            self._say(f"{name} died, it is restarted in {delay_s:.1f} s (log: {server.log})")
            await asyncio.sleep(delay_s)
            started = time.monotonic()
            try:
                await server.start()
            except ServerFailed as failure:
                self._say(f"{name}: {failure}")
                continue
            self._note_pids()
            self._say(f"{name} runs again")

    def _note_pids(self) -> None:
        programs = {n: s.pid for n, s in self._parts.items() if isinstance(s, Program) and s.pid is not None}
        known = {n: [pid, psutil.Process(pid).create_time()] for n, pid in programs.items() if psutil.pid_exists(pid)}
        self._pid_file.write_text(json.dumps(known))


async def end_leftovers(pid_file: Path) -> list[str]:
    """End the programs that a killed supervisor left behind and return their names."""
    left = _recorded(pid_file)
    for process in left.values():
        process.terminate()
    _, stubborn = await asyncio.to_thread(psutil.wait_procs, list(left.values()), timeout=15.0)
    for process in stubborn:
        process.kill()
    return sorted(left)


def _recorded(pid_file: Path) -> dict[str, psutil.Process]:
    recorded = json.loads(pid_file.read_text() or "{}") if pid_file.exists() else {}
    found: dict[str, psutil.Process] = {}
    for name, (pid, created) in recorded.items():
        try:
            process = psutil.Process(pid)
            if process.create_time() == created and process.status() != psutil.STATUS_ZOMBIE:
                found[name] = process
        except psutil.NoSuchProcess:
            continue
    return found
