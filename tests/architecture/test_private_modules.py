"""The contract of private modules finds what it is for."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CONFIG = """
[importlinter]
root_package = shop
contract_types =
    private_modules: tests.architecture.private_modules.PrivateModulesContract

[importlinter:contract:private]
name = private
type = private_modules
container = shop
endings =
    queries
composers =
    shop.app
"""


@pytest.mark.parametrize(
    ("importer", "imported", "kept"),
    [
        ("carts/service.py", "shop.carts.queries", True),
        ("carts/deep/inner.py", "shop.carts.read_queries", True),
        ("app.py", "shop.carts.queries", True),
        ("orders/service.py", "shop.carts.service", True),
        ("orders/service.py", "shop.carts.queries", False),
        ("orders/service.py", "shop.carts.read_queries", False),
        ("main.py", "shop.carts.queries", False),
        ("cartsandmore/service.py", "shop.carts.queries", False),
    ],
)
def test_contract(tmp_path: Path, importer: str, imported: str, kept: bool) -> None:
    for file in ("__init__", "app", "main", "carts/__init__", "carts/deep/__init__", "carts/deep/inner"):
        _write(tmp_path, f"{file}.py", "")
    for file in ("carts/queries", "carts/read_queries", "carts/service"):
        _write(tmp_path, f"{file}.py", "")
    for file in ("orders/__init__", "orders/service", "cartsandmore/__init__", "cartsandmore/service"):
        _write(tmp_path, f"{file}.py", "")
    _write(tmp_path, importer, f"import {imported}\n")
    (tmp_path / ".importlinter").write_text(CONFIG)
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()", "--no-cache"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == (0 if kept else 1), done.stdout + done.stderr
    name = "shop." + importer.removesuffix(".py").replace("/", ".")
    assert (f"{name} imports {imported}" in done.stdout) is not kept


def _write(root: Path, name: str, text: str) -> None:
    file = root / "shop" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
