"""The deployed broker in tests: a real Mosquitto under its deployed configuration, on a port of its own."""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
from collections.abc import Sequence
from pathlib import Path

from dev.ports import free_port
from dev.process import Child, spawn
from hub.brokers import files
from hub.brokers.models import Account
from hub.sensors.broker_hash import broker_hash

CONF = Path(__file__).resolve().parent.parent / "broker" / "mosquitto" / "mosquitto.conf"
OPERATOR = ("operator", "operator-password")  # may read every status, in tests only


class Mosquitto:
    """Mosquitto in a folder; `admit` writes its accounts as the hub does and lets it read them."""

    def __init__(self, folder: Path, port: int | None = None) -> None:
        self.folder = folder
        self.port = port or free_port()
        self._process: Child | None = None
        for name in ("accounts", "data", "listeners"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        shutil.copy(CONF, folder / "mosquitto.conf")
        local = (CONF.parent / "listeners" / "local.conf").read_text()
        assert "listener 1883 127.0.0.1" in local
        lines = [local.replace("1883", str(self.port)), "log_type information"]
        # As root it would become somebody who may not enter the test's folder.
        lines += ["user root"] if os.geteuid() == 0 else []
        (folder / "listeners" / "test.conf").write_text("\n".join(lines) + "\n")

    @property
    def log(self) -> str:
        """What it has written so far."""
        return (self.folder / "log").read_text(errors="replace")

    @property
    def pid_file(self) -> Path:
        """Where it says which process it is."""
        return self.folder / "data" / "mosquitto.pid"

    async def start(self) -> None:
        """Start it; on return it takes connections."""
        if not (self.folder / "accounts" / "passwd").exists():
            self.write([], {})
        program = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin")
        assert program, "mosquitto is not installed: apt-get install mosquitto"
        self._process = spawn(
            [program, "-c", "mosquitto.conf"], death_signal=signal.SIGKILL, cwd=self.folder, log=self.folder / "log"
        )
        for _ in range(1000):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 0.1):
                return
            assert self._process.returncode is None, self.log
            await asyncio.sleep(0.01)
        raise AssertionError("the broker does not listen")

    async def stop(self) -> None:
        """End it as a system does that shuts down."""
        if self._process is not None:
            await self._process.stop((signal.SIGTERM, 10.0))

    async def kill(self) -> None:
        """End it without a word."""
        if self._process is not None:
            await self._process.stop()

    def write(self, accounts: Sequence[Account], hashes: dict[str, str], instances: int = 0) -> None:
        """Write the files for accounts, with these hashes by user."""
        accounts_dir = self.folder / "accounts"
        rights = files.rights(accounts, instances) | {OPERATOR[0]: ["topic read etp/v1/edge/#"]}
        files.replace(accounts_dir / "acl", files.acl_file(rights))
        files.replace(accounts_dir / "passwd", files.password_file(hashes | {OPERATOR[0]: _OPERATOR_HASH}))

    async def admit(self, accounts: Sequence[Account], hashes: dict[str, str], instances: int = 0) -> None:
        """Write the files and wait until it has read them."""
        self.write(accounts, hashes, instances)
        if self._process is not None:
            reads = self.log.count("Reloading config.")
            for again in range(1000):
                # It forgets a signal that comes while it still reads.
                if again % 40 == 0:
                    os.kill(self._process.pid, signal.SIGHUP)
                if self.log.count("Reloading config.") > reads:
                    return
                await asyncio.sleep(0.005)
            raise AssertionError("the broker does not read its accounts")


_OPERATOR_HASH = broker_hash(OPERATOR[1])
