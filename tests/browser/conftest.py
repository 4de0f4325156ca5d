"""A whole system with the built dashboard, and a browser that runs one of its specs against it."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bin.prepare import node
from tests.firmware_sim.system import System, empty_stream
from tests.services import TestServers, run

ROOT = Path(__file__).resolve().parents[2]
FRONTEND = ROOT / "frontend"

Spec = Callable[[str], None]
# Some last two minutes on two busy cores; beyond it the whole test would be given up.
SPEC_TIMEOUT_S = 270


@pytest.fixture
def system(servers: TestServers, tmp_path: Path) -> Iterator[System]:
    """Hub, broker and edge agent, seeded with the demo."""
    assert (FRONTEND / "dist" / "index.html").is_file(), "build the dashboard first: make test does"
    whole = System(tmp_path / "system", run(servers.clone()), run(empty_stream(servers)))
    try:
        run(whole.start())
        yield whole
    finally:
        run(whole.stop())


@pytest.fixture
def in_browser(system: System, tmp_path: Path) -> Spec:
    """Run one spec of `frontend/e2e` by its name."""

    def run_spec(name: str) -> None:
        env = node() | {"ETP_E2E_URL": system.settings.hub}
        results, timeout_ms = tmp_path / "results", round(SPEC_TIMEOUT_S * 1000)
        done = subprocess.run(
            ["npm", "run", "--silent", "e2e", "--", name, "--output", str(results), f"--timeout={timeout_ms}"],
            cwd=FRONTEND,
            env=os.environ | env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SPEC_TIMEOUT_S + 10,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    return run_spec
