"""What was wrong with the samples and bodies of sensors, as entries of their journals."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import numpy as np

from contract.packets import Reject
from hub.journal.models import Entry as Note
from hub.journal.models import Kind
from hub.journal.service import Journal
from hub.kit.problems import Problem, TooManyRequests
from hub.telemetry.entries import Entry
from hub.telemetry.problems import PacketTooLarge, TooManySamples
from hub.telemetry.registry import Device

OUT_OF_RANGE: Final = 1
CONVERSION_ERROR: Final = 2
KINDS: Final = {OUT_OF_RANGE: Kind.OUT_OF_RANGE, CONVERSION_ERROR: Kind.CONVERSION_ERROR}
# Clocks that are set over a network agree better than this.
SKEW_US: Final = 5_000_000


def note(journal: Journal, entry: Entry, refused: Sequence[tuple[int, Reject]]) -> None:
    """Note what was refused of a body, by sensor, and which of its samples have no good physical value."""
    _note_refused(journal, refused)
    # Most bodies are good: three looks at whole arrays tell so.
    if not len(entry.t_us):
        return
    bad = (entry.status == OUT_OF_RANGE) | (entry.status == CONVERSION_ERROR)
    ahead = entry.t_us > entry.received_at_us + SKEW_US
    if bad.any():
        _note_conversions(journal, entry)
    if ahead.any():
        sensors = entry.sensor_no[ahead]
        for no in np.unique(sensors).tolist():
            ahead_s = (int(entry.t_us[entry.sensor_no == no].max()) - entry.received_at_us) / 1e6
            count = int((sensors == no).sum())
            journal.note(Note(no, Kind.CLOCK_SKEW, count, details={"ahead_s": round(ahead_s, 3)}))


def _note_refused(journal: Journal, refused: Sequence[tuple[int, Reject]]) -> None:
    counts: dict[tuple[int, str], tuple[int, Reject]] = {}
    for no, reject in refused:
        before, _ = counts.get((no, reject.code), (0, reject))
        counts[no, reject.code] = (before + reject.count, reject)
    for (no, code), (count, reject) in counts.items():
        kind = Kind.TIME_FUTURE if code == "time-future" else Kind.REJECTED
        details: dict[str, Any] = {"detail": reject.detail, "index": reject.index}
        if reject.t_us is not None:
            details["t"] = reject.t_us / 1e6
        journal.note(Note(no, kind, count, code, details))


def _note_conversions(journal: Journal, entry: Entry) -> None:
    sensors, versions = entry.sensor_no, entry.version
    for status, kind in KINDS.items():
        found = np.flatnonzero(entry.status == status)
        # The last of each sensor is shown as the example.
        counts: dict[int, tuple[int, int]] = {}
        for place, no in zip(found.tolist(), sensors[found].tolist(), strict=True):
            counts[no] = (counts.get(no, (0, 0))[0] + 1, place)
        for no, (count, place) in counts.items():
            details = {
                "t": entry.t_us[place] / 1e6,
                "raw": float(entry.raw[place]),
                "profile_version": int(versions[place]),
            }
            journal.note(Note(no, kind, count, details=details))


def note_unauthorized(journal: Journal, device: Device | None) -> None:
    """Note that a token was shown which was good once, where it was one sensor's."""
    if device is not None and device.kind == "sensor":
        for sensor in device.sensors.values():
            journal.note(Note(sensor.no, Kind.UNAUTHORIZED, code="token-expired"))


def note_limit(journal: Journal, problem: TooManySamples, detail: str) -> None:
    """Note for each sensor that has to wait that samples came too fast; `detail` says what that means to the sender."""
    for no in problem.sensors:
        details = {"wait_s": round(problem.wait_s, 3), "detail": detail}
        journal.note(Note(no, Kind.RATE_LIMITED, code=problem.code(), details=details))


@contextmanager
def noted(journal: Journal, device: Device) -> Generator[None]:
    """Note a body that is refused as a whole, where it is known whose it is: the one sensor whose token was shown.

    Of edge agents it is known, too, which sensor sends too fast, or all whose samples have to wait, and those that a
    packet names which is too large.
    """
    try:
        yield
    except TooManySamples as problem:
        note_limit(journal, problem, str(problem))
        raise
    except TooManyRequests as problem:
        for sensor in device.sensors.values():
            journal.note(Note(sensor.no, Kind.RATE_LIMITED, code=problem.code(), details={"detail": str(problem)}))
        raise
    except Problem as problem:
        if 400 <= problem.status < 429:
            for no in _named(problem, device):
                details = {"status": problem.status, "detail": str(problem)}
                journal.note(Note(no, Kind.PACKET_REFUSED, code=problem.code(), details=details))
        raise


def _named(problem: Problem, device: Device) -> Sequence[int]:
    if device.kind == "sensor":
        return [sensor.no for sensor in device.sensors.values()]
    return problem.sensors if isinstance(problem, PacketTooLarge) else ()
