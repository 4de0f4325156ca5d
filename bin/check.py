#!/usr/bin/env python3
"""Run the checks of the project and count them: lint, types, architecture, front end, tests."""

import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "bin"
PYTHON_CODE = ["bench", "bin", "broker", "cli", "contract", "dev", "edge", "firmware_sim", "hub", "migrations", "tests"]


@dataclass(frozen=True)
class Counts:
    """How many checks of one tool passed and failed."""

    passed: int
    failed: int


@dataclass(frozen=True)
class Check:
    """One tool: its command, where it runs, how its output is counted."""

    title: str
    command: Sequence[str | Path]
    folder: Path = ROOT
    count: Callable[[str, int], Counts] | None = None


def main(goal: str) -> int:
    """Run the static checks (`check`), or those and every test (`test`); return the exit code."""
    started = time.monotonic()
    sys.path.insert(0, str(ROOT / "bin"))
    from prepare import node  # noqa: PLC0415 - it stands beside this file, in no package

    env = node()
    folders = [folder for folder in PYTHON_CODE if (ROOT / folder).exists()]
    # Compiled once, not by each of the hundred programs that tests start.
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    # The longest first, so that the two that run at once end together.
    beside = [
        Check("eslint", ["npm", "run", "--silent", "lint"], ROOT / "frontend"),
        Check("basedpyright", [BIN / "basedpyright"]),
        *(
            [Check("vitest", ["npm", "run", "--silent", "test"], ROOT / "frontend", count_vitest)]
            if goal == "test"
            else []
        ),
        Check("tsc", ["npm", "run", "--silent", "typecheck"], ROOT / "frontend"),
        Check("import-linter", [BIN / "lint-imports"]),
        Check("ruff check", [BIN / "ruff", "check", *folders]),
        Check("ruff format", [BIN / "ruff", "format", "--check", *folders]),
    ]
    # A file stays together: some share a whole system. In order of name, for the longest (acceptance) come first in it.
    # Three on two cores: tests wait for programs, disks and clocks half of their time.
    spread = ["-n", "3", "--dist", "loadfile", "--no-loadscope-reorder"]
    tests = Check("pytest", [BIN / "python", "-m", "pytest", *spread], ROOT, count_pytest)
    with ThreadPoolExecutor(2) as pool:  # these share two cores, the tests of the programs get them alone
        results = list(pool.map(lambda check: run(check, env, show=False), beside))
    if goal == "test":
        results.append(run(tests, env, show=True))
    passed, failed = sum(r.passed for r in results), sum(r.failed for r in results)
    print(f"{passed} passed, {failed} failed in {time.monotonic() - started:.0f} s", flush=True)
    return 1 if failed else 0


def run(check: Check, env: dict[str, str], *, show: bool) -> Counts:
    """Run one check, printing its output as it comes (`show`) or when it fails, and a line with its result."""
    started = time.monotonic()
    process = subprocess.Popen(
        [str(part) for part in check.command],
        cwd=check.folder,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    output: list[str] = []
    for line in process.stdout or ():
        output.append(line)
        if show:
            print(line, end="", flush=True)
    code = process.wait()
    counts = check.count("".join(output), code) if check.count else Counts(1, 0) if code == 0 else Counts(0, 1)
    failed = bool(counts.failed)
    report = "".join(output) if failed and not show else ""
    print(f"{report}{'✗' if failed else '✓'} {check.title} ({time.monotonic() - started:.0f} s)", flush=True)
    return counts


def count_pytest(output: str, code: int) -> Counts:
    """Read pytest's closing line; an ending without one counts as one failure."""
    last = next((line for line in reversed(output.splitlines()) if re.search(r" in [\d.]+s", line)), "")
    found = {word: int(number) for number, word in re.findall(r"(\d+) (passed|failed|errors?)\b", last)}
    failed = sum(number for word, number in found.items() if word != "passed")
    return Counts(found.get("passed", 0), failed or int(code != 0))


def count_vitest(output: str, code: int) -> Counts:
    """Read vitest's line of tests; an ending without one counts as one failure."""
    plain = re.sub(r"\x1b\[[\d;]*m", "", output)
    line = next((line for line in plain.splitlines() if line.strip().startswith("Tests ")), "")
    found = {word: int(number) for number, word in re.findall(r"(\d+) (passed|failed)", line)}
    return Counts(found.get("passed", 0), found.get("failed", 0) or int(code != 0))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "test"))
