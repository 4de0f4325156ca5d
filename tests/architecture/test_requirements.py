"""docs/requirements.md names tests that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "requirements.md").read_text(encoding="utf-8")
REFERENCES = sorted(set(re.findall(r"`(tests/[^`]+)`", TEXT)))


def test_there_are_references() -> None:
    assert len(REFERENCES) > 30


@pytest.mark.parametrize("reference", REFERENCES)
def test_exists(reference: str) -> None:
    path, _, name = reference.partition("::")
    source = (ROOT / path).read_text(encoding="utf-8")
    if name:
        assert re.search(rf"^(?:class|def|async def) {name}\b", source, re.MULTILINE), f"{path} has no {name}"
