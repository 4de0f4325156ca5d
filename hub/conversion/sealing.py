"""Profile payloads as they are kept: JSON, sealed for the one profile they belong to."""

from typing import Any
from uuid import UUID

import orjson

from hub.conversion import queries
from hub.kit.db import Tx
from hub.kit.vault import Vault


async def seal_payload(vault: Vault, profile_id: UUID, payload: dict[str, Any]) -> bytes:
    """Seal a payload for a profile."""
    return await vault.seal(orjson.dumps(payload), _about(profile_id))


async def open_payload(vault: Vault, profile_id: UUID, sealed: bytes) -> dict[str, Any]:
    """Open a profile's payload; raises SealBroken."""
    return orjson.loads(await vault.unseal(sealed, _about(profile_id)))


async def seal_open_payloads(tx: Tx, vault: Vault) -> int:
    """Seal the payloads that stand in the clear, as older versions left them, and return how many there were."""
    rows = await queries.lock_open_payloads(tx)
    sealed = [await seal_payload(vault, row["id"], row["payload"]) for row in rows]
    await queries.put_sealed(tx, [row["id"] for row in rows], sealed)
    return len(rows)


async def forget_replaced(connection: Tx) -> None:
    """Take what was replaced out of the table's file too; outside a transaction, nobody uses profiles meanwhile."""
    await queries.rewrite(connection)


def _about(profile_id: UUID) -> bytes:
    return b"profile " + profile_id.bytes
