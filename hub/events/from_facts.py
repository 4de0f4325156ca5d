"""Makes events of facts once they are linked: what became of captures, whoever did it."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import asyncpg
import orjson

from hub.events.models import Event, EventKind
from hub.events.service import Events

CHANGES: Final = frozenset({"created", "started", "stopped", "sealed", "failed", "deleted"})
SHOWN: Final = frozenset({"run_id", "ordinal_number", "automatic"})


def publish(events: Events, facts: Sequence[asyncpg.Record]) -> None:
    """Publish those of the facts, columns as text, that tell of a change of a capture."""
    for fact in facts:
        noun, _, change = fact["kind"].partition(".")
        if noun != "capture" or change not in CHANGES or fact["project_id"] is None:
            continue
        details = {name: value for name, value in orjson.loads(fact["details"]).items() if name in SHOWN}
        event = Event(EventKind.CAPTURE, UUID(fact["subject_id"]), {"change": change} | details)
        events.publish(UUID(fact["project_id"]), event)
