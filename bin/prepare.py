#!/usr/bin/env python3
"""Prepare a checkout with Python's standard library alone: virtual environment, packages, Node, the built front end.

`bin/prepare.py run` prepares what `make run` needs, `… test` and `… bench` what these need, too. Every step
remembers a hash of what it was made from, so that nothing is done twice.
"""

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
FRONTEND = ROOT / "frontend"
STAMPS = VENV / "prepared.json"
SYSTEM_PROGRAMS = {
    "chromium": ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"),
    "mosquitto": ("mosquitto", "/usr/sbin/mosquitto"),
    "redis-server": ("redis-server",),
    "mosquitto-clients": ("mosquitto_pub",),
}
NEEDED = {"test": tuple(SYSTEM_PROGRAMS), "bench": ("mosquitto",)}


def main(goal: str) -> None:
    """Prepare everything for `goal` ("run", "test" or "bench"); one process at a time does it."""
    if sys.version_info < (3, 11):  # noqa: UP036 - whoever calls this by hand may have an older one
        sys.exit(f"Python 3.11 or newer is needed, this is {sys.version.split()[0]}: make PYTHON=python3.12 …")
    VENV.mkdir(exist_ok=True)
    with (VENV / "prepare.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("· waiting for another make, which prepares the checkout", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        environment()
        packages(ROOT / "requirements.lock", "Python packages")
        if goal == "test":
            packages(ROOT / "requirements-test.lock", "Python packages for tests")
        checkout()
        frontend(node())
    system_programs(goal)


def environment() -> None:
    """Create `.venv`, anew when it belongs to another Python or the checkout was moved."""
    made_from = digest([], f"{sys.version_info[:2]} {sys.platform} {VENV}")
    fits = f"import pip, sys; sys.exit(sys.version_info[:2] != {sys.version_info[:2]})"
    if stamp("environment") in (None, made_from) and PYTHON.exists() and works([PYTHON, "-c", fits]):
        remember("environment", made_from)
        return
    STAMPS.unlink(missing_ok=True)
    for old in ("bin", "lib", "include"):
        shutil.rmtree(VENV / old, ignore_errors=True)
    if not works([sys.executable, "-c", "import ensurepip, venv"]) and shutil.which("apt-get"):
        install_debian([f"python3.{sys.version_info[1]}-venv"], "Python's venv module is missing")
    step("Virtual environment", [sys.executable, "-m", "venv", VENV])
    remember("environment", made_from)


def packages(lock: Path, title: str) -> None:
    """Install what a lock file lists, checked against its hashes."""
    made_from = digest([lock])
    if stamp(lock.name) == made_from:
        return
    step(title, [PYTHON, "-m", "pip", "install", "--disable-pip-version-check", "--require-hashes", "-r", lock])
    remember(lock.name, made_from)


def checkout() -> None:
    """Install the checkout itself in editable form, without network access."""
    made_from = digest([ROOT / "pyproject.toml"])
    if stamp("checkout") == made_from and (VENV / "bin" / "etp").exists():
        return
    pip = [PYTHON, "-m", "pip", "install", "--disable-pip-version-check", "--no-index", "--no-deps"]
    step("Commands etp and demo-sensor", [*pip, "--no-build-isolation", "--editable", ROOT])
    remember("checkout", made_from)


def node() -> dict[str, str]:
    """Find Node (^20.19 or ≥ 22.12) or install the one from the wheel; return an environment whose PATH has it."""
    if fitting_node(os.environ["PATH"]):
        return dict(os.environ)
    packages(ROOT / "requirements-node.lock", "Node from its wheel, since the system has none that fits")
    path = f"{VENV / 'bin'}{os.pathsep}{os.environ['PATH']}"
    if not fitting_node(path):
        sys.exit("Neither the system nor the wheel has a Node that works: install Node ≥ 22.12")
    return {**os.environ, "PATH": path}


def fitting_node(path: str) -> bool:
    """Tell whether `path` holds a Node new enough for Vite, and npm."""
    program = shutil.which("node", path=path)
    if program is None or shutil.which("npm", path=path) is None:
        return False
    answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"v(\d+)\.(\d+)", answer)
    version = (int(found[1]), int(found[2])) if found else (0, 0)
    return (20, 19) <= version < (21, 0) or version >= (22, 12)


