"""The hook by which slices above end what lives in a run before the run ends."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from hub.kit.context import Context

# Called with the run's row locked, in the transaction that ends the run.
Ending = Callable[[Context, UUID], Awaitable[None]]

_endings: list[Ending] = []


def before_ending(ending: Ending) -> None:
    """Register what to do before a run ends; done once, by the composition root."""
    if ending not in _endings:
        _endings.append(ending)


async def end_all(ctx: Context, run_id: UUID) -> None:
    """End everything that lives in a run."""
    for ending in _endings:
        await ending(ctx, run_id)
