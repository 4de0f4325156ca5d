"""What a version changes in the elements of vectors, which no revision stores: they are converted as they are read."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from contract.conversion.convert import convert
from contract.conversion.profile import Profile
from hub.telemetry.differences import Tally
from hub.telemetry.vectors import StoredVector, joined


async def compare(
    tally: Tally, profile: Profile, pages: AsyncGenerator[list[StoredVector], None], *, most: int | None = None
) -> None:
    """Count the differences of every element, or of the first vectors with `most` elements; pages show what was."""
    async with aclosing(pages):
        async for page in pages:
            await asyncio.to_thread(_add, tally, profile, page)
            if most is not None and tally.samples >= most:
                return


def _add(tally: Tally, profile: Profile, page: Sequence[StoredVector]) -> None:
    raw, physical, status = joined(page)
    tally.add(physical, status, *convert(profile, raw))
