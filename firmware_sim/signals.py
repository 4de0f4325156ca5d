"""Signal shapes of simulated sensors: pure functions of time plus seeded randomness."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]


class SignalInvalid(Exception):
    """A part of a signal is not understood."""


class Part(Protocol):
    """One addend of a signal."""

    def at(self, t: F64) -> F64:
        """Return the part's values at `t` (seconds, ascending across calls), same shape."""
        ...


@dataclass(frozen=True, slots=True)
class Level:
    """A constant."""

    value: float

    def at(self, t: F64) -> F64:
        """Return the level for every instant."""
        return np.full(t.shape, self.value)


@dataclass(frozen=True, slots=True)
class Sine:
    """A sine of absolute time, so that every sensor of a bench keeps its phase across restarts."""

    amplitude: float
    period_s: float
    phase_s: float = 0.0

    def at(self, t: F64) -> F64:
        """Return the sine's values."""
        turns = np.mod(t - self.phase_s, self.period_s) / self.period_s
        return self.amplitude * np.sin(2.0 * np.pi * turns)


@dataclass(frozen=True, slots=True)
class Step:
    """A load step up by `height` for the last (1 - `low_share`) of each period, reached and left exponentially.

    `rise_s` is the time constant; 0 makes edges of one sample.
    """

    height: float
    period_s: float
    low_share: float = 0.5
    rise_s: float = 0.0
    phase_s: float = 0.0

    def at(self, t: F64) -> F64:
        """Return 0 … `height` of the step's settled cycle."""
        phase = np.mod(t - self.phase_s, self.period_s)
        low_s = self.low_share * self.period_s
        high = phase >= low_s
        if self.rise_s <= 0.0:
            return np.where(high, self.height, 0.0)
        fall = np.exp(-low_s / self.rise_s)
        rise = np.exp(-(self.period_s - low_s) / self.rise_s)
        # The settled cycle begins each rise where the fall before it ended, and the other way round.
        bottom = fall * (1.0 - rise) / (1.0 - fall * rise)
        top = 1.0 - (1.0 - bottom) * rise
        falling = top * np.exp(-phase / self.rise_s)
        rising = 1.0 - (1.0 - bottom) * np.exp(-(phase - low_s) / self.rise_s)
        return self.height * np.where(high, rising, falling)


class Noise:
    """White noise of standard deviation `sigma`."""

    def __init__(self, sigma: float, rng: np.random.Generator) -> None:
        self._sigma = sigma
        self._rng = rng

    def at(self, t: F64) -> F64:
        """Return one draw per instant; how the instants are cut into calls does not matter."""
        return self._sigma * self._rng.standard_normal(t.shape)


class Drift:
    """A random walk that is pulled back to zero: standard deviation `sigma`, memory of `memory_s` seconds."""

    def __init__(self, sigma: float, memory_s: float, rng: np.random.Generator) -> None:
        self._sigma = sigma
        self._memory_s = memory_s
        self._rng = rng
        self._last_t: float | None = None
        self._last = 0.0

    def at(self, t: F64) -> F64:
        """Continue the walk over `t`; a step back in time keeps the value."""
        draws = self._rng.standard_normal(t.shape)
        walked = np.empty(t.shape)
        for i, now in enumerate(t.tolist()):
            apart_s = 0.0 if self._last_t is None else max(0.0, now - self._last_t)
            kept = float(np.exp(-apart_s / self._memory_s))
            self._last = kept * self._last + self._sigma * float(np.sqrt(1.0 - kept * kept) * draws[i])
            self._last_t = now
            walked[i] = self._last
        return walked


class Spikes:
    """Rare single-sample excursions: `per_minute` of them on average, of `height` ± 30 %."""

    def __init__(self, height: float, per_minute: float, rng: np.random.Generator) -> None:
        self._height = height
        self._per_s = per_minute / 60.0
        self._rng = rng
        self._last_t: float | None = None

    def at(self, t: F64) -> F64:
        """Return 0 except at spikes."""
        if t.size == 0:
            return np.zeros(t.shape)
        before = t[0] if self._last_t is None else self._last_t
        apart_s = np.maximum(np.diff(t, prepend=before), 0.0)
        self._last_t = float(t[-1])
        # Two draws per instant, spike or not: the sequence stays independent of how calls are cut.
        draws = self._rng.random((t.size, 2))
        heights = self._height * (0.7 + 0.6 * draws[:, 1])
        return np.where(draws[:, 0] < apart_s * self._per_s, heights, 0.0)


class Signal:
    """The sum of its parts, optionally rounded to the step of an ADC."""

    def __init__(self, parts: Sequence[Part], resolution: float | None = None) -> None:
        self._parts = tuple(parts)
        self._resolution = resolution

    def at(self, t: F64) -> F64:
        """Return values at `t` (seconds, float64[n]) as float64[n]."""
        total = np.zeros(t.shape)
        for part in self._parts:
            total = total + part.at(t)
        if self._resolution is None:
            return total
        return np.round(total / self._resolution) * self._resolution


def parse_signal(parts: Sequence[Mapping[str, object]], seed: int, resolution: float | None = None) -> Signal:
    """Build a signal from its description, e.g. `[{"kind": "level", "value": 4.0}, {"kind": "noise", "sigma": 0.1}]`.

    Each random part draws from its own stream, so that adding a part leaves the others as they were.
    Raises SignalInvalid naming the part.
    """
    streams = np.random.SeedSequence(seed).spawn(len(parts))
    return Signal(
        [
            _parse_part(i, part, np.random.default_rng(s))
            for i, (part, s) in enumerate(zip(parts, streams, strict=True))
        ],
        resolution,
    )


_FIELDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "level": (("value",), ()),
    "sine": (("amplitude", "period_s"), ("phase_s",)),
    "step": (("height", "period_s"), ("low_share", "rise_s", "phase_s")),
    "noise": (("sigma",), ()),
    "drift": (("sigma", "memory_s"), ()),
    "spikes": (("height", "per_minute"), ()),
}


def _parse_part(index: int, part: Mapping[str, object], rng: np.random.Generator) -> Part:
    kind = part.get("kind")
    if not isinstance(kind, str) or kind not in _FIELDS:
        raise SignalInvalid(f"signal part {index + 1}: kind {kind!r} is none of {', '.join(_FIELDS)}")
    required, optional = _FIELDS[kind]
    numbers: dict[str, float] = {}
    for key, value in part.items():
        if key == "kind":
            continue
        if key not in required + optional:
            raise SignalInvalid(f"signal part {index + 1} ({kind}): unknown field {key!r}")
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise SignalInvalid(f"signal part {index + 1} ({kind}): {key} must be a number")
        numbers[key] = float(value)
    missing = [key for key in required if key not in numbers]
    if missing:
        raise SignalInvalid(f"signal part {index + 1} ({kind}): {', '.join(missing)} missing")
    if any(numbers.get(key, 1.0) <= 0.0 for key in ("period_s", "memory_s")):
        raise SignalInvalid(f"signal part {index + 1} ({kind}): periods must be above 0")
    return _make(kind, numbers, rng)


def _make(kind: str, numbers: dict[str, float], rng: np.random.Generator) -> Part:
    match kind:
        case "level":
            return Level(**numbers)
        case "sine":
            return Sine(**numbers)
        case "step":
            return Step(**numbers)
        case "noise":
            return Noise(numbers["sigma"], rng)
        case "drift":
            return Drift(numbers["sigma"], numbers["memory_s"], rng)
        case _:
            return Spikes(numbers["height"], numbers["per_minute"], rng)
