"""The hook by which slices above say what still needs a sensor."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from hub.kit.db import Tx

# Asked with the sensor's row locked; answers with what holds the sensor, in words, e.g. "run 3 of Warm-up".
DeletionGuard = Callable[[Tx, UUID], Awaitable[list[str]]]

_deletion_guards: list[DeletionGuard] = []


def before_deletion(guard: DeletionGuard) -> None:
    """Register a guard; done once, by the composition root."""
    if guard not in _deletion_guards:
        _deletion_guards.append(guard)


async def holders_of(tx: Tx, sensor_id: UUID) -> list[str]:
    """List everything that holds a sensor."""
    return [holder for guard in _deletion_guards for holder in await guard(tx, sensor_id)]
