"""The hooks by which slices above say what still needs an experiment."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from hub.kit.db import Tx

# Asked with the experiment's row locked; answers with what holds it, in words, e.g. "run 3 is running".
Guard = Callable[[Tx, UUID], Awaitable[list[str]]]

_archival: list[Guard] = []
_deletion: list[Guard] = []


def before_archival(guard: Guard) -> None:
    """Register a guard of archiving; done once, by the composition root."""
    if guard not in _archival:
        _archival.append(guard)


def before_deletion(guard: Guard) -> None:
    """Register a guard of deleting; done once, by the composition root."""
    if guard not in _deletion:
        _deletion.append(guard)


async def against_archival(tx: Tx, experiment_id: UUID) -> list[str]:
    """List everything that keeps an experiment from being archived."""
    return [holder for guard in _archival for holder in await guard(tx, experiment_id)]


async def against_deletion(tx: Tx, experiment_id: UUID) -> list[str]:
    """List everything that keeps an experiment from being deleted."""
    return [holder for guard in _deletion for holder in await guard(tx, experiment_id)]
