"""Child processes that never outlive the process that started them."""

import asyncio
import ctypes
import fcntl
import functools
import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

import psutil

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)
_POLL_S = 0.01
_ENDING = ", which is ending"
_LOG_LIMIT_BYTES = 10_000_000


# A signal that ends a process, and for how many seconds it may work on that.
Signals = tuple[signal.Signals, float]


class FolderInUse(RuntimeError):
    """Another process works on this data folder."""


class ServerFailed(RuntimeError):
    """A server that the platform needs did not start."""


class FolderLock:
    """The right to run one server on one folder; the kernel gives it back when its holder dies."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None

    def acquire(self) -> None:
        """Take the lock at once or raise `FolderInUse`; taking it twice is no error."""
        if self._file is not None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = self._path.open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            owner = file.read().strip() or "unknown"
            file.close()
            raise FolderInUse(f"{self._path.parent} is in use by process {owner}") from None
        file.truncate(0)
        file.write(f"{os.getpid()}")
        file.flush()
        self._file = file

    async def acquire_soon(self, say: Callable[[str], None], timeout_s: float = 60.0) -> None:
        """Take the lock, waiting while its holder is on the way to end; raise `FolderInUse` otherwise."""
        deadline, said = time.monotonic() + timeout_s, False
        while True:
            try:
                self.acquire()
            except FolderInUse as in_use:
                if _ENDING not in str(in_use) or time.monotonic() > deadline:
                    raise
                if not said:
                    say(str(in_use))
                    said = True
                await asyncio.sleep(0.1)
                continue
            return

    def note_ending(self) -> None:
        """Tell those who want the lock that it is worth waiting."""
        if self._file is not None:
            self._file.write(_ENDING)
            self._file.flush()

    def release(self) -> None:
        """Give the lock back; without a lock nothing happens."""
        if self._file is not None:
            self._file.close()
            self._file = None


class Child:
    """A started process, bound to no event loop, so that any loop may wait for it."""

    def __init__(self, popen: subprocess.Popen[bytes]) -> None:
        self._popen = popen
        self.pid = popen.pid

    @property
    def returncode(self) -> int | None:
        """The exit code (negative: the signal that ended it), None while it runs."""
        return self._popen.poll()

    async def gone(self, timeout_s: float | None = None) -> bool:
        """Wait until the process has ended; False when `timeout_s` passed first."""
        return await until(lambda: self.returncode is not None, timeout_s)

    async def stop(self, *steps: Signals) -> None:
        """Send each signal in turn, giving it its seconds to work, and SIGKILL at last."""
        for sig, patience_s in steps:
            if self.returncode is not None:
                return
            self._popen.send_signal(sig)
            if await self.gone(patience_s):
                return
        if self.returncode is None:
            self._popen.kill()
            await self.gone()


def spawn(
    argv: Sequence[str | Path],
    *,
    death_signal: signal.Signals,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    log: Path | None = None,
    user: str | None = None,
) -> Child:
    """Start a process in a session of its own (a terminal's Ctrl-C does not reach it); call it from the main thread.

    On Linux the kernel sends it `death_signal` when this process dies, however it dies.
    """
    output: IO[bytes] | None = None
    if log is not None:
        if log.exists() and log.stat().st_size > _LOG_LIMIT_BYTES:
            log.replace(log.with_suffix(log.suffix + ".1"))
        output = log.open("ab")
    try:
        popen = subprocess.Popen(  # noqa: S603 - argument lists of this package only, no shell
            [str(a) for a in argv],
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT if output else None,
            start_new_session=True,
            user=user,
            group=user,
            extra_groups=[] if user else None,
            preexec_fn=functools.partial(_die_with, os.getpid(), death_signal),  # noqa: PLW1509 - only prctl is called there
        )
    finally:
        if output is not None:
            output.close()
    return Child(popen)


def _die_with(parent: int, sig: signal.Signals) -> None:
    if sys.platform == "linux":
        _libc.prctl(_PR_SET_PDEATHSIG, int(sig), 0, 0, 0)
        if os.getppid() != parent:  # it died between fork and prctl
            os.kill(os.getpid(), signal.SIGKILL)


def die_with_parent() -> None:
    """Ask the kernel (Linux) for SIGTERM when the parent of this process dies, so that killing `make` ends all."""
    if sys.platform == "linux":
        _libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)


async def until(condition: Callable[[], bool], timeout_s: float | None = None) -> bool:
    """Poll until `condition` holds; False when `timeout_s` passed first."""
    deadline = None if timeout_s is None else time.monotonic() + timeout_s
    while not condition():
        if deadline is not None and time.monotonic() >= deadline:
            return False
        await asyncio.sleep(_POLL_S)
    return True


async def end_leftovers(name: str, folder: Path, *steps: Signals) -> None:
    """End processes called `name` that still work in `folder`, left by a parent that was killed."""
    for sig, patience_s in (*steps, (signal.SIGKILL, 10.0)):
        left = working_in(name, folder)
        if not left:
            return
        for process in left:
            try:
                process.send_signal(sig)
            except psutil.NoSuchProcess:
                continue
        await until(lambda: not working_in(name, folder), patience_s)


def working_in(name: str, folder: Path) -> list[psutil.Process]:
    """List the living processes called `name` whose current folder is `folder`."""
    found: list[psutil.Process] = []
    for process in psutil.process_iter(["name"]):
        if not str(process.info["name"]).startswith(name):
            continue
        try:
            if process.status() != psutil.STATUS_ZOMBIE and Path(process.cwd()) == folder.resolve():
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied, OSError):
            continue
    return found


def socket_folder(folder: Path, name: str) -> Path:
    """Choose where a Unix socket lies: in `folder`, or in a private folder of /tmp when that path is too long."""
    if len(os.fsencode(folder.resolve() / name)) < 90:
        return folder.resolve()
    short = Path(f"/tmp/etp-{os.getuid()}-{hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:12]}")  # noqa: S108 - see the check of its owner
    short.mkdir(mode=0o700, exist_ok=True)
    status = short.lstat()
    if status.st_uid != os.getuid() or status.st_mode & 0o077 or short.is_symlink():
        raise ServerFailed(f"{short} belongs to somebody else; choose a shorter ETP_DATA_DIR")
    return short


def tail(log: Path, lines: int = 15) -> str:
    """Read the last lines of a log for an error message."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else ""


def executable(path: Path) -> Path:
    """Return `path` if it can be run, else raise `ServerFailed`."""
    if not os.access(path, os.X_OK):
        raise ServerFailed(f"{path} cannot be run: is there a wheel for this platform?")
    return path
