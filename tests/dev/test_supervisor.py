"""The supervisor: restarts, giving up, the order of the end, what a killed one leaves."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import psutil
import pytest

from dev.process import ServerFailed, spawn, until
from dev.supervisor import Program, Supervisor, end_leftovers


def program(folder: Path, name: str, code: str) -> Program:
    """Make a program of a line of Python that runs as `python -m name`."""
    (folder / f"{name}.py").write_text(code)
    env = {**os.environ, "PYTHONPATH": str(folder), "PYTHONUNBUFFERED": "1"}
    return Program([name], env, folder / f"{name}.log")


STAYS = "import time; print('up', flush=True); time.sleep(600)"


async def test_part_that_is_killed_runs_again(tmp_path: Path):
    said: list[str] = []
    async with Supervisor(said.append, tmp_path / "pids") as supervisor:
        part = program(tmp_path, "stays", STAYS)
        await supervisor.start("part", part)
        supervisor.settled = True
        first = part.pid
        os.kill(first or 0, signal.SIGKILL)
        assert await until(lambda: part.pid not in (None, first), 10)
        assert await until(lambda: any("runs again" in line for line in said), 10)
        assert json.loads((tmp_path / "pids").read_text())["part"][0] == part.pid
    assert part.pid is None
    assert "died" in said[0]
    assert str(part.log) in said[0]


async def test_part_that_never_comes_up_fails_the_start_with_its_last_words(tmp_path: Path):
    async def run() -> None:
        async with Supervisor(lambda _: None, tmp_path / "pids") as supervisor:
            await supervisor.start("part", program(tmp_path, "fails", "raise SystemExit('no such bench')"))
            await asyncio.Event().wait()

    with pytest.raises(ExceptionGroup) as failed:
        await run()
    assert failed.group_contains(ServerFailed, match="part does not stay up:\n(.*\n)*no such bench")


async def test_parts_end_in_the_reverse_order_of_their_start(tmp_path: Path):
    said: list[str] = []
    async with Supervisor(said.append, tmp_path / "pids") as supervisor:
        for name in ("database", "hub", "agent"):
            await supervisor.start(name, program(tmp_path, name, STAYS))
    assert said == ["agent has ended", "hub has ended", "database has ended"]
    assert not (tmp_path / "pids").exists()


async def test_programs_that_a_killed_supervisor_left_are_ended(tmp_path: Path):
    orphan = spawn([sys.executable, "-c", STAYS], log=tmp_path / "log", death_signal=signal.SIGKILL)
    stranger = spawn([sys.executable, "-c", STAYS], log=tmp_path / "log", death_signal=signal.SIGKILL)
    created = psutil.Process(orphan.pid).create_time()
    # The second id was given to another process since.
    record = {"hub": [orphan.pid, created], "edge": [stranger.pid, created - 1000], "broker": [2**22 + 1, created]}
    (tmp_path / "pids").write_text(json.dumps(record))
    assert await end_leftovers(tmp_path / "pids") == ["hub"]
    assert await orphan.gone(10)
    assert stranger.returncode is None
    await stranger.stop()
