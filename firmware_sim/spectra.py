"""Spectra of simulated vibration sensors: lines over a noise floor, whose height follows a signal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firmware_sim.signals import Signal

F64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Line:
    """A bell-shaped line at `at` on the axis, `height` above the floor, `width` wide (standard deviation)."""

    at: float
    height: float
    width: float


@dataclass(frozen=True, slots=True)
class SpectrumPlan:
    """What a sensor's vectors look like: the axis it registers, lines, the noise floor's standard deviation."""

    axis: Mapping[str, Any]
    lines: tuple[Line, ...]
    floor: float

    @property
    def places(self) -> F64:
        """Return where the elements stand on the axis."""
        return self.axis.get("start", 0.0) + np.arange(self.axis["count"]) * self.axis["step"]


class Spectrum:
    """Vectors over time: the plan's lines, times what `signal` says at each instant, over the noise floor."""

    def __init__(self, plan: SpectrumPlan, signal: Signal, rng: np.random.Generator) -> None:
        self._plan = plan
        self._signal = signal
        self._rng = rng
        places = plan.places
        self._shape = sum(
            (line.height * np.exp(-(((places - line.at) / line.width) ** 2) / 2) for line in plan.lines),
            start=np.zeros(len(places)),
        )

    def at(self, t: F64) -> F64:
        """Return the vectors at `t` (seconds, float64[n]) as float64[n, m], rounded to a ten-thousandth."""
        noise = np.abs(self._plan.floor * self._rng.standard_normal((len(t), len(self._shape))))
        return np.round(self._signal.at(t)[:, np.newaxis] * self._shape + noise, 4)


def parse_spectrum(axis: Mapping[str, Any], lines: Sequence[Mapping[str, float]], floor: float) -> SpectrumPlan:
    """Read a spectrum's description; raises TypeError and KeyError for fields that are missing or unknown."""
    return SpectrumPlan(axis, tuple(Line(**line) for line in lines), floor)
