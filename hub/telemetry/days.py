"""The days of the recent window, each a partition."""

from datetime import UTC, datetime

from hub.kit.db import Tx
from hub.telemetry import merge_queries


async def listed(tx: Tx) -> list[int]:
    """List the days (since 1970) that have a partition, the oldest first."""
    return sorted(_day_of(name) for name in await merge_queries.days(tx))


def _day_of(partition: str) -> int:
    date = datetime.strptime(partition.rpartition("_")[2], "%Y%m%d").replace(tzinfo=UTC)
    return int(date.timestamp()) // 86_400
