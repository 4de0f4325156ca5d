"""Cells of CSV files."""

import csv
import io

import pytest

from hub.kit.cells import cell


@pytest.mark.parametrize("text", ["", "plain", "a,b", 'say "hi"', "two\r\nlines", "two\nlines", " space ", "1-2"])
def test_reads_back(text: str) -> None:
    assert next(csv.reader(io.StringIO(cell(text) + ",end\r\n", newline=""))) == [text, "end"]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@sum(a1)", "\t=1", "\r=1", '=a,"b"'])
def test_is_no_formula(text: str) -> None:
    assert next(csv.reader(io.StringIO(cell(text) + ",end\r\n", newline=""))) == ["'" + text, "end"]
