"""Verifies a sealed capture: counts, hashes and physical values, each computed once more from what is stored."""

from uuid import UUID

import asyncpg

from contract.manifest import SeriesDigest, manifest_digest
from hub.kit.context import Context
from hub.kit.db import Database, Tx
from hub.kit.vault import Vault
from hub.ledger.service import Fact, record_apart
from hub.sealing import manifest_queries
from hub.sealing.hashing import hash_content
from hub.sealing.models import PhysicalCheck, PhysicalPart, SeriesCheck, Verification
from hub.sealing.physical import UNREADABLE, check_physical
from hub.sealing.problems import CaptureNotSealed


async def verify_for(ctx: Context, capture_id: UUID) -> Verification:
    """Verify a capture for a caller and write down what came of it; raises CaptureNotSealed."""
    found = await verify(ctx.hub.db, ctx.hub.vault, capture_id)
    first = [one for one in found.physical if one.revision == 1 and one.part is not PhysicalPart.ELEMENTS]
    details = {"holds": found.holds, "samples": sum(one.samples for one in first)}
    await record_apart(ctx, Fact("capture.verified", subject_id=capture_id, details=details))
    return found


async def verify(db: Database, vault: Vault, capture_id: UUID) -> Verification:
    """Compute everything that a capture's manifests tell of once more; raises CaptureNotSealed."""
    async with db.snapshot() as tx:
        seals = await manifest_queries.seals(tx, capture_id)
        if not seals:
            capture = await manifest_queries.standing(tx, capture_id)
            raise CaptureNotSealed(
                ordinal=capture["ordinal_number"] if capture else "?", current=capture["status"] if capture else "gone"
            )
        manifests = await manifest_queries.manifests(tx, capture_id)
        faults = _unlike_their_manifest(seals, manifests)
        series = [await _check_series(tx, capture_id, row) for row in manifests]
        physical: list[PhysicalCheck] = []
        for row in manifests:
            if row["seal"] == seals[-1]["seal"]:
                physical += await check_physical(tx, vault, capture_id, row)
                faults += [
                    f"Revision {lack['revision']} of {row['name']} lacks {lack['chunks']} chunks"
                    for lack in await manifest_queries.unrevised(tx, capture_id, row["sensor_no"])
                ]
        verified_at = await manifest_queries.now(tx)
    holds = not faults and all(one.count_holds and one.hash_holds for one in series)
    return Verification(
        capture_id=capture_id,
        verified_at=verified_at,
        holds=holds and all(one.holds for one in physical),
        series=series,
        physical=physical,
        faults=faults,
    )


def _unlike_their_manifest(seals: list[asyncpg.Record], manifests: list[asyncpg.Record]) -> list[str]:
    """Name the seals whose own hash is not that of their sensors' counts and hashes."""
    faults: list[str] = []
    for seal in seals:
        rows = [row for row in manifests if row["seal"] == seal["seal"]]
        if manifest_digest((row["sensor_id"], row["n"], row["sha256"]) for row in rows) != seal["sha256"]:
            faults.append(f"The manifest of seal {seal['seal']} is not the one that was sealed")
    return faults


async def _check_series(tx: Tx, capture_id: UUID, row: asyncpg.Record) -> SeriesCheck:
    try:
        found = await hash_content(tx, capture_id, row["sensor_no"], seal=row["seal"], of_vectors=row["vectors"])
    except UNREADABLE:
        found = SeriesDigest(0, None, None, b"")
    return SeriesCheck(
        sensor_id=row["sensor_id"],
        sensor=row["name"],
        seal=row["seal"],
        samples=found.n,
        count_holds=(found.n, found.first_t, found.last_t) == (row["n"], row["first_t"], row["last_t"]),
        hash_holds=found.sha256 == row["sha256"],
    )
