"""Scenarios: test benches described in TOML files, sampled on a steady clock."""

import asyncio
import time
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Never, cast

import numpy as np
from numpy.typing import NDArray

from firmware_sim.device import Device
from firmware_sim.faults import FaultPlan
from firmware_sim.signals import Signal, SignalInvalid, parse_signal
from firmware_sim.spectra import Spectrum, SpectrumPlan, parse_spectrum
from firmware_sim.switching import Switch, parse_switch

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]

FOLDER = Path(__file__).parent / "scenarios"
# Further behind than this (a suspended laptop) a sensor goes on from now, as one that was asleep would.
_ASLEEP_S = 5.0


class ScenarioInvalid(Exception):
    """The scenario cannot be read."""


@dataclass(frozen=True, slots=True)
class SensorPlan:
    """A sensor of a scenario: what to register it as, and what it measures."""

    name: str
    type: str
    input_unit: str
    display_unit: str
    profile: Mapping[str, object] | None
    rate_hz: float
    packet_s: float
    heartbeat_interval_s: float
    parts: tuple[Mapping[str, object], ...]
    resolution: float | None
    faults: FaultPlan
    calibration_notes: str | None
    seed: int
    spectrum: SpectrumPlan | None = None
    switches: tuple[Switch, ...] = ()

    def signal(self) -> Signal | Spectrum:
        """Build the signal afresh, at the beginning of its random streams."""
        signal = parse_signal(self.parts, self.seed, self.resolution)
        if self.spectrum is None:
            return signal
        return Spectrum(self.spectrum, signal, np.random.default_rng(self.seed))


@dataclass(frozen=True, slots=True)
class Scenario:
    """A bench: its name, what it shows, and its sensors."""

    name: str
    description: str
    sensors: tuple[SensorPlan, ...]


def names() -> list[str]:
    """List the scenarios that come with the program."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load(name: str) -> Scenario:
    """Read a scenario by its name, or from a path ending in .toml.

    Raises ScenarioInvalid saying which part of the file is wrong.
    """
    path = Path(name) if name.endswith(".toml") else FOLDER / f"{name}.toml"
    try:
        with path.open("rb") as file:
            read = tomllib.load(file)
    except FileNotFoundError:
        raise ScenarioInvalid(f"there is no scenario {name!r}; there are: {', '.join(names())}") from None
    except tomllib.TOMLDecodeError as wrong:
        raise ScenarioInvalid(f"{path}: {wrong}") from wrong
    seed = int(read.get("seed", 1))
    try:
        plans = tuple(_sensor(i, table, seed + i) for i, table in enumerate(read.get("sensors", [])))
    except (KeyError, TypeError, ValueError, SignalInvalid) as wrong:
        raise ScenarioInvalid(f"{path}: {wrong}") from wrong
    if not plans:
        raise ScenarioInvalid(f"{path}: no [[sensors]]")
    return Scenario(str(read.get("name", path.stem)), str(read.get("description", "")), plans)


def _sensor(index: int, table: Mapping[str, Any], seed: int) -> SensorPlan:
    missing = [key for key in ("name", "type", "input_unit", "display_unit", "rate_hz", "signal") if key not in table]
    if missing:
        raise ValueError(f"sensor {index + 1} ({table.get('name', 'without a name')}): {', '.join(missing)} missing")
    try:
        plan = SensorPlan(
            name=table["name"],
            type=table["type"],
            input_unit=table["input_unit"],
            display_unit=table["display_unit"],
            profile=cast("Mapping[str, object] | None", table.get("profile")),
            rate_hz=float(table["rate_hz"]),
            packet_s=float(table.get("packet_s", 0.5)),
            heartbeat_interval_s=float(table.get("heartbeat_interval_s", 5.0)),
            parts=tuple(table["signal"]),
            resolution=table.get("resolution"),
            faults=FaultPlan(**table.get("faults", {})),
            calibration_notes=table.get("calibration_notes"),
            seed=int(table.get("seed", seed)),
            spectrum=parse_spectrum(**table["spectrum"]) if "spectrum" in table else None,
            switches=tuple(parse_switch(**one) for one in table.get("switches", [])),
        )
        plan.signal()
    except (TypeError, ValueError, SignalInvalid) as wrong:
        raise ValueError(f"sensor {table['name']}: {wrong}") from wrong
    if not (0.0 < plan.rate_hz <= 10_000.0 and plan.packet_s > 0.0):
        raise ValueError(f"sensor {plan.name}: rate_hz must be above 0 and at most 10000, packet_s above 0")
    return plan


def grid(rate_hz: float, after_us: int, to_us: int) -> I64:
    """Return the sampling instants in (after, to]: whole multiples of 1 / rate since 1970, kept across restarts."""
    period_us = 1e6 / rate_hz
    first, last = int(np.floor(after_us / period_us)) + 1, int(np.floor(to_us / period_us))
    return np.round(np.arange(first, last + 1) * period_us).astype(np.int64)


class Sampler:
    """Let one device measure its signal; `speed` runs the signal's time faster than the clock of its samples."""

    def __init__(self, plan: SensorPlan, device: Device, speed: float = 1.0, packet_s: float | None = None) -> None:
        self.plan = plan
        self.device = device
        self._signal = plan.signal()
        self._speed = speed
        self._packet_s = packet_s or plan.packet_s

    def measure(self, t_us: I64) -> F64:
        """Return the signal at `t_us` (int64 µs since 1970): numbers of shape (n,), or vectors of shape (n, m)."""
        return self._signal.at(t_us / 1e6 * self._speed)

    async def run(self) -> Never:
        """Measure and send until cancelled."""
        last_us = _now_us()
        while True:
            await asyncio.sleep(self._packet_s)
            now_us = _now_us()
            if now_us - last_us > (self._packet_s + _ASLEEP_S) * 1e6:
                last_us = now_us - round(self._packet_s * 1e6)
            t_us = grid(self.plan.rate_hz, last_us, now_us)
            last_us = max(last_us, now_us)
            if t_us.size:
                await self.device.send(t_us, self.measure(t_us))


async def sample(samplers: Sequence[Sampler], for_s: float | None = None) -> None:
    """Run all samplers together, for `for_s` seconds or until cancelled."""
    try:
        async with asyncio.timeout(for_s), asyncio.TaskGroup() as group:
            for sampler in samplers:
                group.create_task(sampler.run())
    except TimeoutError:
        return


def _now_us() -> int:
    return time.time_ns() // 1000