def frontend(env: dict[str, str]) -> None:
    """Install the front end's packages and build it when its sources have changed."""
    lock = FRONTEND / "package-lock.json"
    installed = FRONTEND / "node_modules" / ".prepared"
    made_from = digest([lock, FRONTEND / "package.json"])
    if read(installed) != made_from:
        step("Front end packages", ["npm", "ci", "--no-audit", "--no-fund"], cwd=FRONTEND, env=env)
        installed.write_text(made_from)
    built = FRONTEND / "dist" / ".prepared"
    made_from = digest(frontend_sources())
    if read(built) != made_from:
        step("Front end", ["npm", "run", "build"], cwd=FRONTEND, env=env)
        built.write_text(made_from)


def frontend_sources() -> list[Path]:
    """List what the built front end depends on."""
    top = [
        p for p in FRONTEND.iterdir() if p.is_file() and p.suffix in {".json", ".ts", ".js", ".html", ".cjs", ".mjs"}
    ]
    below = [p for folder in ("src", "public") for p in (FRONTEND / folder).rglob("*") if p.is_file()]
    return sorted([*top, *(p for p in below if ".test." not in p.name)])


def system_programs(goal: str) -> None:
    """Find the system programs that a goal needs; root gets them from Debian's packages, others are told how."""
    missing = [package for package in NEEDED.get(goal, ()) if not any(map(shutil.which, SYSTEM_PROGRAMS[package]))]
    if missing:
        install_debian(missing, f"make {goal} needs " + " and ".join(missing))


def install_debian(names: Sequence[str], reason: str) -> None:
    """Install Debian packages as root; otherwise print one line that says how to get them."""
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        print(f"! {reason}. On Debian: sudo apt-get install {' '.join(names)}", flush=True)
        return
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    step("Debian's package list", ["apt-get", "update"], env=env)
    step(" and ".join(names), ["apt-get", "install", "-y", "--no-install-recommends", *names], env=env)


def step(title: str, command: Sequence[str | Path], cwd: Path = ROOT, env: dict[str, str] | None = None) -> None:
    """Run one long command, showing how far it is; end everything with its output when it fails."""
    started = time.monotonic()
    process = subprocess.Popen(
        [str(part) for part in command],
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    output: list[str] = []
    reader = threading.Thread(target=collect, args=(process, output), daemon=True)
    reader.start()
    next_line_s = 0.0
    while process.poll() is None:
        elapsed_s = time.monotonic() - started
        last = output[-1][:90] if output else ""
        if sys.stdout.isatty():
            print(f"\r\033[K· {title} … {elapsed_s:.0f} s  {last}", end="", flush=True)
        elif elapsed_s >= next_line_s:
            print(f"· {title} … {elapsed_s:.0f} s  {last}".rstrip(), flush=True)
            next_line_s += 10
        time.sleep(0.1)
    reader.join()
    start_of_line = "\r\033[K" if sys.stdout.isatty() else ""
    if process.returncode != 0:
        print(f"{start_of_line}✗ {title}", *output[-40:], sep="\n")
        sys.exit(f"{' '.join(map(str, command))} ended with {process.returncode}")
    print(f"{start_of_line}✓ {title} ({time.monotonic() - started:.0f} s)", flush=True)


def collect(process: subprocess.Popen[str], output: list[str]) -> None:
    """Keep the lines that a process prints."""
    output.extend(line.strip() for line in process.stdout or () if line.strip())


def works(command: Sequence[str | Path]) -> bool:
    """Tell whether a command ends well."""
    return subprocess.run([str(part) for part in command], capture_output=True, check=False).returncode == 0


def digest(files: Iterable[Path], salt: str = "") -> str:
    """Hash the names and contents of files."""
    total = hashlib.sha256(salt.encode())
    for file in files:
        total.update(file.relative_to(ROOT).as_posix().encode() + b"\0" + hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()


def read(file: Path) -> str | None:
    """Read a file that may not exist."""
    return file.read_text() if file.exists() else None


def stamp(name: str) -> str | None:
    """Return what a step in the virtual environment was last made from."""
    return json.loads(read(STAMPS) or "{}").get(name)


def remember(name: str, made_from: str) -> None:
    """Note that a step in the virtual environment is done."""
    known = json.loads(read(STAMPS) or "{}")
    STAMPS.write_text(json.dumps({**known, name: made_from}, indent=1))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "run")
