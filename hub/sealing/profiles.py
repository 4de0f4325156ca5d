"""The published profile versions of a sensor, opened."""

from uuid import UUID

from contract.conversion.profile import Profile, parse_profile
from hub.conversion.sealing import open_payload
from hub.kit.db import Tx
from hub.kit.vault import Vault
from hub.sealing import queries


async def profiles_of(tx: Tx, vault: Vault, sensor_id: UUID) -> dict[int, Profile]:
    """Read every published version of a sensor's profile, by its number."""
    return {
        row["version"]: parse_profile(await open_payload(vault, row["id"], row["payload_sealed"]))
        for row in await queries.profiles(tx, sensor_id)
    }
