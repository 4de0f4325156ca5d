"""Which physical values a capture shows: those of a revision, by default of the newest one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import asyncpg

from contract.conversion.profile import Profile
from hub.conversion import service as conversion
from hub.kit.db import Tx
from hub.kit.vault import Vault
from hub.telemetry import read_queries
from hub.telemetry.problems import RevisionUnknown


@dataclass(frozen=True)
class Revision:
    """A revision of a capture as one of its sensors has it.

    `number` is the capture's; `own` the sensor's newest one up to that, which was made by `profile`. Of the first one,
    what was stored as the samples came, the profile is None.
    """

    number: int
    own: int = 1
    version: int = 0
    profile: Profile | None = None


FIRST: Final = Revision(1)


async def find(tx: Tx, vault: Vault, capture_id: UUID, sensor_id: UUID, number: int | None) -> Revision:
    """Find a revision of a capture, None for the newest; raises RevisionUnknown."""
    rows = await read_queries.revisions(tx, capture_id, sensor_id)
    known = {1, *(row["revision"] for row in rows)}
    newest = max(known)
    wanted = newest if number is None else number
    if wanted not in known:
        raise RevisionUnknown(revision=wanted, newest=newest)
    return await _up_to(tx, vault, rows, wanted)


async def before(tx: Tx, vault: Vault, capture_id: UUID, sensor_id: UUID, number: int) -> Revision:
    """Find what a revision that is being made is compared with: the newest one before it."""
    rows = await read_queries.revisions(tx, capture_id, sensor_id)
    return await _up_to(tx, vault, rows, number - 1)


async def _up_to(tx: Tx, vault: Vault, rows: Sequence[asyncpg.Record], number: int) -> Revision:
    mine = [row for row in rows if row["profile_id"] is not None and row["revision"] <= number]
    if not mine:
        return Revision(number)
    own = max(mine, key=lambda row: row["revision"])
    profile = await conversion.profile_of(tx, vault, own["profile_id"])
    return Revision(number, own["revision"], own["profile_version"], profile)
