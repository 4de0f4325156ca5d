"""Tells which of a capture's sensors date their samples so far off that Start and Stop cut elsewhere than meant."""

from typing import Final
from uuid import UUID

from hub.captures import queries
from hub.captures.models import ClockWarning
from hub.kit.db import Tx

MOST_S: Final = 1.0


async def warnings(tx: Tx, capture_id: UUID) -> list[ClockWarning]:
    """List the sensors whose clocks are more than a second off by their quickest packets, of those heard lately."""
    return [
        ClockWarning(sensor_id=row["id"], sensor=row["name"], offset_s=row["offset_s"])
        for row in await queries.clocks_off(tx, capture_id, MOST_S)
    ]
