"""The hook by which slices above say what keeps a project from being deleted."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from hub.kit.db import Tx

# Asked with the project's row locked; answers with what holds it, in words, e.g. "capture 2 of run 3 of Warm-up".
Guard = Callable[[Tx, UUID], Awaitable[list[str]]]

_deletion: list[Guard] = []


def before_deletion(guard: Guard) -> None:
    """Register a guard; done once, by the composition root."""
    if guard not in _deletion:
        _deletion.append(guard)


async def against_deletion(tx: Tx, project_id: UUID) -> list[str]:
    """List everything that holds a project."""
    return [holder for guard in _deletion for holder in await guard(tx, project_id)]
