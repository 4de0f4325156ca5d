"""What a benchmark found: medians over rounds, judged against floors, as a table and as JSON."""

from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Literal

import msgspec

Better = Literal["higher", "lower"]


class Figure(msgspec.Struct, frozen=True):
    """One line of `bench.json`.

    The floor bounds `ratio` where there is one, else `value`. `spread` is (max − min) ÷ median over the rounds of
    whatever the floor bounds. `value` is null when the benchmark failed.
    """

    name: str
    value: float | None
    unit: str
    ratio: float | None
    against: str | None
    floor: float | None
    better: Better
    held: bool
    spread: float | None


def of_ratios(
    name: str,
    values: Sequence[float],
    ceilings: Sequence[float],
    *,
    unit: str,
    against: str,
    floor: float | None,
    better: Better = "higher",
) -> Figure:
    """Judge the median of value ÷ ceiling, round by round; a ratio at the floor, or on its better side, holds it."""
    ratios = [value / ceiling for value, ceiling in zip(values, ceilings, strict=True)]
    ratio = median(ratios)
    return Figure(
        name=name,
        value=_short(median(values)),
        unit=unit,
        ratio=_short(ratio),
        against=against,
        floor=floor,
        better=better,
        held=floor is None or (ratio >= floor if better == "higher" else ratio <= floor),
        spread=_short(spread_of(ratios)),
    )


def of_values(
    name: str, values: Sequence[float], *, unit: str, limit: float | None, better: Better = "lower"
) -> Figure:
    """Judge the median of values; below the limit holds it, where more is better at the limit or above."""
    value = median(values)
    return Figure(
        name=name,
        value=_short(value),
        unit=unit,
        ratio=None,
        against=None,
        floor=limit,
        better=better,
        held=limit is None or (value >= limit if better == "higher" else value < limit),
        spread=_short(spread_of(values)),
    )


def failed(name: str, unit: str, floor: float | None, better: Better) -> Figure:
    """Say that a benchmark gave no value, which holds no floor."""
    return Figure(name, None, unit, None, None, floor, better, held=False, spread=None)


def spread_of(values: Sequence[float]) -> float:
    """Return (max − min) ÷ median."""
    middle = median(values)
    return (max(values) - min(values)) / middle if middle else 0.0


def write(figures: Sequence[Figure], path: Path) -> None:
    """Write the figures as JSON, in one step, so that nobody reads half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".json.new")
    unfinished.write_bytes(msgspec.json.format(msgspec.json.encode(figures), indent=2) + b"\n")
    unfinished.replace(path)


HEADINGS = ("benchmark", "value", "unit", "ratio", "against", "floor", "spread", "held")


def table(figures: Sequence[Figure]) -> str:
    """Lay the figures out as text columns."""
    rows = [HEADINGS, *(_row(figure) for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])


def _row(figure: Figure) -> tuple[str, ...]:
    bound = "" if figure.floor is None else f"{'≥' if figure.better == 'higher' else '<'} {figure.floor:g}"
    return (
        figure.name,
        "failed" if figure.value is None else f"{figure.value:,.10g}",
        figure.unit,
        "" if figure.ratio is None else f"{figure.ratio:.3g}",
        figure.against or "",
        bound,
        "" if figure.spread is None else f"{figure.spread:.0%}",
        "yes" if figure.held else "NO",
    )


def _short(value: float) -> float:
    """Keep four digits: more would claim what a measurement cannot know."""
    return float(f"{value:.4g}")
