"""Verifies a sealed capture: counts, hashes and physical values, each computed once more from what is stored."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import asyncpg
import numpy as np
import numpy.typing as npt

from contract.conversion.convert import Status, convert
from contract.conversion.profile import Custom, Linear, Profile
from contract.manifest import SeriesDigest, manifest_digest
from hub.kit.context import Context
from hub.kit.db import Database, Tx
from hub.kit.vault import Vault
from hub.ledger.service import Fact, record_apart
from hub.sealing import manifest_queries
from hub.sealing.hashing import hash_content
from hub.sealing.models import PhysicalCheck, SeriesCheck, Verification
from hub.sealing.problems import CaptureNotSealed
from hub.sealing.profiles import profiles_of
from hub.telemetry.chunks import read_array

MAX_ULP: Final = 4
# What reading raises for arrays of unlike lengths or with nulls in them, and for samples that come twice.
UNREADABLE: Final = (ValueError, IndexError)
PAGE_CHUNKS: Final = 500
F64 = npt.NDArray[np.float64]
U8 = npt.NDArray[np.uint8]


@dataclass
class Tally:
    """How many physical values of one profile version came out the same."""

    samples: int = 0
    exact: int = 0
    close: int = 0


async def verify_for(ctx: Context, capture_id: UUID) -> Verification:
    """Verify a capture for a caller and write down what came of it; raises CaptureNotSealed."""
    found = await verify(ctx.hub.db, ctx.hub.vault, capture_id)
    details = {"holds": found.holds, "samples": sum(one.samples for one in found.physical if one.revision == 1)}
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
                physical += await _check_physical(tx, vault, capture_id, row)
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
        found = await hash_content(tx, capture_id, row["sensor_no"], seal=row["seal"], vectors=row["vectors"])
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


async def _check_physical(tx: Tx, vault: Vault, capture_id: UUID, row: asyncpg.Record) -> list[PhysicalCheck]:
    profiles = await profiles_of(tx, vault, row["sensor_id"])
    tallies: dict[tuple[int, int], Tally] = defaultdict(Tally)
    if row["vectors"]:
        cursor = await manifest_queries.vector_conversions(tx, capture_id, row["sensor_no"])
    else:
        cursor = await manifest_queries.conversions(tx, capture_id, row["sensor_no"])
    while chunks := await cursor.fetch(PAGE_CHUNKS):
        await asyncio.to_thread(_compare, chunks, profiles, tallies)
    checks: list[PhysicalCheck] = []
    for (revision, version), tally in sorted(tallies.items()):
        differing = tally.samples - tally.exact - tally.close
        checks.append(
            PhysicalCheck(
                sensor_id=row["sensor_id"],
                sensor=row["name"],
                revision=revision,
                profile_version=version,
                kind=_kind(profiles.get(version)),
                samples=tally.samples,
                exact=tally.exact,
                close=tally.close,
                differing=differing,
                holds=differing == 0,
            )
        )
    return checks


def _compare(
    chunks: list[asyncpg.Record], profiles: Mapping[int, Profile], tallies: dict[tuple[int, int], Tally]
) -> None:
    for chunk in chunks:
        try:
            raw, kept = read_array(chunk["raw"], ">f8"), read_array(chunk["physical"], ">f8")
        except UNREADABLE:
            tallies[chunk["revision"], chunk["profile_version"]].samples += 1
            continue
        codes = chunk["status"]
        status = np.zeros(len(raw), np.uint8) if codes is None else np.frombuffer(codes, np.uint8)
        version = chunk["profile_version"]
        tally = tallies[chunk["revision"], version]
        tally.samples += len(raw)
        profile = profiles.get(version)
        if profile is None and version:
            continue  # a version that is gone makes nothing of raw any more: all of them differ
        physical, expected = _converted(profile, raw)
        if len(kept) != len(raw) or len(status) != len(raw):
            continue
        exact = ((physical.view(np.int64) == kept.view(np.int64)) | (np.isnan(physical) & np.isnan(kept))) & (
            expected == status
        )
        tally.exact += int(exact.sum())
        if isinstance(profile, Custom):
            tally.close += int((~exact & (expected == status) & (ulps(physical, kept) <= MAX_ULP)).sum())


def _converted(profile: Profile | None, raw: F64) -> tuple[F64, U8]:
    if profile is None:
        return np.full(len(raw), np.nan), np.full(len(raw), Status.NO_PROFILE, np.uint8)
    return convert(profile, raw)


def ulps(one: F64, other: F64) -> F64:
    """Return how many floating-point numbers apart two are; infinite where one is not finite."""
    left, right = _numbered(one), _numbered(other)
    steps = (np.maximum(left, right) - np.minimum(left, right)).astype(np.float64)
    return np.where(np.isfinite(one) & np.isfinite(other), steps, np.inf)


def _numbered(values: F64) -> Any:
    """Number the floating-point numbers in their order."""
    bits = values.view(np.uint64)
    sign = np.uint64(1 << 63)
    return np.where(bits & sign, ~bits, bits | sign)


def _kind(profile: Profile | None) -> str:
    if profile is None:
        return "none"
    return "linear" if isinstance(profile, Linear) else "custom" if isinstance(profile, Custom) else "table"
