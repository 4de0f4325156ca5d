"""Asks a running Mosquitto to read its accounts again."""

import os
import signal
import time
from pathlib import Path
from typing import Final

import psutil

_STARTING_S: Final = 10.0  # where it cannot be seen whether it listens for the signal yet


def running(pid_file: Path) -> int | None:
    """Return the id of the Mosquitto that a pid file names, None while none can be asked.

    Whatever else has that id by now is left alone, and so is one that is still starting, which the signal would end.
    """
    try:
        pid = int(pid_file.read_text(encoding="ascii"))
        process = psutil.Process(pid)
        if not process.name().startswith("mosquitto"):
            return None
        started_s = process.create_time()
    except (OSError, ValueError, psutil.Error):
        return None
    listens = _listens(pid)
    if listens is None:
        listens = time.time() - started_s > _STARTING_S
    return pid if listens else None


def reload(pid: int) -> None:
    """Send SIGHUP: Mosquitto reads both files and ends the sessions whose password is good no more, no others."""
    os.kill(pid, signal.SIGHUP)


def _listens(pid: int) -> bool | None:
    """Tell whether a process has a handler for SIGHUP; None where the system does not say."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    caught = next((line for line in status.splitlines() if line.startswith("SigCgt:")), None)
    return None if caught is None else bool(int(caught.split()[1], 16) & 1 << (signal.SIGHUP - 1))
