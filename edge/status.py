"""How an edge agent is doing: what it keeps on its status topic and in its folder, and how a person reads it."""

import asyncio
import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal
from uuid import UUID

import msgspec

FILE_NAME: Final = "status.json"

State = Literal["online", "disconnected", "buffering", "full", "stopped", "offline"]


class Status(msgspec.Struct):
    """One moment of an agent; counts are since its start, but for what waits or is kept in the spool.

    disconnected: there is no session on the broker. buffering: the hub does not take samples. full: neither does the
    spool, and the broker keeps them. offline is what the broker says of an agent that vanished.
    """

    state: State
    at: float = 0.0  # seconds since 1970
    agent: UUID | None = None
    instance: int = 0
    version: str = ""
    waiting: int = 0
    waiting_bytes: int = 0
    spool_bytes: int = 0
    oldest_age_s: float = 0.0
    received: int = 0
    forwarded: int = 0
    rejected: int = 0
    dropped: int = 0
    unreported: int = 0
    refused: int = 0
    sensors: int = 0
    hub_problem: str | None = None
    broker_problem: str | None = None
    blocked: str | None = None


async def keep(folder: Path, status: Callable[[], Status], interval_s: float) -> None:
    """Write the status into the folder for ever, and at last that the agent has stopped."""
    try:
        while True:
            with contextlib.suppress(OSError):  # a full disk is told by the spool
                write(folder, status())
            await asyncio.sleep(interval_s)
    finally:
        with contextlib.suppress(OSError):
            write(folder, msgspec.structs.replace(status(), state="stopped"))


def write(folder: Path, status: Status) -> None:
    """Replace the folder's status."""
    beside = folder / f"{FILE_NAME}.new"
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.encode(status))
    beside.replace(folder / FILE_NAME)


def read(folder: Path) -> Status | None:
    """Read the folder's status; None where no agent has written one."""
    try:
        return msgspec.json.decode((folder / FILE_NAME).read_bytes(), type=Status)
    except FileNotFoundError:
        return None


def describe(status: Status, *, alive: bool, now_s: float) -> str:
    """Tell a person how the agent is doing; alive: it runs now."""
    name = f"edge agent {status.agent}" + (f", instance {status.instance}" if status.instance else "")
    if alive:
        state = _STATES[status.state]
    elif status.state == "stopped":
        state = "stopped"
    else:
        state = "not running: it ended without a word, so start it again; what waits is kept"
    lines = [f"{name}: {state}", f"  as of      {_age(now_s - status.at)} ago, version {status.version}"]
    used = 100 * status.waiting_bytes / status.spool_bytes if status.spool_bytes else 0.0
    oldest = f", the oldest for {_age(status.oldest_age_s)}" if status.waiting else ""
    lines += [
        f"  waiting    {status.waiting:,} samples, {_size(status.waiting_bytes)} of {_size(status.spool_bytes)}"
        f" ({used:.0f} %){oldest}",
        f"  received   {status.received:,} samples of {status.sensors} known sensors since its start",
        f"  forwarded  {status.forwarded:,}, of which the hub rejected {status.rejected:,}",
    ]
    if status.dropped or status.unreported:
        lines.append(f"  dropped    {status.dropped:,} since its start; {status.unreported:,} not yet told to the hub")
    if status.refused:
        lines.append(
            f"  put aside  {status.refused:,} messages that nobody takes, in the table refused of spool.sqlite"
        )
    for what, problem in (
        ("hub", status.hub_problem),
        ("broker", status.broker_problem),
        ("spool", status.blocked),
    ):
        if alive and problem:
            lines.append(f"  {what:<10} {problem}")
    return "\n".join(lines)


_STATES: Final[dict[State, str]] = {
    "online": "online",
    "disconnected": "disconnected from the broker",
    "buffering": "buffering, the hub does not take samples",
    "full": "full, samples wait at the broker",
    "stopped": "stopping",
    "offline": "offline",
}


def _age(seconds: float) -> str:
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{max(seconds, 0.0):.0f} s"


def _size(count: float) -> str:
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"
