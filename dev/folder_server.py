"""A server that works on a data folder: what PostgreSQL and Valkey have in common."""

import asyncio
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Final

from dev.process import Child, FolderLock, ServerFailed, Signals, tail

START_TIMEOUT_S: Final = 300.0  # reading a long log again after a crash takes a while


class FolderServer(ABC):
    """One server on `data_dir`.

    After it was killed, `start` of the same object runs it again on the same data at the same address. One process at a
    time may hold a data folder (`FolderInUse`).
    """

    def __init__(self, data_dir: Path, title: str, *stop: Signals) -> None:
        """Prepare; `stop` are the signals that end the server, each with the seconds it is given."""
        self.data_dir = data_dir.resolve()
        self.log = self.data_dir / f"{title.lower()}.log"
        self._title = title
        self._stop = stop
        self._lock = FolderLock(self.data_dir / "owner.lock")
        self._child: Child | None = None

    @property
    def pid(self) -> int | None:
        """The server's process id, None while it does not run."""
        return self._child.pid if self.running and self._child else None

    @property
    def running(self) -> bool:
        """Whether the server runs."""
        return self._child is not None and self._child.returncode is None

    async def start(self) -> None:
        """Start the server, creating its data on the first start, and return when it answers."""
        if self.running:
            return
        self.data_dir.mkdir(parents=True, exist_ok=True)
        self._lock.acquire()
        try:
            self.data_dir.chmod(0o700)
            await self._prepare()
            self._child = self._spawn()
            await self._answering()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """End the server, its data on disk, and give the folder back; a server that is not running is no error."""
        if self._child is not None:
            await self._child.stop(*self._stop)
            self._child = None
        self._lock.release()

    async def gone(self, timeout_s: float | None = None) -> bool:
        """Wait until the server has ended by itself or was killed; False when `timeout_s` passed first."""
        return self._child is None or await self._child.gone(timeout_s)

    @abstractmethod
    async def _prepare(self) -> None:
        """End what is left of an earlier server, and make what must be there."""

    @abstractmethod
    def _spawn(self) -> Child:
        """Start the program."""

    @abstractmethod
    async def _answers(self) -> bool:
        """Ask it something."""

    async def _answering(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            if not self.running:
                raise ServerFailed(f"{self._title} ended while it started:\n{tail(self.log)}")
            if await self._answers():
                return
            if time.monotonic() > deadline:
                raise ServerFailed(f"{self._title} did not answer in {START_TIMEOUT_S:.0f} s:\n{tail(self.log)}")
            await asyncio.sleep(0.02)
