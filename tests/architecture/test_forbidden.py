"""What the programs that take input of strangers never do, read off their syntax."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from pydantic import BaseModel

from hub.app import ENDPOINTS, LIVE_ENDPOINTS

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ("contract", "hub", "edge", "broker")
# They start programs, evaluate bytes as code or objects, resolve entities, or reach past Python's memory.
DANGEROUS = {
    "code",
    "codeop",
    "ctypes",
    "dill",
    "lxml",
    "marshal",
    "multiprocessing",
    "pickle",
    "pty",
    "runpy",
    "shelve",
    "subprocess",
    "xml",
    "yaml",
}
EVALUATING = {"eval", "exec", "compile", "__import__"}
PATTERN_METHODS = {"compile", "search", "match", "fullmatch", "sub", "subn", "split", "findall", "finditer"}
# Jitter of waiting times.
BY_CHANCE = {"hub/kit/workers.py", "edge/backoff.py"}
# Texts with {places}: attributes of classes and constants, never what came in.
TEMPLATES = {"self.detail", "text.subject", "text.body", "REF", "_PAGE_POLICY"}
REDIRECTS = {"HTTPMovedPermanently", "HTTPFound", "HTTPSeeOther", "HTTPTemporaryRedirect", "HTTPPermanentRedirect"}
# ThingsBoard's device API has it nowhere else; its address is masked in the log, and the route can be switched off.
TOKEN_IN_ADDRESS = {"/api/v1/{token}/telemetry": "token"}
SECRET_WORDS = {"token", "password", "otp", "code", "secret", "key", "jwt"}


@cache
def modules() -> list[tuple[str, ast.Module]]:
    """Return each source file of the programs with its syntax."""
    return [
        (str(file.relative_to(ROOT)), ast.parse(file.read_text(encoding="utf-8")))
        for program in PROGRAMS
        for file in sorted((ROOT / program).rglob("*.py"))
    ]


def imported(tree: ast.Module) -> Iterator[str]:
    """Yield the dotted names that a module imports."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=str(module), names=names):
                yield from (f"{module}.{alias.name}" for alias in names)
            case _:
                pass


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """Yield each call with what is called, written out."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def test_the_search_finds_its_way() -> None:
    tree = ast.parse("import os.path\nfrom xml.dom import minidom\nos.system('x')\n")
    assert list(imported(tree)) == ["os.path", "xml.dom.minidom"]
    assert [name for name, _ in calls(tree)] == ["os.system"]
    assert len(modules()) > 100


def test_programs_that_take_input_import_nothing_dangerous() -> None:
    found = [(file, name) for file, tree in modules() for name in imported(tree) if name.split(".")[0] in DANGEROUS]
    assert found == []
    shells = [
        (file, name)
        for file, tree in modules()
        for name, _ in calls(tree)
        if re.match(r"os\.(system|popen|exec|spawn)", name)
    ]
    assert shells == []


def test_nothing_is_evaluated() -> None:
    assert [(file, name) for file, tree in modules() for name, _ in calls(tree) if name in EVALUATING] == []


def test_patterns_are_literals() -> None:
    """What is built while a module is imported is built from its constants: only functions know input."""
    built = [
        (file, ast.unparse(call))
        for file, tree in modules()
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for name, call in calls(function)
        if name.split(".")[0] == "re" and name.split(".")[-1] in PATTERN_METHODS
        if not isinstance(call.args[0], ast.Constant)
    ]
    assert built == []


def test_texts_with_places_are_constants() -> None:
    found = {
        name.removesuffix(".format")
        for _, tree in modules()
        for name, call in calls(tree)
        if isinstance(call.func, ast.Attribute)
        and call.func.attr in {"format", "format_map"}
        and not isinstance(call.func.value, ast.Constant)
    }
    assert found <= TEMPLATES


def test_secrets_are_not_made_by_chance() -> None:
    found = {file for file, tree in modules() for name in imported(tree) if name.split(".")[0] == "random"}
    assert found <= BY_CHANCE


def test_only_good_hashes() -> None:
    used = {
        ast.unparse(node)
        for _, tree in modules()
        for node in ast.walk(tree)
        if re.fullmatch(r"hashlib\.\w+|hashes\.[A-Z]\w+", ast.unparse(node) if isinstance(node, ast.Attribute) else "")
    }
    # The third is Mosquitto's, over SHA-512; the last is under what a process remembers that a token was checked.
    assert used == {"hashlib.sha256", "hashes.SHA256", "hashlib.pbkdf2_hmac", "hashlib.blake2b"}


def test_only_one_cipher() -> None:
    ciphers = {name for _, tree in modules() for name in imported(tree) if ".ciphers" in name or ".asymmetric" in name}
    assert ciphers == {"cryptography.hazmat.primitives.ciphers.aead.AESGCM"}


def test_the_hub_redirects_nobody() -> None:
    found = [
        (file, node.lineno)
        for file, tree in modules()
        for node in ast.walk(tree)
        if (isinstance(node, ast.Attribute) and node.attr in REDIRECTS)
        or (isinstance(node, ast.Constant) and node.value == "Location")
    ]
    assert found == []


def test_no_secret_is_taken_from_an_address() -> None:
    for endpoint in (*ENDPOINTS, *LIVE_ENDPOINTS):
        names = set(endpoint.path_types) | _fields(endpoint.query)
        secrets = {name for name in names if name.split("_")[-1] in SECRET_WORDS}
        assert secrets <= {TOKEN_IN_ADDRESS.get(endpoint.path, "")}, endpoint.path


def _fields(model: type[BaseModel] | None) -> set[str]:
    return set() if model is None else set(model.model_fields)
