"""Recognise what a CSV file of measurements is made of: delimiter, time column and numeric columns, read exactly."""

import csv
import io
import math
import re
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]

MAX_VALUES = 50_000_000
_DELIMITERS = (",", ";", "\t", "|")
_PROBE_ROWS = 200
_TIME_NAME = re.compile(r"(^|[^a-z])(date|time|datetime|timestamp|ts|zeit|время|дата|t)([^a-z]|$)|time", re.IGNORECASE)
_DAY_FIRST = re.compile(r"^(\d{1,2})\.(\d{1,2})\.(\d{4})[ T](.+)$")
_UNIT_OF_TIME = re.compile(r"[_ (\[](ns|us|µs|ms|s|sec|seconds|min|h)[)\]]?$", re.IGNORECASE)
_US_PER = {
    "ns": Decimal("0.001"), "us": Decimal(1), "µs": Decimal(1), "ms": Decimal(1000), "s": Decimal(1_000_000),
    "sec": Decimal(1_000_000), "seconds": Decimal(1_000_000), "min": Decimal(60_000_000), "h": Decimal(3_600_000_000),
}  # fmt: skip


class CsvNotUnderstood(Exception):
    """The CSV file cannot be replayed."""


@dataclass(frozen=True, slots=True)
class Column:
    """One numeric column: `row` are the rows that have a value, `v` those values with the file's exact bits."""

    name: str
    row: I64
    v: F64

    @property
    def is_label(self) -> bool:
        """Say whether it holds nothing but 0 and 1: a mark made afterwards, no measurement."""
        return bool(np.all((self.v == 0.0) | (self.v == 1.0)))


@dataclass(frozen=True, slots=True)
class CsvFile:
    """A file as recognised: `t_us` int64[rows] in the file's order, which need not be the order of time."""

    path: Path
    delimiter: str
    time_column: str
    t_us: I64
    columns: tuple[Column, ...]
    unreadable: int

    def measured(self, wanted: Sequence[str] | None = None) -> tuple[Column, ...]:
        """Return the columns to replay: those named, else every one that is no label.

        Raises CsvNotUnderstood when a name is not there, or nothing is left.
        """
        if wanted is None:
            chosen = tuple(c for c in self.columns if not c.is_label)
            if not chosen:
                raise CsvNotUnderstood(
                    f"{self.path}: every numeric column holds only 0 and 1; name some with --columns"
                )
            return chosen
        by_name = {c.name: c for c in self.columns}
        unknown = [name for name in wanted if name not in by_name]
        if unknown:
            raise CsvNotUnderstood(f"{self.path} has no numeric column {unknown[0]!r}; it has {', '.join(by_name)}")
        return tuple(by_name[name] for name in wanted)


def read_csv(path: Path) -> CsvFile:
    """Read a file of measurements; times without a zone are taken as UTC.

    Raises CsvNotUnderstood saying what is missing and what to do.
    """
    text = _text(path)
    delimiter = _delimiter(text)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    head = next(rows, None)
    if head is None:
        raise CsvNotUnderstood(f"{path} is empty")
    body = [row for row in rows if any(cell.strip() for cell in row)]
    names = _names(head)
    if _is_number(head[0], delimiter) or _as_time(head[0]) is not None:
        body, names = [head, *body], [f"column {i + 1}" for i in range(len(head))]
    if not body:
        raise CsvNotUnderstood(f"{path} has a header and no rows")
    if len(body) * len(names) > MAX_VALUES:
        raise CsvNotUnderstood(f"{path} has {len(body)} rows of {len(names)} columns, too many at once: split the file")
    time_at = _time_column(path, names, body[:_PROBE_ROWS], delimiter)
    t_us, unreadable = _times(path, names[time_at], body, time_at, delimiter)
    numeric = [i for i in range(len(names)) if i != time_at and _mostly_numbers(body[:_PROBE_ROWS], i, delimiter)]
    if not numeric:
        raise CsvNotUnderstood(f"{path} has no numeric column beside {names[time_at]!r}")
    kept = [row for row, t in zip(body, t_us, strict=True) if t is not None]
    columns: list[Column] = []
    for i in numeric:
        column, bad = _column(names[i], kept, i, delimiter)
        columns.append(column)
        unreadable += bad
    times = np.array([t for t in t_us if t is not None], dtype=np.int64)
    return CsvFile(path, delimiter, names[time_at], times, tuple(columns), unreadable)


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as failed:
        raise CsvNotUnderstood(f"{path} cannot be read: {failed.strerror}") from failed
    if b"\x00" in data[:4096]:
        raise CsvNotUnderstood(f"{path} is a binary file, not CSV")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def _delimiter(text: str) -> str:
    # The right one cuts the most of the first lines into the same number of fields, above one.
    lines = [line for line in text[:65_536].split("\n")[:50] if line.strip()]

    def score(delimiter: str) -> tuple[int, int]:
        widths = [len(row) for row in csv.reader(lines, delimiter=delimiter)]
        width = max(set(widths), key=widths.count, default=1)
        return (widths.count(width), width) if width > 1 else (0, 0)

    best = max(_DELIMITERS, key=score)
    if score(best) == (0, 0):
        raise CsvNotUnderstood("no delimiter found: expected a comma, semicolon, tab or | between at least two columns")
    return best


