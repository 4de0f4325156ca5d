"""docs/profiles.md names what there is, and its examples come out as it says."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from contract.conversion.convert import Status, convert
from contract.conversion.expression import MAX_CHARACTERS, MAX_DEPTH, MAX_FUNCTIONS, MAX_PARTS
from contract.conversion.functions import FUNCTIONS, MAX_MULTIPLIED
from contract.conversion.profile import MAX_CONSTANTS, MAX_KNOTS, MAX_NAME, parse_profile

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "profiles.md").read_text(encoding="utf-8")
EXAMPLE = re.compile(
    r"```json\n(?P<payload>[^`]*)```\n\| raw \| physical \| status \|\n\|---\|---\|---\|\n(?P<rows>(?:\|.*\|\n)+)",
)
EXAMPLES = [(json.loads(found["payload"]), found["rows"].splitlines()) for found in EXAMPLE.finditer(TEXT)]


def test_each_example_has_its_values():
    assert len(EXAMPLES) == TEXT.count("```json") > 5


@pytest.mark.parametrize(("payload", "rows"), EXAMPLES)
def test_examples(payload, rows):
    profile = parse_profile(payload)
    for row in rows:
        raw, expected, status = (cell.strip() for cell in row.strip("|").split("|"))
        physical, code = convert(profile, np.array([float(raw)]))
        assert Status(code[0]).name.lower() == status
        assert physical[0] == pytest.approx(float(expected or "nan"), rel=1e-6, abs=1e-9, nan_ok=True)


def test_every_function_is_listed():
    table = TEXT.partition("| function | gives |")[2].partition("\n\n")[0]
    assert set(re.findall(r"`(\w+)\(", table)) == set(FUNCTIONS)


def test_every_status_is_listed():
    assert {f"`{status.name.lower()}`" for status in Status} <= set(re.findall(r"`\w+`", TEXT))


def test_the_limits_are_the_code_s():
    table = TEXT.partition("| limit | |")[2].partition("\n\n")[0]
    assert [int(n) for n in re.findall(r"\| (\d+) \|", table)] == [
        MAX_CHARACTERS,
        MAX_PARTS,
        MAX_FUNCTIONS,
        MAX_DEPTH,
        MAX_CONSTANTS,
    ]
    assert f"2 to {MAX_KNOTS} points" in TEXT
    assert f"from 2 to {MAX_MULTIPLIED}" in TEXT
    assert f"at most {MAX_NAME} in all" in TEXT
