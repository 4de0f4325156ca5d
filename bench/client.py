"""A load program in its own process: it gets a plan, says when it is prepared, gets the word, and reports."""

import asyncio
import contextlib
import sys
from typing import Any, TypeVar

import msgspec

from bench.rig import Rig
from dev.process import ServerFailed

READY = "ready"
T = TypeVar("T")


class Client:
    """One run of a load program, `python -m module`."""

    def __init__(self, process: asyncio.subprocess.Process, module: str) -> None:
        self._process = process
        self._module = module

    @classmethod
    async def prepare(cls, rig: Rig, module: str, plan: msgspec.Struct, timeout_s: float = 120.0) -> "Client":
        """Start the program with its plan and return once it has everything ready to send."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            module,
            cwd=rig.folder,
            env=rig.environment(),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=1 << 24,
        )
        client = cls(process, module)
        try:
            await client._say(msgspec.json.encode(plan))
            async with asyncio.timeout(timeout_s):
                said = await client._line()
            _require(said == READY, f"{module} said {said!r} instead of {READY!r}")
        except BaseException:
            await client.end()
            raise
        return client

    async def go(self, report: type[T], timeout_s: float) -> T:
        """Give the word, wait for the end, and return the report."""
        try:
            await self._say(b"go")
            async with asyncio.timeout(timeout_s):
                return msgspec.json.decode(await self._line(), type=report)
        finally:
            await self.end()

    async def end(self) -> None:
        """End the program if it still runs."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()

    async def _say(self, line: bytes) -> None:
        stdin: Any = self._process.stdin
        stdin.write(line + b"\n")
        await stdin.drain()

    async def _line(self) -> str:
        stdout: Any = self._process.stdout
        line: bytes = await stdout.readline()
        _require(bool(line), f"{self._module} ended without a report (its fault stands above)")
        return line.decode().strip()


def _require(fact: bool, otherwise: str) -> None:
    if not fact:
        raise ServerFailed(otherwise)