def _names(head: Sequence[str]) -> list[str]:
    seen: dict[str, int] = {}
    names: list[str] = []
    for i, cell in enumerate(head):
        name = cell.strip() or f"column {i + 1}"
        seen[name] = seen.get(name, 0) + 1
        names.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return names


def _number(cell: str, delimiter: str) -> float | None:
    cell = cell.strip()
    if delimiter != "," and "," in cell and "." not in cell:
        cell = cell.replace(",", ".")  # a decimal comma
    if "_" in cell:
        return None  # Python would read 1_000
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _is_number(cell: str, delimiter: str) -> bool:
    return _number(cell, delimiter) is not None


def _mostly_numbers(rows: Sequence[Sequence[str]], i: int, delimiter: str) -> bool:
    cells = [row[i] for row in rows if i < len(row) and row[i].strip()]
    return bool(cells) and sum(_is_number(cell, delimiter) for cell in cells) * 2 > len(cells)


def _as_time(cell: str) -> datetime | None:
    cell = cell.strip()
    if len(cell) < 8 or cell.replace(".", "", 1).isdigit():
        return None
    if day_first := _DAY_FIRST.match(cell):
        day, month, year, clock = day_first.groups()
        cell = f"{year}-{int(month):02}-{int(day):02}T{clock}"
    try:
        read = datetime.fromisoformat(cell.replace("/", "-"))
    except ValueError:
        return None
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read


def _time_column(path: Path, names: Sequence[str], rows: Sequence[Sequence[str]], delimiter: str) -> int:
    def dates(i: int) -> int:
        return sum(1 for row in rows if i < len(row) and _as_time(row[i]) is not None)

    best = max(range(len(names)), key=dates)
    if dates(best) * 2 > len(rows):
        return best
    for i, name in enumerate(names):
        if _TIME_NAME.search(name) and _mostly_numbers(rows, i, delimiter):
            return i
    raise CsvNotUnderstood(
        f"{path} has no time column among {', '.join(names)}: expected ISO 8601, dd.mm.yyyy hh:mm:ss,"
        " or numbers in a column called time, timestamp or t"
    )


def _times(
    path: Path, name: str, rows: Sequence[Sequence[str]], i: int, delimiter: str
) -> tuple[list[int | None], int]:
    dates = sum(1 for row in rows[:_PROBE_ROWS] if i < len(row) and _as_time(row[i]) is not None)
    if dates:
        read = [_us(_as_time(row[i])) if i < len(row) else None for row in rows]
    else:
        per = _us_per_number(name, rows, i, delimiter)
        read = [_scaled(row[i], per) if i < len(row) else None for row in rows]
    unreadable = read.count(None)
    if unreadable == len(rows):
        raise CsvNotUnderstood(f"{path}: no time in column {name!r} can be read")
    return read, unreadable


def _us(at: datetime | None) -> int | None:
    if at is None:
        return None
    since = at - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def _us_per_number(name: str, rows: Sequence[Sequence[str]], i: int, delimiter: str) -> Decimal:
    if unit := _UNIT_OF_TIME.search(name):
        return _US_PER[unit.group(1).lower()]
    first = next((n for row in rows if i < len(row) and (n := _number(row[i], delimiter)) is not None), 0.0)
    # Seconds since 1970 have 10 digits in our time; three more each mean ms, µs, ns.
    for limit, unit in ((1e17, "ns"), (1e14, "us"), (1e11, "ms")):
        if abs(first) >= limit:
            return _US_PER[unit]
    return _US_PER["s"]


def _scaled(cell: str, us_per: Decimal) -> int | None:
    try:
        number = Decimal(cell.strip().replace(",", "."))
    except InvalidOperation:
        return None
    return int((number * us_per).to_integral_value()) if number.is_finite() else None


def _column(name: str, rows: Sequence[Sequence[str]], i: int, delimiter: str) -> tuple[Column, int]:
    at, values, unreadable = array("q"), array("d"), 0
    for number, row in enumerate(rows):
        cell = row[i].strip() if i < len(row) else ""
        if not cell:
            continue
        value = _number(cell, delimiter)
        if value is None:
            unreadable += 1
            continue
        at.append(number)
        values.append(value)
    return Column(name, np.array(at, dtype=np.int64), np.array(values, dtype=np.float64)), unreadable
