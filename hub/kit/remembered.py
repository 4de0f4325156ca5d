"""What was read from the database and stays true while one version number in it stands still."""

import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, Final, TypeVar

from hub.kit.db import Database, Tx
from hub.kit.workers import regularly

T = TypeVar("T")

POLL_S: Final = 0.4
MAX_AGE_S: Final = 0.95
MOST: Final = 50_000


class Remembered:
    """Answers to questions asked with every request; at most a second old, whichever replica changed the truth."""

    def __init__(self, db: Database, version: Callable[[Tx], Awaitable[int]]) -> None:
        """Start empty; `version` reads the number that every change of what is remembered moves."""
        self._db = db
        self._version = version
        self._seen: int | None = None
        self._looked_at = float("-inf")
        self._answers: dict[Hashable, Any] = {}
        self.generation = 0

    async def run(self) -> None:
        """Look for changes until cancelled; while the database is away everything is forgotten within a second."""
        await regularly(self._look, POLL_S, "nothing is remembered")

    def known(self, key: Hashable) -> Any | None:
        """Return the answer to `key` where it is remembered, without waiting for anything."""
        return self._answers.get(key) if time.monotonic() - self._looked_at < MAX_AGE_S else None

    async def get(self, key: Hashable, load: Callable[[Tx], Awaitable[T | None]], within: Tx | None = None) -> T | None:
        """Return the answer to `key`, loading it when it is not remembered; that nothing was found is not remembered.

        Who holds a transaction already passes it as `within`: a second connection could be waited for in vain. What is
        read there is not remembered, for it may be rolled back.
        """
        fresh = time.monotonic() - self._looked_at < MAX_AGE_S
        if fresh and key in self._answers:
            return self._answers[key]
        if within is not None:
            return await load(within)
        generation = self.generation
        async with self._db.connection() as connection:
            answer = await load(connection)
        # A change that became known meanwhile may be newer than what was read.
        if fresh and answer is not None and generation == self.generation:
            if len(self._answers) >= MOST:
                self._answers.clear()
            self._answers[key] = answer
        return answer

    def forget(self) -> None:
        """Forget everything at once: this process itself changed what is remembered."""
        self._answers.clear()
        self.generation += 1

    async def _look(self) -> None:
        asked_at = time.monotonic()
        async with self._db.connection() as connection:
            version = await self._version(connection)
        if version != self._seen:
            self._seen = version
            self.forget()
        self._looked_at = asked_at
