"""docs/security.md answers every requirement of the standard's levels 1 and 2, and what it cites exists."""

import re
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
THREATS = (ROOT / "docs" / "threats.md").read_text(encoding="utf-8")
MOST_GAPS = 10
# Section, then for each requirement of level 1 or 2 its number and, after the colon, its level (OWASP ASVS 5.0.0).
LEVELS = """
V1.1 1:2 2:2
V1.2 1:1 2:1 3:1 4:1 5:1 6:2 7:2 8:2 9:2
V1.3 1:1 2:1 3:2 4:2 5:2 6:2 7:2 8:2 9:2 10:2 11:2
V1.4 1:2 2:2 3:2
V1.5 1:1 2:2
V2.1 1:1 2:2 3:2
V2.2 1:1 2:1 3:2
V2.3 1:1 2:2 3:2 4:2
V2.4 1:2
V3.2 1:1 2:1
V3.3 1:1 2:2 3:2 4:2
V3.4 1:1 2:1 3:2 4:2 5:2 6:2
V3.5 1:1 2:1 3:1 4:2 5:2
V3.7 1:2 2:2
V4.1 1:1 2:2 3:2
V4.2 1:2
V4.3 1:2 2:2
V4.4 1:1 2:2 3:2 4:2
V5.1 1:2
V5.2 1:1 2:1 3:2
V5.3 1:1 2:1
V5.4 1:2 2:2 3:2
V6.1 1:1 2:2 3:2
V6.2 1:1 2:1 3:1 4:1 5:1 6:1 7:1 8:1 9:2 10:2 11:2 12:2
V6.3 1:1 2:1 3:2 4:2
V6.4 1:1 2:1 3:2 4:2
V6.5 1:2 2:2 3:2 4:2 5:2
V6.6 1:2 2:2 3:2
V6.8 1:2 2:2 3:2 4:2
V7.1 1:2 2:2 3:2
V7.2 1:1 2:1 3:1 4:1
V7.3 1:2 2:2
V7.4 1:1 2:1 3:2 4:2 5:2
V7.5 1:2 2:2
V7.6 1:2 2:2
V8.1 1:1 2:2
V8.2 1:1 2:1 3:2
V8.3 1:1
V8.4 1:2
V9.1 1:1 2:1 3:1
V9.2 1:1 2:2 3:2 4:2
V10.1 1:2 2:2
V10.2 1:2 2:2
V10.3 1:2 2:2 3:2 4:2
V10.4 1:1 2:1 3:1 4:1 5:1 6:2 7:2 8:2 9:2 10:2 11:2
V10.5 1:2 2:2 3:2 4:2 5:2
V10.6 1:2 2:2
V10.7 1:2 2:2 3:2
V11.1 1:2 2:2
V11.2 1:2 2:2 3:2
V11.3 1:1 2:1 3:2
V11.4 1:1 2:2 3:2 4:2
V11.5 1:2
V11.6 1:2
V12.1 1:1 2:2 3:2
V12.2 1:1 2:1
V12.3 1:2 2:2 3:2 4:2
V13.1 1:2
V13.2 1:2 2:2 3:2 4:2 5:2
V13.3 1:2 2:2
V13.4 1:1 2:2 3:2 4:2 5:2
V14.1 1:2 2:2
V14.2 1:1 2:2 3:2 4:2
V14.3 1:1 2:2 3:2
V15.1 1:1 2:2 3:2
V15.2 1:1 2:2 3:2
V15.3 1:1 2:2 3:2 4:2 5:2 6:2 7:2
V16.1 1:2
V16.2 1:2 2:2 3:2 4:2 5:2
V16.3 1:2 2:2 3:2 4:2
V16.4 1:2 2:2 3:2
V16.5 1:2 2:2 3:2
V17.1 1:2
V17.2 1:2 2:2 3:2 4:2
V17.3 1:2 2:2
"""


class Row(NamedTuple):
    """One requirement as the document answers it."""

    id: str
    level: str
    asks: str
    verdict: str
    where: str
    proof: str


def required() -> dict[str, str]:
    """Return the level of each requirement by its id."""
    found: dict[str, str] = {}
    for line in LEVELS.split("\n"):
        section, _, rest = line.partition(" ")
        for one in rest.split():
            number, _, level = one.partition(":")
            found[f"{section}.{number}"] = level
    return found


def rows() -> list[Row]:
    """Return the rows of the document's tables that begin with the id of a requirement."""
    lines = [line for line in DOCUMENT.splitlines() if re.match(r"\| V\d", line)]
    return [Row(*(cell.strip() for cell in line.strip("|").split(" | "))) for line in lines]


def cited(text: str) -> set[str]:
    """Return the files, and tests within files, that a text names in backticks."""
    named = re.findall(r"`((?:\.?[\w-]+/)+[\w.*-]+(?:\.\w+)?(?:::[\w:]+)?)`", text)
    return {name for name in named if (ROOT / name.split("/")[0]).is_dir()}


def test_every_requirement_once() -> None:
    levels = required()
    assert Counter(levels.values()) == {"1": 70, "2": 183}
    assert [(row.id, row.level) for row in rows()] == list(levels.items())


def test_verdicts() -> None:
    assert {row.verdict for row in rows()} <= {"met", "n/a", "gap"}
    for row in rows():
        assert row.asks, row.id
        assert len(row.where) > 3, f"{row.id}: say where, or why not"
        if row.verdict == "met":
            assert "tests/" in row.proof or "`" in row.proof or row.proof.startswith(("this", '"')), row.id


def test_level_1_has_no_gap() -> None:
    assert [row.id for row in rows() if row.level == "1" and row.verdict == "gap"] == []


def test_gaps_of_level_2_are_few_and_told_at_the_beginning() -> None:
    gaps = [row.id for row in rows() if row.verdict == "gap"]
    assert len(gaps) <= MOST_GAPS
    (told,) = re.findall(r"\*\*Gaps of level 2[^*]*\*\*:?(.*?)\n\n", DOCUMENT, re.DOTALL)
    assert re.findall(r"V\d+\.\d+\.\d+", told) == gaps


def test_chapters_that_are_quoted_exist() -> None:
    headings = set(re.findall(r"^#+ (.+)$", DOCUMENT, re.MULTILINE)) | set(
        re.findall(r"^\*\*(.+?)\.?\*\*", DOCUMENT, re.MULTILINE)
    )
    for row in rows():
        for title in re.findall(r'"([A-Z][^"]+)"', f"{row.where} {row.proof}"):
            assert title in headings, f"{row.id}: {title}"


def test_something_is_cited() -> None:
    assert len(cited(DOCUMENT)) > 100
    assert len(cited(THREATS)) > 30


@pytest.mark.parametrize("reference", sorted(cited(DOCUMENT) | cited(THREATS)))
def test_what_is_cited_exists(reference: str) -> None:
    path, *names = reference.split("::")
    assert list(ROOT.glob(path)), reference
    if names:
        source = (ROOT / path).read_text(encoding="utf-8")
        for name in names:
            assert re.search(rf"^\s*(?:class|def|async def) {name}\b", source, re.MULTILINE), f"{path} has no {name}"
