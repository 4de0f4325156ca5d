"""Property tests draw as the profile says: no dice in builds, many more cases in a search."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import cases

TESTS = Path(__file__).parent


def drawn(times: int) -> list[list[int]]:
    """Run one property several times and return what each run drew."""
    runs: list[list[int]] = []

    @cases.cases(20)
    @given(st.integers())
    def note(number: int) -> None:
        runs[-1].append(number)

    for _ in range(times):
        runs.append([])
        note()
    return runs


@pytest.fixture(params=["build", cases.SEARCH])
def profile(request: pytest.FixtureRequest):
    before = settings.get_current_profile_name()
    settings.load_profile(request.param)
    yield request.param
    settings.load_profile(before)


@pytest.mark.usefixtures("profile")
class TestDraws:
    @pytest.mark.parametrize("profile", ["build"], indirect=True)
    def test_the_same_in_each_build(self):
        first, second = drawn(2)
        assert first == second
        assert 0 < len(first) <= 20

    @pytest.mark.parametrize("profile", [cases.SEARCH], indirect=True)
    def test_others_in_each_search_and_more(self):
        first, second = drawn(2)
        assert first != second
        assert len(first) > 500

    def test_a_number_of_its_own_for_searches(self, profile):
        assert cases.cases(3, in_search=7).max_examples == (7 if profile == cases.SEARCH else 3)


def test_nobody_else_says_how_many():
    """A test with settings of its own would draw by chance in builds, or too little in searches."""
    imported = re.compile(r"^from hypothesis import .*\bsettings\b", re.MULTILINE)
    found = [file.name for file in TESTS.rglob("*.py") if imported.search(file.read_text(encoding="utf-8"))]
    assert sorted(found) == ["cases.py", "test_cases.py"]
