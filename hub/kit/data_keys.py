"""The data keys as the database keeps them, wrapped: reading, making and rewrapping them."""

import os

from hub.kit import key_queries
from hub.kit.db import Tx
from hub.kit.key_ring import DataKey, Purpose
from hub.kit.key_service import KeyService

KEY_BYTES = 32


async def are_kept(tx: Tx) -> bool:
    """Tell whether the schema is new enough to hold data keys."""
    return await key_queries.are_kept(tx)


async def read(tx: Tx, service: KeyService) -> list[DataKey]:
    """Unwrap every data key, none where none were made yet; raises SecretKeyUnfit."""
    return [
        DataKey(row["id"], purpose, await service.unwrap(row["wrapped"], _about(row["id"], purpose)))
        for row in await key_queries.every(tx)
        for purpose in (Purpose(row["purpose"]),)
    ]


async def read_or_make(tx: Tx, service: KeyService) -> list[DataKey]:
    """Unwrap every data key, making the first ones where there are none; until the commit, others wait.

    What signs, looks up and opens texts without a header is what was derived from the secret itself before there were
    data keys: whatever a database holds from then stays good.
    """
    await key_queries.lock(tx)
    found = await read(tx, service)
    if found:
        return found
    return [
        await _keep(tx, service, DataKey(1, Purpose.SIGN, await service.derive(b"sign"))),
        await _keep(tx, service, DataKey(2, Purpose.LOOKUP, await service.derive(b"lookup"))),
        await _keep(tx, service, DataKey(3, Purpose.HEADLESS, await service.derive(b"seal"))),
        await _keep(tx, service, DataKey(4, Purpose.SEAL, os.urandom(KEY_BYTES))),
    ]


async def add(tx: Tx, service: KeyService) -> DataKey:
    """Make the data key that seals from now on; raises SecretKeyUnfit unless the service opens the others."""
    known = await read_or_make(tx, service)
    return await _keep(tx, service, DataKey(known[-1].id + 1, Purpose.SEAL, os.urandom(KEY_BYTES)))


async def rewrap(tx: Tx, old: KeyService, new: KeyService) -> int:
    """Wrap every data key by another service and return how many there are; the keys themselves stay what they are."""
    known = await read_or_make(tx, old)
    for each in known:
        await key_queries.rewrap(tx, each.id, await new.wrap(each.key, _about(each.id, each.purpose)))
    return len(known)


async def _keep(tx: Tx, service: KeyService, made: DataKey) -> DataKey:
    await key_queries.insert(tx, made.id, made.purpose, await service.wrap(made.key, _about(made.id, made.purpose)))
    return made


def _about(key_id: int, purpose: Purpose) -> bytes:
    return f"data key {key_id} ({purpose})".encode()
