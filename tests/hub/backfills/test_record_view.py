"""The views for people who write SQL: the newest revision by default, and every one by its number."""

import time
from typing import Any
from uuid import UUID

import pytest

from hub.backfills import job
from hub.kit.context import Hub
from hub.kit.db import Tx
from tests.hub.backfills.conftest import STEEP, backfill_all, new_version
from tests.hub.sealing.conftest import Recorded, Spectra, seal_all

RECORD = """
select raw_value, processed_value, conversion_profile_id, conversion_status, metadata
from telemetry_record
where capture_session_id = $1::text::uuid
order by timestamp
"""
REVISIONS = """
select revision, raw_value, processed_value, conversion_profile_id, conversion_status
from telemetry_record_revision
where capture_session_id = $1::text::uuid
order by revision, timestamp
"""
NARROW = STEEP | {"intercept": 1.0, "input_range": [0.0, 0.75]}


@pytest.fixture
async def captured(recorded: Recorded) -> Recorded:
    """A finished capture of 0, 0.5 and 1."""
    await recorded.spread(3)
    await recorded.capture()
    return recorded


async def apply(captured: Recorded, hub: Hub, payload: dict[str, Any]) -> UUID:
    """Convert the capture anew; returns the version."""
    version = await new_version(captured.user, captured, payload)
    assert (await captured.user.post(f"/captures/{captured.id}/backfills", {"profile_id": version["id"]})).status == 201
    await seal_all(hub)
    await backfill_all(hub)
    return UUID(version["id"])


async def test_the_newest_revision_with_its_profile(captured: Recorded, hub: Hub, db: Tx) -> None:
    first = UUID(captured.sensor["active_profile"]["id"])
    expected = [(0.0, 1.0, first, "ok", None), (0.5, 2.0, first, "ok", None), (1.0, 3.0, first, "ok", None)]
    assert [tuple(row) for row in await db.fetch(RECORD, captured.id)] == expected
    await apply(captured, hub, STEEP)
    newest = await apply(captured, hub, NARROW)
    assert [tuple(row) for row in await db.fetch(RECORD, captured.id)] == [
        (0.0, 1.0, newest, "ok", None),
        (0.5, 6.0, newest, "ok", None),
        (1.0, 11.0, newest, "out_of_range", None),
    ]


async def test_every_revision_by_its_number(captured: Recorded, hub: Hub, db: Tx) -> None:
    versions = [
        UUID(captured.sensor["active_profile"]["id"]),
        await apply(captured, hub, STEEP),
        await apply(captured, hub, NARROW),
    ]
    made = [(1.0, 2.0, 3.0), (0.0, 5.0, 10.0), (1.0, 6.0, 11.0)]
    assert [tuple(row) for row in await db.fetch(REVISIONS, captured.id)] == [
        (revision, raw, physical, version, "out_of_range" if (revision, raw) == (3, 1.0) else "ok")
        for revision, (version, values) in enumerate(zip(versions, made, strict=True), 1)
        for raw, physical in zip((0.0, 0.5, 1.0), values, strict=True)
    ]


async def test_a_revision_in_the_making_is_not_there(captured: Recorded, hub: Hub, db: Tx) -> None:
    version = await new_version(captured.user, captured)
    await captured.user.post(f"/captures/{captured.id}/backfills", {"profile_id": version["id"]})
    await seal_all(hub)
    await job.step(hub)
    assert await db.fetchval("select count(*) from telemetry_revision") > 0
    assert [row["processed_value"] for row in await db.fetch(RECORD, captured.id)] == [1.0, 2.0, 3.0]
    assert {row["revision"] for row in await db.fetch(REVISIONS, captured.id)} == {1}


async def test_what_no_seal_took_in_is_as_it_came(captured: Recorded, hub: Hub, db: Tx) -> None:
    """SQL converts nothing; whose values they are the profile's id tells, and the next seal makes them the newest."""
    newest = await apply(captured, hub, STEEP)
    await captured.publish([(captured.end - 1_000_000, 7.0)])
    *others, late = await db.fetch(RECORD, captured.id)
    assert {row["conversion_profile_id"] for row in others} == {newest}
    assert (late["processed_value"], str(late["conversion_profile_id"])) == (
        15.0,
        captured.sensor["active_profile"]["id"],
    )
    await captured.user.post(f"/captures/{captured.id}/seal")
    await seal_all(hub)
    late = (await db.fetch(RECORD, captured.id))[-1]
    assert (late["processed_value"], late["conversion_profile_id"]) == (70.0, newest)


async def test_headlines_of_vectors(spectra: Spectra, hub: Hub, db: Tx) -> None:
    await spectra.send((time.time() - 60, [1.0, 5.0, 2.0]))
    await spectra.capture()
    newest = await apply(spectra, hub, STEEP)
    (row,) = await db.fetch(RECORD, spectra.id)
    assert tuple(row)[:3] == (5.0, 50.0, newest)
    assert [row["processed_value"] for row in await db.fetch(REVISIONS, spectra.id)] == [11.0, 50.0]
