"""Mosquitto as a part of the stage that may be killed: open to everybody, or as it is deployed."""

import asyncio
import contextlib
import shutil
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

from dev.process import Child, spawn
from tests import mosquitto


class Mosquitto:
    """One open to everybody on a port of 127.0.0.1; its queues are written down every two seconds."""

    def __init__(self, folder: Path, port: int) -> None:
        self.log = folder / "mosquitto.log"
        self._folder = folder
        self._port = port
        self._child: Child | None = None

    @property
    def pid(self) -> int | None:
        """The process id, None while it does not run."""
        return self._child.pid if self._child and self._child.returncode is None else None

    @property
    def returncode(self) -> int | None:
        """How it ended, None while it runs."""
        return self._child.returncode if self._child else None

    async def start(self) -> None:
        """Start it and return once it listens."""
        program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
        assert program, "Mosquitto is missing. On Debian: sudo apt-get install mosquitto"
        self._folder.mkdir(exist_ok=True)
        config = self._folder / "mosquitto.conf"
        config.write_text(
            f"listener {self._port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\nautosave_interval 2\n"
            f"persistence true\npersistence_location {self._folder}/\nuser root\n"
        )
        self._child = spawn([program, "-c", config], death_signal=signal.SIGTERM, log=self.log)
        async with asyncio.timeout(10):
            while not await self._listens():  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.02)

    async def stop(self) -> None:
        """End it, its queues written down."""
        if self._child is not None:
            await self._child.stop((signal.SIGTERM, 10.0))

    async def gone(self, timeout_s: float | None = None) -> bool:
        """Wait until it has ended."""
        return self._child is None or await self._child.gone(timeout_s)

    async def _listens(self) -> bool:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", self._port)
            writer.close()
            return True
        return False


class Deployed:
    """One under its deployed configuration, whose accounts the hub's worker keeps."""

    def __init__(self, folder: Path, port: int) -> None:
        self.log = folder / "log"
        self._mosquitto = mosquitto.Mosquitto(folder, port)

    @property
    def _child(self) -> Child | None:
        return self._mosquitto._process

    @property
    def pid(self) -> int | None:
        """The process id, None while it does not run."""
        return self._child.pid if self._child and self._child.returncode is None else None

    async def start(self) -> None:
        """Start it and return once it listens."""
        await self._mosquitto.start()

    async def stop(self) -> None:
        """End it, its queues written down."""
        await self._mosquitto.stop()

    async def gone(self, timeout_s: float | None = None) -> bool:
        """Wait until it has ended."""
        return self._child is None or await self._child.gone(timeout_s)


Kind = Literal["mosquitto", "deployed", "embedded"]
KINDS: Final[Mapping[Kind, type[Mosquitto | Deployed]]] = {"mosquitto": Mosquitto, "deployed": Deployed}
