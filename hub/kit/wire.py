"""Limits and encodings of what travels over HTTP."""

from datetime import UTC, datetime

MAX_BODY_BYTES = 1 << 20
API_PREFIX = "/api/v1"


def rfc3339(at: datetime) -> str:
    """Write a time as RFC 3339 in UTC with microseconds, e.g. 2026-11-23T08:00:00.125000Z."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def absent(value: object) -> bool:
    """Tell whether a field has no value, for fields that are left out of an answer rather than sent as null."""
    return value is None
