"""Checks that physical values are what their profile version makes of raw, in every revision that a capture has."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import asyncpg
import numpy as np
import numpy.typing as npt

from contract.conversion.convert import Status, convert
from contract.conversion.profile import Custom, Linear, Profile
from hub.kit.db import Tx
from hub.kit.vault import Vault
from hub.sealing import manifest_queries, queries
from hub.sealing.models import PhysicalCheck, PhysicalPart
from hub.sealing.profiles import profiles_of
from hub.telemetry import reading, vectors
from hub.telemetry.chunks import read_array
from hub.telemetry.revisions import FIRST, Revision
from hub.telemetry.vectors import StoredVector

MAX_ULP: Final = 4
# What reading raises for arrays of unlike lengths or with nulls in them, and for samples that come twice.
UNREADABLE: Final = (ValueError, IndexError)
PAGE_CHUNKS: Final = 500
F64 = npt.NDArray[np.float64]
U8 = npt.NDArray[np.uint8]
Profiles = Mapping[int, Profile]


@dataclass
class Tally:
    """How many physical values of one profile version came out the same."""

    samples: int = 0
    exact: int = 0
    close: int = 0


Tallies = dict[tuple[int, int], Tally]  # by revision and profile version


async def check_physical(tx: Tx, vault: Vault, capture_id: UUID, row: asyncpg.Record) -> list[PhysicalCheck]:
    """Check a sensor's series as its newest manifest row names it; of vectors their headlines and all elements."""
    profiles = await profiles_of(tx, vault, row["sensor_id"])
    tallies: Tallies = defaultdict(Tally)
    cursor = await manifest_queries.conversions(tx, capture_id, row["sensor_no"])
    while chunks := await cursor.fetch(PAGE_CHUNKS):
        await asyncio.to_thread(_compare_chunks, chunks, profiles, tallies)
    if not row["vectors"]:
        return _checks(row, PhysicalPart.SAMPLES, profiles, tallies)
    elements = await _elements(tx, capture_id, row, profiles)
    return _checks(row, PhysicalPart.HEADLINES, profiles, tallies) + _checks(
        row, PhysicalPart.ELEMENTS, profiles, elements
    )


async def _elements(tx: Tx, capture_id: UUID, row: asyncpg.Record, profiles: Profiles) -> Tallies:
    """Compare the elements of each vector as readers get them, many at once, with what each vector alone gives."""
    tallies: Tallies = defaultdict(Tally)
    shown = [FIRST]
    for later in await queries.revisions(tx, capture_id, row["sensor_no"]):
        number, version = later["revision"], later["profile_version"]
        shown.append(Revision(number, number, version, profiles.get(version)))
    try:
        async for piece in reading.pieces(
            await manifest_queries.content(tx, capture_id, row["sensor_no"], row["seal"])
        ):
            for revision in shown:
                async for page in vectors.named(tx, row["sensor_no"], piece.t_us, piece.bits, revision=revision):
                    await asyncio.to_thread(_compare_vectors, page, revision, profiles, tallies)
    except UNREADABLE:
        pass  # the series' own check tells
    return tallies


def _compare_chunks(chunks: Sequence[asyncpg.Record], profiles: Profiles, tallies: Tallies) -> None:
    for chunk in chunks:
        version = chunk["profile_version"]
        tally = tallies[chunk["revision"], version]
        try:
            raw, kept = read_array(chunk["raw"], ">f8"), read_array(chunk["physical"], ">f8")
        except UNREADABLE:
            tally.samples += 1
            continue
        codes = chunk["status"]
        status = np.zeros(len(raw), np.uint8) if codes is None else np.frombuffer(codes, np.uint8)
        gone = version != 0 and version not in profiles
        _compare(tally, profiles.get(version), raw, kept=kept, status=status, gone=gone)


def _compare_vectors(page: Sequence[StoredVector], revision: Revision, profiles: Profiles, tallies: Tallies) -> None:
    for one in page:
        # Of a later revision whose version is gone, nothing could be converted for readers.
        version = revision.version or one.version
        gone = version != 0 and version not in profiles
        tally = tallies[revision.number, version]
        _compare(tally, profiles.get(version), one.raw, kept=one.physical, status=one.status, gone=gone)


def _compare(tally: Tally, profile: Profile | None, raw: F64, *, kept: F64, status: U8, gone: bool) -> None:
    tally.samples += len(raw)
    if gone:
        return  # a version that is gone makes nothing of raw any more: all of them differ
    physical, expected = _converted(profile, raw)
    if len(kept) != len(raw) or len(status) != len(raw):
        return
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


def _checks(row: asyncpg.Record, part: PhysicalPart, profiles: Profiles, tallies: Tallies) -> list[PhysicalCheck]:
    return [
        PhysicalCheck(
            sensor_id=row["sensor_id"],
            sensor=row["name"],
            revision=revision,
            profile_version=version,
            kind=_kind(profiles.get(version)),
            part=part,
            samples=tally.samples,
            exact=tally.exact,
            close=tally.close,
            differing=tally.samples - tally.exact - tally.close,
            holds=tally.samples == tally.exact + tally.close,
        )
        for (revision, version), tally in sorted(tallies.items())
    ]


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
