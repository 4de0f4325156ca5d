"""The vault of one process: its data keys are unwrapped once, then seal and open from memory."""

import asyncio
import contextlib
from typing import Final

import structlog
from cryptography.exceptions import InvalidTag

from hub.kit import data_keys, key_queries
from hub.kit.crypto import Keys
from hub.kit.db import Database
from hub.kit.key_ring import KeyRing, key_id_of
from hub.kit.key_service import KeyService
from hub.kit.problems import DatabaseAway

log = structlog.get_logger(__name__)

POLL_S: Final = 5.0


class SealBroken(Exception):
    """A sealed text does not open: it was changed, moved, or sealed with keys that are gone."""


class Vault:
    """Seals and opens with the data keys of a database; until it was reached once, nothing can be done."""

    def __init__(self, db: Database, service: KeyService) -> None:
        """Start without keys; nothing is connected yet."""
        self._db = db
        self._service = service
        self._ring: KeyRing | None = None
        self._newest = 0
        self._looking = asyncio.Lock()
        self._looked_at = float("-inf")
        self._away = True

    @property
    def keys(self) -> Keys:
        """Return what signs and looks up; raises DatabaseAway before `ready`."""
        if self._ring is None:
            raise DatabaseAway
        return self._ring.keys

    async def ready(self) -> None:
        """Load the keys unless they are there; raises DatabaseAway, SecretKeyUnfit.

        Called before a transaction is begun: inside, a second connection could be waited for in vain.
        """
        if self._ring is None:
            await self._look()

    async def run(self) -> None:
        """Look for data keys that another process made, until cancelled."""
        while True:
            try:
                async with self._db.connection() as connection:
                    newest = await key_queries.newest(connection)
                if newest != self._newest:
                    await self._look()
            except DatabaseAway:
                log.info("data keys kept, the database is away")
            await asyncio.sleep(POLL_S)

    async def seal(self, plain: bytes, about: bytes) -> bytes:
        """Encrypt; `about` names the one place where the text is kept, and must be given again to open it."""
        return (self._ring or await self._look()).seal(plain, about)

    async def unseal(self, sealed: bytes, about: bytes) -> bytes:
        """Decrypt what `seal` made, or what was sealed before there were data keys; raises SealBroken."""
        ring = self._ring or await self._look()
        key_id = key_id_of(sealed)
        if key_id is not None and key_id not in ring.sealing:
            ring = await self._look()
        with contextlib.suppress(InvalidTag):
            return ring.unseal(sealed, about)
        place = about.decode(errors="backslashreplace")
        log.error("a sealed text does not open", about=place, data_key=key_id, bytes=len(sealed))
        raise SealBroken(f"the sealed text of {place} does not open")

    async def _look(self) -> KeyRing:
        """Read the data keys anew; whoever waits together shares one look, and what became of it."""
        asked = asyncio.get_running_loop().time()
        async with self._looking:
            if self._looked_at < asked:
                looked_at = asyncio.get_running_loop().time()
                try:
                    await self._load()
                    self._away = False
                except DatabaseAway:
                    self._away = True
                self._looked_at = looked_at
            if self._away or self._ring is None:
                raise DatabaseAway
            return self._ring

    async def _load(self) -> None:
        async with self._db.connection() as connection:
            found = await data_keys.read(connection, self._service)
        if not found:
            async with self._db.transaction() as tx:
                found = await data_keys.read_or_make(tx, self._service)
        self._ring, self._newest = KeyRing.of(found), found[-1].id
