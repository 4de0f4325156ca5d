"""Counting what the tools report."""

import sys
from pathlib import Path

import pytest

from tests.bin.scripts import script

check = script("check")


@pytest.mark.parametrize(
    ("line", "code", "passed", "failed"),
    [
        ("====== 12 passed in 3.45s ======", 0, 12, 0),
        ("= 2 failed, 310 passed, 1 error in 65.10s (0:01:05) =", 1, 310, 3),
        ("3 passed in 0.1s", 0, 3, 0),
        ("no tests ran in 0.01s", 5, 0, 1),
        ("Segmentation fault", 139, 0, 1),
        ("12 passed, 4 warnings in 1.00s", 1, 12, 1),
    ],
)
def test_pytest_is_counted_by_its_closing_line(line: str, code: int, passed: int, failed: int):
    assert check.count_pytest(f"some output with 7 failed\n{line}\n", code) == check.Counts(passed, failed)


@pytest.mark.parametrize(
    ("line", "code", "passed", "failed"),
    [
        ("      Tests  23 passed (23)", 0, 23, 0),
        ("\x1b[2m      Tests \x1b[22m \x1b[31m1 failed\x1b[39m | \x1b[32m22 passed\x1b[39m (23)", 1, 22, 1),
        ("Error: cannot find module", 1, 0, 1),
    ],
)
def test_vitest_is_counted_by_its_line_of_tests(line: str, code: int, passed: int, failed: int):
    assert check.count_vitest(f" Test Files  5 passed (5)\n{line}\n", code) == check.Counts(passed, failed)


def test_output_of_a_failed_check_is_shown_and_of_a_passed_one_is_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    good = check.Check("good", [sys.executable, "-c", "print('all well')"], tmp_path)
    bad = check.Check("bad", [sys.executable, "-c", "print('line 3: wrong'); raise SystemExit(1)"], tmp_path)
    assert check.run(good, {}, show=False) == check.Counts(1, 0)
    assert check.run(bad, {}, show=False) == check.Counts(0, 1)
    output = capsys.readouterr().out
    assert "all well" not in output
    assert "✓ good" in output
    assert "line 3: wrong\n✗ bad" in output
