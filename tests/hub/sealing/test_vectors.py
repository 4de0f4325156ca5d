"""Captures of vectors: their manifest tells of every element, whichever of them is the headline."""

import time

from hub.kit.context import Hub
from hub.kit.db import Tx
from hub.telemetry import merging
from tests.hub.callers import Caller
from tests.hub.sealing.conftest import Spectra


async def test_sealed_and_verified(spectra: Spectra, owner: Caller, hub: Hub, db: Tx) -> None:
    now = round(time.time() - 60, 3)
    await spectra.send((now, [1.0, 9.0, 2.0]), (now, [3.0, 9.0, 2.0]), (now + 1, [0.5, 0.25, 0.125]))
    await spectra.capture()
    await spectra.seal(hub)
    # The same time and the same headline once more, but another vector.
    await spectra.send((now, [4.0, 9.0, 2.0]))
    assert (await owner.get(f"/captures/{spectra.id}/ledger")).ok["stored"] == 4
    await spectra.seal(hub)
    manifest = (await owner.get(f"/captures/{spectra.id}/manifest")).ok
    assert [seal["samples"] for seal in manifest["seals"]] == [3, 4]
    found = await spectra.verified()
    assert found["holds"], found
    assert [(one["part"], one["samples"], one["exact"]) for one in found["physical"]] == [
        ("headlines", 4, 4),
        ("elements", 12, 12),
    ]
    assert (await owner.get(f"/captures/{spectra.id}/ledger")).ok["stored"] == 4
    await db.execute("update telemetry_vector set raw[1] = 0.375 where t = $1", round((now + 1) * 1e6))
    assert not (await spectra.verified())["series"][0]["hash_holds"], "an element below the peak"


class TestForged:
    async def sealed(self, spectra: Spectra, hub: Hub) -> None:
        """Seal a capture of two vectors."""
        now = round(time.time() - 60, 3)
        await spectra.send((now, [1.0, 9.0, 2.0]), (now + 1, [4.0, 3.0, 2.0]))
        await spectra.capture()
        await spectra.seal(hub)

    async def test_a_headline_that_is_no_peak(self, spectra: Spectra, hub: Hub, db: Tx) -> None:
        await self.sealed(spectra, hub)
        await db.execute("update telemetry_captured set raw[1] = 8, physical[1] = 17")
        (series,) = (await spectra.verified())["series"]
        assert (series["count_holds"], series["hash_holds"]) == (False, False)

    async def test_a_vector_that_is_gone(self, spectra: Spectra, hub: Hub, db: Tx) -> None:
        await self.sealed(spectra, hub)
        await db.execute("delete from telemetry_vector where raw[1] = 4")
        (series,) = (await spectra.verified())["series"]
        assert (series["samples"], series["count_holds"]) == (1, False)

    async def test_a_physical_element(self, spectra: Spectra, hub: Hub, db: Tx) -> None:
        await self.sealed(spectra, hub)
        await db.execute("update telemetry_vector set physical[3] = 5.5 where raw[1] = 4")
        found = await spectra.verified()
        assert [(one["part"], one["differing"]) for one in found["physical"]] == [("headlines", 0), ("elements", 1)]
        assert not found["holds"]

    async def test_a_physical_headline(self, spectra: Spectra, hub: Hub, db: Tx) -> None:
        await self.sealed(spectra, hub)
        await db.execute("update telemetry_captured set physical[2] = 9.5")
        found = await spectra.verified()
        assert [(one["part"], one["differing"]) for one in found["physical"]] == [("headlines", 1), ("elements", 0)]
        assert not found["holds"]


class TestTheSamePeakAtTheSameTime:
    """Two vectors that only their smaller elements tell apart, one before a seal and one after it."""

    FIRST, SECOND = [1.0, 9.0, 2.0], [4.0, 9.0, 2.0]

    async def sealed(self, spectra: Spectra, hub: Hub) -> float:
        """Seal a capture that holds the first of them; returns their time."""
        at = round(time.time() - 60, 3)
        await spectra.send((at, self.FIRST))
        await spectra.capture()
        await spectra.seal(hub)
        return at

    async def test_the_later_one_is_taken_in_once_the_window_is_gone(
        self, spectra: Spectra, owner: Caller, hub: Hub, db: Tx
    ) -> None:
        at = await self.sealed(spectra, hub)
        await db.execute("delete from telemetry_recent")
        await spectra.send((at, self.FIRST), (at, self.SECOND))
        assert (await owner.get(f"/sensors/{spectra.sensor['id']}/ledger")).ok["duplicates"] == 1
        for waiting in (1, 0):
            assert (await owner.get(f"/captures/{spectra.id}")).ok["late_waiting"] == waiting
            await spectra.check_count(2)
            assert len((await spectra.vectors())["raw"]) == 2
            if waiting:
                await spectra.seal(hub)
        manifest = (await owner.get(f"/captures/{spectra.id}/manifest")).ok
        assert [(one["added"], one["samples"]) for one in manifest["seals"]] == [(1, 1), (1, 2)]
        found = await spectra.verified()
        assert found["holds"], found

    async def test_each_seal_knows_which_it_holds(self, spectra: Spectra, hub: Hub, db: Tx) -> None:
        """Whichever was received first: clocks of replicas differ, and one may wait longer for the writer."""
        at = await self.sealed(spectra, hub)
        await spectra.send((at, self.SECOND))
        await db.execute("update telemetry_vector set received_at = received_at - 3600000000 where raw[1] = 4")
        await spectra.seal(hub)
        found = await spectra.verified()
        assert [one["hash_holds"] for one in found["series"]] == [True, True]

    async def test_merging_keeps_them_apart(self, spectra: Spectra, owner: Caller, hub: Hub, db: Tx) -> None:
        slot = time.time() // 600 * 600 - 3600
        for vector in (self.FIRST, self.SECOND):
            await spectra.send((slot + 1, vector))
        names = "select unnest(identity) as one from telemetry_recent order by one"
        before = await db.fetch(names)
        await merging.merge(hub)
        assert await db.fetchval("select count(*) from telemetry_recent") == 1
        assert await db.fetch(names) == before
        await spectra.send((slot + 1, self.SECOND), (slot + 1, self.FIRST))
        ledger = (await owner.get(f"/sensors/{spectra.sensor['id']}/ledger")).ok
        assert (ledger["stored"], ledger["duplicates"]) == (2, 2)

    async def test_meta_stays_with_its_own(self, spectra: Spectra, hub: Hub, db: Tx) -> None:
        at = round(time.time() - 60, 3)
        for k, vector in enumerate((self.FIRST, self.SECOND)):
            rows = [{"t": at, "v": vector, "meta": {"k": k}}]
            assert (await spectra.device.call("POST", "/telemetry", {"samples": rows})).status == 202
            await spectra.stored()
            if not k:
                await spectra.capture()
                await spectra.seal(hub)
        await spectra.seal(hub)
        rows = await db.fetch("select seal, meta -> '0' ->> 'k' as k from telemetry_captured order by seal")
        assert [tuple(row) for row in rows] == [(1, "0"), (2, "1")]
