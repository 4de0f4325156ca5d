"""Every line of a program's log is JSON without secrets, whoever wrote it."""

import json
import subprocess
import sys
from typing import Any

PROGRAM = """
import asyncio, logging, warnings, structlog
from contract import logs

logs.configure()
log = structlog.get_logger("ours")
log.debug("too fine")
log.info("ours", password="hunter2", sensor="1", nested=[{"otp": 123456}])
try:
    raise ValueError("etps_hunter2")
except ValueError:
    log.exception("ours failed")
    logging.getLogger("asyncio").exception("theirs failed with %s", "Bearer hunter2")
logging.getLogger("aiohttp").info("too fine")
warnings.warn("etpp_hunter2 is old")
raise OSError("postgresql://etp:hunter2@db/etp\\nsecond line")
"""


def test_lines() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (1, "")
    lines: list[dict[str, Any]] = [json.loads(line) for line in done.stdout.splitlines()]
    assert "hunter2" not in done.stdout
    assert "123456" not in done.stdout
    assert [line["level"] for line in lines] == ["info", "error", "error", "warning", "critical"]
    assert {"event": "ours", "sensor": "1", "password": "***", "nested": [{"otp": "***"}]}.items() <= lines[0].items()
    assert all(line["timestamp"].endswith("Z") for line in lines)
    assert lines[1]["exception"].endswith("ValueError: etps_***")
    assert (lines[2]["logger"], lines[2]["event"]) == ("asyncio", "theirs failed with Bearer ***")
    assert "Traceback" in lines[2]["exception"]
    assert lines[4]["exception"].endswith("OSError: postgresql://etp:***@db/etp\nsecond line")
