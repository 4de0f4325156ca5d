"""The lock files: complete, hashed, without addresses."""

import json
import re
import tomllib
from pathlib import Path

import pytest

from tests.bin.scripts import ROOT

PYTHON_LOCKS = ("requirements.lock", "requirements-test.lock", "requirements-node.lock")


def pins(lock: str) -> dict[str, str]:
    """Read the version of each package."""
    return dict(re.findall(r"^([a-z0-9._-]+)==([^\s;]+)", (ROOT / lock).read_text(), re.MULTILINE))


def names(requirements: list[str | dict[str, str]]) -> set[str]:
    """Read the package names of a list of requirements."""
    return {re.split(r"[\[~=<>; ]", text, maxsplit=1)[0].lower() for text in requirements if isinstance(text, str)}


@pytest.mark.parametrize("lock", PYTHON_LOCKS)
def test_every_package_has_hashes_and_no_line_an_address(lock: str):
    text = (ROOT / lock).read_text()
    assert not re.search(r"://|file:|^-|@ ", text, re.MULTILINE)
    blocks = re.split(r"^(?=\S)", text, flags=re.MULTILINE)[1:]
    assert len(blocks) == len(pins(lock))
    assert [block for block in blocks if "--hash=sha256:" not in block] == []


def test_locks_hold_what_pyproject_asks_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert names(project["project"]["dependencies"]) <= pins("requirements.lock").keys()
    assert names(project["dependency-groups"]["test"]) <= pins("requirements-test.lock").keys()


def test_tests_run_on_the_versions_that_are_shipped():
    assert pins("requirements.lock").items() <= pins("requirements-test.lock").items()


def test_tools_that_only_tests_need_stay_out_of_the_run_time():
    assert not {"pytest", "ruff", "basedpyright", "hypothesis", "playwright"} & pins("requirements.lock").keys()


def test_lock_of_the_front_end_has_integrity_and_no_addresses():
    lock = json.loads(Path(ROOT / "frontend" / "package-lock.json").read_text())
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert packages
    assert [name for name, package in packages.items() if "://" in package.get("resolved", "")] == []
    assert [name for name, package in packages.items() if "integrity" not in package and not package.get("link")] == []
