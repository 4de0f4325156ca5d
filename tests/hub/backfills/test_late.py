"""What comes late, numbers and vectors alike: before a seal, and after one to which a revision was added."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from contract import vectors
from contract.manifest import SeriesDigest, VectorHash, digest_of
from hub.kit.context import Hub
from tests.hub.backfills.conftest import STEEP, backfill_all, new_version
from tests.hub.sealing.conftest import Recorded, Spectra, micros, seal_all

Values = dict[int, list[float]]  # by t in µs; a number is one element
SAMPLES, HEADLINES, ELEMENTS = "samples", "headlines", "elements"


class Course:
    """One capture on its way, and everything that was sent of it."""

    def __init__(self, of: Recorded, hub: Hub) -> None:
        self.of, self.hub, self.user, self.db = of, hub, of.user, of.db
        self.are_vectors = of.sensor["axis"] is not None
        self.sent: Values = {}
        self.begin = time.time_ns() // 1000 - 7_200_000_000

    async def send(self, *seconds: int) -> None:
        """Send samples at these seconds after the beginning."""
        made = {self.begin + s * 1_000_000: [float(s), 0.25 * s, 0.5][: 3 if self.are_vectors else 1] for s in seconds}
        rows = [{"t": t / 1e6, "v": v if self.are_vectors else v[0]} for t, v in made.items()]
        assert (await self.of.device.call("POST", "/telemetry", {"samples": rows})).status == 202
        await self.of.stored()
        self.sent |= made

    async def content(self, revision: int) -> Values:
        """Read the physical values of a revision."""
        kind = "vectors" if self.are_vectors else "samples"
        query = f"sensor_id={self.of.sensor['id']}&revision={revision}" + ("&limit=100" if self.are_vectors else "")
        shown = (await self.user.get(f"/captures/{self.of.id}/{kind}?{query}")).ok
        physical = shown["physical"] if self.are_vectors else [[value] for value in shown["physical"]]
        return {round(t * 1e6): values for t, values in zip(shown["t"], physical, strict=True)}

    async def holds(self, revision: int, convert: Callable[[float], float]) -> bool:
        """Tell whether a revision shows all that was sent, and nothing else."""
        return await self.content(revision) == {t: [convert(one) for one in values] for t, values in self.sent.items()}

    async def counted(self) -> tuple[int, int, int]:
        """Read how many samples are stored, came late, and wait for a seal."""
        ledger = (await self.user.get(f"/captures/{self.of.id}/ledger")).ok
        capture = (await self.user.get(f"/captures/{self.of.id}")).ok
        assert (ledger["received"], ledger["pending"]) == (ledger["stored"], 0)
        return ledger["stored"], ledger["late"], capture["late_waiting"]

    async def seal(self) -> None:
        """Make the next seal."""
        assert (await self.user.post(f"/captures/{self.of.id}/seal")).status == 202
        await seal_all(self.hub)

    async def verified(self) -> dict[tuple[str, int], int]:
        """Verify; returns how many values of which part were right in which revision."""
        found = (await self.user.post(f"/captures/{self.of.id}/verify")).ok
        assert found["holds"], found
        return {(one["part"], one["revision"]): one["exact"] for one in found["physical"]}

    async def manifests(self) -> list[dict[str, Any]]:
        return (await self.user.get(f"/captures/{self.of.id}/manifest")).ok["seals"]

    async def kept(self, table: str) -> set[str]:
        """Read the rows of a table, byte for byte."""
        return {row[0] for row in await self.db.fetch(f"select one::text from {table} one")}

    def digest(self) -> SeriesDigest:
        """Hash what was sent."""
        if not self.are_vectors:
            return digest_of(np.array([*self.sent], np.int64), np.array([v[0] for v in self.sent.values()]))
        series = VectorHash()
        for t, values in sorted(self.sent.items(), key=lambda one: (one[0], vectors.identity(np.array(one[1])))):
            series.add(t, np.array(values))
        return series.digest()


def parts(course: Course, *counts: int) -> dict[tuple[str, int], int]:
    """Say what verifying finds where the revisions hold so many samples."""
    revisions = list(enumerate(counts, 1))
    if not course.are_vectors:
        return {(SAMPLES, revision): n for revision, n in revisions}
    return {(HEADLINES, revision): n for revision, n in revisions} | {
        (ELEMENTS, revision): 3 * n for revision, n in revisions
    }


@pytest.fixture(params=["numbers", "vectors"])
def course(request: pytest.FixtureRequest, recorded: Recorded, spectra: Spectra, hub: Hub) -> Course:
    return Course(spectra if request.param == "vectors" else recorded, hub)


async def test_late_before_a_seal_and_after_it(course: Course) -> None:
    await course.send(*range(0, 3000, 300))
    await course.of.capture()

    await course.send(7, 6000)
    assert await course.counted() == (12, 2, 2)
    assert await course.holds(1, first)
    await course.seal()
    assert await course.counted() == (12, 2, 0)
    assert await course.holds(1, first)
    assert await course.verified() == parts(course, 12)

    version = await new_version(course.user, course.of, STEEP)
    await course.user.post(f"/captures/{course.of.id}/backfills", {"profile_id": version["id"]})
    await backfill_all(course.hub)
    assert await course.verified() == parts(course, 12, 12)
    sealed = {table: await course.kept(table) for table in FROZEN}
    manifest, digest = await course.manifests(), course.digest()

    await course.send(8, 3100)
    assert await course.counted() == (14, 4, 2)
    noted = "select sum(n) from capture_late where seal is not distinct from $1"
    assert [await course.db.fetchval(noted, seal) for seal in (1, None)] == [2, 2]
    assert (await course.holds(1, first), await course.holds(2, steep)) == (True, True)
    assert await course.verified() == parts(course, 12, 12)

    await course.seal()
    assert await course.counted() == (14, 4, 0)
    assert (await course.holds(1, first), await course.holds(2, steep)) == (True, True)
    assert await course.verified() == parts(course, 14, 14)
    one, two = await course.manifests()
    assert [one] == manifest
    assert one["sensors"][0]["sha256"] == digest.sha256.hex()
    (series,) = two["sensors"]
    whole = course.digest()
    assert (two["added"], two["samples"], two["cause"]) == (2, 14, "hand")
    assert (series["samples"], series["sha256"]) == (14, whole.sha256.hex())
    assert (micros(series["first_t"]), micros(series["last_t"])) == (whole.first_t, whole.last_t)
    for table, rows in sealed.items():
        assert rows < await course.kept(table), f"{table}: what a seal wrote stays, byte for byte, and more came"


FROZEN = ("telemetry_captured", "telemetry_revision", "capture_seal", "capture_manifest")


def first(raw: float) -> float:
    return 2 * raw + 1


def steep(raw: float) -> float:
    return 10 * raw
