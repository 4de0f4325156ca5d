"""The dashboard has words, in both languages, for every kind of fact that the hub writes down."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TABLES = ROOT / "frontend" / "src" / "app" / "i18n"
# Kinds whose last word is chosen where they are recorded: the words, as the calls name them.
CHOSEN = {
    "profile.": {"drafted", "updated", "deleted", "published", "withdrawn"},
    "backfill.": {"finished", "failed"},
}
ELSEWHERE = {"user.disabled", "user.enabled"}


def kinds() -> Iterator[str]:
    """Find the first argument of each `Fact(…)`: the kind, or its beginning where the rest is put in."""
    for file in sorted((ROOT / "hub").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id="Fact"), args=[ast.Constant(value=str(kind)), *_]):
                    yield kind
                case ast.Call(
                    func=ast.Name(id="Fact"), args=[ast.JoinedStr(values=[ast.Constant(value=str(start)), *_]), *_]
                ):
                    yield from (start + word for word in CHOSEN[start])
                case _:
                    pass


def test_the_search_finds_its_way() -> None:
    found = set(kinds())
    assert {"capture.sealed", "capture.stopped", "profile.published", "backfill.failed"} <= found
    assert len(found) > 70


@pytest.mark.parametrize("language", ["en", "ru"])
def test_every_kind_has_words(language: str) -> None:
    named = set(re.findall(r'^ {2}"kind\.([a-z_.]+)":', (TABLES / f"{language}-audit.ts").read_text(), re.MULTILINE))
    assert set(kinds()) | ELSEWHERE <= named
