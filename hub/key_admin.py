"""What whoever runs the hub does with its keys: sealing after a migration, new data keys, another key file."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from hub.conversion import sealing
from hub.kit import data_keys
from hub.kit.db import Database, Tx
from hub.kit.key_ring import KeyRing
from hub.kit.key_service import KeyFile, KeyService, SecretKeyUnfit, key_service_of
from hub.kit.vault import Vault
from hub.ledger.service import Fact, record_for_system
from hub.sensors import tokens
from hub.settings import Settings


async def after_migration(settings: Settings) -> int:
    """Make the first data keys and seal the profiles that older versions left in the clear; returns how many.

    Does nothing on a schema from before data keys. Raises SecretKeyUnfit when the key file is not this database's.
    """
    service = key_service_of(settings)
    async with _database(settings) as database:
        async with database.transaction() as tx:
            if not await data_keys.are_kept(tx):
                return 0
            await _make_first(tx, service)
        vault = Vault(database, service)
        await vault.ready()
        async with database.transaction() as tx:
            sealed = await sealing.seal_open_payloads(tx, vault)
        if sealed:
            async with database.connection() as connection:
                await sealing.forget_replaced(connection)
    return sealed


async def rotate_data_key(settings: Settings) -> int:
    """Make the data key that seals from now on and return its id; raises SecretKeyUnfit."""
    service = key_service_of(settings, may_create=False)
    async with _database(settings) as database, database.transaction() as tx:
        made = (await data_keys.add(tx, service)).id
        await record_for_system(tx, Fact("key.rotated", details={"key": made}), by="operator")
        return made


async def change_secret_key(settings: Settings, new_key_file: Path) -> int:
    """Wrap all data keys under another key file, which must exist, and return how many; raises SecretKeyUnfit."""
    old, new = key_service_of(settings, may_create=False), KeyFile.read(new_key_file, may_create=False)
    if await old.derive(b"wrap") == await new.derive(b"wrap"):
        raise SecretKeyUnfit(f"{new_key_file} holds the key that is in use already")
    async with _database(settings) as database, database.transaction() as tx:
        rewrapped = await data_keys.rewrap(tx, old, new)
        await record_for_system(tx, Fact("key.file_changed", details={"keys": rewrapped}), by="operator")
        return rewrapped


async def _make_first(tx: Tx, service: KeyService) -> None:
    if await data_keys.read(tx, service):
        return
    ring = KeyRing.of(await data_keys.read_or_make(tx, service))
    # Digests and texts from before data keys belong to the key file: made from another one, they would be lost.
    if not await tokens.opens_any(tx, ring):
        raise SecretKeyUnfit("the key file is not the one that this database's tokens were sealed with")


@asynccontextmanager
async def _database(settings: Settings) -> AsyncGenerator[Database]:
    database = Database(settings.database_url, max_size=1)
    try:
        yield database
    finally:
        await database.close()
