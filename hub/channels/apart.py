"""Reads large bodies in a thread, one at a time, so that everybody else is answered meanwhile."""

import asyncio
from collections.abc import Callable
from typing import Final

from contract.formats.channels import Decoded
from hub.channels.problems import TooManyLarge

MOST_WAITING: Final = 16


class Apart:
    """Decodes bodies one after the other; at most sixteen of them wait."""

    def __init__(self) -> None:
        self._turn = asyncio.Semaphore(1)
        self._waiting = 0

    async def do(self, decode: Callable[[bytes, int], Decoded], body: bytes, now_us: int) -> Decoded:
        """Decode a body; raises TooManyLarge, and what `decode` raises."""
        if self._waiting >= MOST_WAITING:
            raise TooManyLarge
        self._waiting += 1
        try:
            async with self._turn:
                return await asyncio.to_thread(decode, body, now_us)
        finally:
            self._waiting -= 1
