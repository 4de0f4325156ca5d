"""Child processes, locks and ports."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import psutil
import pytest

from dev import ports
from dev.process import FolderInUse, FolderLock, spawn, until


class TestSpawn:
    async def test_child_dies_with_a_parent_that_was_killed(self, tmp_path: Path):
        parent = tmp_path / "parent.py"
        parent.write_text(
            "import signal, sys, time\n"
            "from dev.process import spawn\n"
            "child = spawn([sys.executable, '-c', 'import time; time.sleep(600)'], death_signal=signal.SIGTERM)\n"
            "print(child.pid, flush=True)\n"
            "time.sleep(600)\n"
        )
        log = tmp_path / "log"
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        started = spawn([sys.executable, parent], env=env, log=log, death_signal=signal.SIGKILL)
        assert await until(lambda: log.exists() and log.read_text().strip().isdigit(), 30), log.read_text()
        child = int(log.read_text())
        os.kill(started.pid, signal.SIGKILL)
        assert await until(lambda: not psutil.pid_exists(child), 10)

    async def test_stop_kills_a_child_that_ignores_its_signals(self, tmp_path: Path):
        code = (
            "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
            "print('up', flush=True); time.sleep(600)"
        )
        child = spawn([sys.executable, "-c", code], log=tmp_path / "log", death_signal=signal.SIGKILL)
        assert await until(lambda: "up" in (tmp_path / "log").read_text(), 10)
        await child.stop((signal.SIGTERM, 0.1))
        assert child.returncode == -signal.SIGKILL

    async def test_log_that_has_grown_large_begins_anew(self, tmp_path: Path):
        log = tmp_path / "log"
        log.write_bytes(b"x" * 10_000_001)
        child = spawn([sys.executable, "-c", "print('new')"], log=log, death_signal=signal.SIGKILL)
        assert await child.gone(10)
        assert log.read_text() == "new\n"
        assert (tmp_path / "log.1").stat().st_size == 10_000_001


class TestFolderLock:
    async def test_second_holder_is_told_who_the_first_is(self, tmp_path: Path):
        first, second = FolderLock(tmp_path / "lock"), FolderLock(tmp_path / "lock")
        first.acquire()
        first.acquire()
        with pytest.raises(FolderInUse, match=f"in use by process {os.getpid()}$"):
            await second.acquire_soon(lambda _: None)
        first.release()
        second.acquire()
        second.release()

    async def test_holder_that_is_ending_is_waited_for(self, tmp_path: Path):
        first, second = FolderLock(tmp_path / "lock"), FolderLock(tmp_path / "lock")
        first.acquire()
        first.note_ending()
        said: list[str] = []
        waiting = asyncio.create_task(second.acquire_soon(said.append))
        assert await until(lambda: bool(said), 10)
        assert not waiting.done()
        first.release()
        await waiting
        second.release()


class TestPorts:
    async def test_taken_ports_are_named_with_their_settings_and_a_free_choice(self, free_port: int):
        async with await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", free_port):
            with pytest.raises(ports.PortTaken) as taken:
                ports.require({"ETP_HTTP_PORT": free_port, "ETP_MQTT_PORT": ports.free_port()})
        assert f"Port {free_port} is taken by process {os.getpid()}" in str(taken.value)
        assert "ETP_MQTT_PORT" not in str(taken.value)
        assert f"ETP_HTTP_PORT={free_port}" not in str(taken.value)
        assert "ETP_HTTP_PORT=" in str(taken.value)

    async def test_free_ports_pass(self):
        ports.require({"ETP_HTTP_PORT": ports.free_port()})
