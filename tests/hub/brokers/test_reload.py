"""Only a Mosquitto that listens is told of its accounts."""

import os
import signal
import subprocess
from pathlib import Path

from hub.brokers import reload
from tests.hub.brokers.conftest import eventually
from tests.mosquitto import Mosquitto


def test_nothing_else_is_signalled(tmp_path: Path) -> None:
    file = tmp_path / "mosquitto.pid"
    assert reload.running(file) is None
    for text in ("", "x", str(os.getpid()), "999999999"):
        file.write_text(text)
        assert reload.running(file) is None


def test_one_that_does_not_listen_yet_is_left_alone(tmp_path: Path) -> None:
    program = tmp_path / "mosquitto"
    program.symlink_to("/bin/sleep")
    with subprocess.Popen([program, "60"]) as sleeping:
        file = tmp_path / "mosquitto.pid"
        file.write_text(str(sleeping.pid))
        assert reload.running(file) is None
        sleeping.send_signal(signal.SIGTERM)


async def test_a_running_one(mosquitto: Mosquitto) -> None:
    pid = reload.running(mosquitto.pid_file)
    assert pid is not None
    reload.reload(pid)
    await eventually(lambda: "Reloading config." in mosquitto.log, "the reading")
