"""Cells of CSV files (RFC 4180)."""

from typing import Final

# A spreadsheet would run a text that begins with one of these as a formula.
_FORMULA: Final = frozenset("=+-@\t\r")


def cell(text: str) -> str:
    """Write a text as a cell: harmless to spreadsheets, and quoted where it must be."""
    safe = "'" + text if text[:1] in _FORMULA else text
    if any(mark in safe for mark in ',"\r\n'):
        return '"' + safe.replace('"', '""') + '"'
    return safe
