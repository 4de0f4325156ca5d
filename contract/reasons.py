"""Why samples are refused: codes and texts, the same wherever a sample is read."""

from typing import Final, NamedTuple
from uuid import UUID


class Reason(NamedTuple):
    """A stable code, and what is wrong in words."""

    code: str
    detail: str


VALUE_MISSING: Final = Reason("value-missing", "the value is null")
VALUE_NOT_FINITE: Final = Reason("value-not-finite", "the value is no finite float64")
SAMPLE_INVALID: Final = Reason("sample-invalid", "a sample is an object with 't' and 'v'")

# What a reader of packets finds; an edge agent, which reads before the hub, may tell these and no others.
TOLD: Final = frozenset(
    {
        VALUE_MISSING.code,
        VALUE_NOT_FINITE.code,
        SAMPLE_INVALID.code,
        "value-not-a-number",
        "vector-invalid",
        "meta-invalid",
        "time-invalid",
        "time-missing",
        "sensor-unknown",
    }
)
LONGEST_DETAIL: Final = 200


def times_missing(count: int) -> Reason:
    """Say that so many samples of a sensor lack their time, of which one alone could have the arrival's."""
    return Reason("time-missing", f"{count} samples of this sensor lack t; at most one a batch may")


def not_covered(sensor_id: UUID) -> Reason:
    """Say that the token sends for other sensors only."""
    return Reason("sensor-unknown", f"this token covers no sensor {sensor_id}")
