"""The basic scenario in a real Chromium, against a whole system with its demo and a publishing bench."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bin.prepare import node
from tests.firmware_sim.system import System, empty_stream
from tests.services import TestServers, run

ROOT = Path(__file__).resolve().parents[2]
FRONTEND = ROOT / "frontend"

pytestmark = [pytest.mark.slow, pytest.mark.browser]


@pytest.fixture
def system(servers: TestServers, tmp_path: Path) -> Iterator[System]:
    """Hub, broker, edge agent and the simulated bench, with the built dashboard."""
    assert (FRONTEND / "dist" / "index.html").is_file(), "build the dashboard first: make test does"
    whole = System(tmp_path / "system", run(servers.clone()), run(empty_stream(servers)))
    try:
        run(whole.start())
        run(whole.demo_sensor("scenario", "bench"))
        yield whole
    finally:
        run(whole.stop())


def test_the_main_job_in_a_browser(system: System, tmp_path: Path) -> None:
    env = node() | {"ETP_E2E_URL": system.settings.hub}
    done = subprocess.run(
        ["npm", "run", "--silent", "e2e", "--", "--output", str(tmp_path / "results"), "--timeout=150000"],
        cwd=FRONTEND,
        env=os.environ | env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
