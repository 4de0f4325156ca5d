"""`etp edge status`: looks into an agent's folder, whether it runs or not."""

import contextlib
import sqlite3
import time
from pathlib import Path

import msgspec

from edge import status
from edge.spool import ENTRY_OVERHEAD_BYTES
from edge.status import Status


class NoAgentHere(Exception):
    """No edge agent has ever worked in this folder."""


def look(folder: Path, now_s: float | None = None) -> tuple[Status, bool]:
    """Return the agent's status and whether it runs; of one that does not, what waits is counted in its spool.

    Raises `NoAgentHere`.
    """
    file = folder / "spool.sqlite"
    found = status.read(folder)
    if found is None or not file.exists():
        raise NoAgentHere(f"no edge agent has worked in {folder}: set ETP_EDGE_DIR, or name its folder with --dir")
    with contextlib.closing(sqlite3.connect(file, timeout=0)) as db:
        try:
            samples, size, oldest_us = db.execute(
                "select coalesce(sum(samples), 0), coalesce(sum(length(body) + ?), 0), min(at_us) from entry",
                (ENTRY_OVERHEAD_BYTES,),
            ).fetchone()
            (unreported,) = db.execute("select coalesce(sum(samples), 0) from dropped").fetchone()
        except sqlite3.OperationalError as error:
            # An agent that runs has the spool for itself.
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            return found, True
    age_s = 0.0 if oldest_us is None else (time.time() if now_s is None else now_s) - oldest_us / 1e6
    counted = msgspec.structs.replace(
        found, waiting=samples, waiting_bytes=size, oldest_age_s=age_s, unreported=unreported
    )
    return counted, False


def tell(folder: Path, *, as_json: bool) -> tuple[str, bool]:
    """Return what to print about the agent of a folder, and whether it runs; raises `NoAgentHere`."""
    now_s = time.time()
    found, alive = look(folder, now_s)
    if as_json:
        return msgspec.json.encode({"alive": alive} | msgspec.to_builtins(found)).decode(), alive
    return status.describe(found, alive=alive, now_s=now_s), alive
