"""Published versions of profiles in the database: nothing changes them, a change is a new version."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from hub.kit.db import Tx
from tests.hub.rows import Rows

PUBLISHED = ("scheduled", "active", "deprecated")


@asynccontextmanager
async def refused(db: Tx) -> AsyncIterator[None]:
    """Expect that the statement inside violates the rule, and go on in the same transaction, if there is one."""
    with pytest.raises(asyncpg.CheckViolationError) as caught:
        async with db.transaction():
            yield
    assert caught.value.constraint_name == "profile_published"


class TestChange:
    @pytest.mark.parametrize("status", PUBLISHED)
    async def test_no_column_but_its_end(self, rows: Rows, db: Tx, status: str) -> None:
        await rows.profile(status)
        other = await rows.sensor()
        changes: list[tuple[str, Any]] = [
            ("id = gen_random_uuid() where $1::text is null", None),
            ("sensor_id = $1", other),
            ("version = $1", 2),
            ("kind = $1", "table"),
            ("payload = $1", {"kind": "linear", "slope": 3, "intercept": 1}),
            ("valid_from = now() where $1::text is null", None),
            ("created_by = $1", rows.user),
            ("created_at = now() - interval '1 s' where $1::text is null", None),
        ]
        for change, value in changes:
            async with refused(db):
                await db.execute(f"update conversion_profile set {change}", value)
        await db.execute("update conversion_profile set valid_to = now(), version = version")

    async def test_columns_of_later_migrations(self, rows: Rows, db: Tx) -> None:
        await rows.profile("active")
        transaction = db.transaction()
        await transaction.start()
        await db.execute("alter table conversion_profile add column author text")
        async with refused(db):
            await db.execute("update conversion_profile set author = 'me'")
        await transaction.rollback()

    async def test_draft(self, rows: Rows, db: Tx) -> None:
        await rows.profile()
        await db.execute(
            "update conversion_profile set version = 7, kind = 'table', payload = '{}', valid_from = now()"
        )
        await db.execute("update conversion_profile set kind = 'linear', status = 'active', valid_from = null")

    async def test_beginning_that_is_still_to_come(self, rows: Rows, db: Tx) -> None:
        await rows.profile("scheduled", begins_in="1 hour")
        await db.execute("update conversion_profile set valid_from = now() + interval '2 hours'")
        for past in ("now()", "null"):
            async with refused(db):
                await db.execute(f"update conversion_profile set valid_from = {past}")

    @pytest.mark.parametrize("begins_in", [None, "-1 s"])
    async def test_beginning_that_has_passed(self, rows: Rows, db: Tx, begins_in: str | None) -> None:
        await rows.profile("scheduled", begins_in=begins_in)
        async with refused(db):
            await db.execute("update conversion_profile set valid_from = now() + interval '1 hour'")
        await db.execute("update conversion_profile set status = 'active'")


class TestDelete:
    async def test_drafts_only(self, rows: Rows, db: Tx) -> None:
        for status in PUBLISHED:
            profile = await rows.profile(status)
            async with refused(db):
                await db.execute("delete from conversion_profile where id = $1", profile)
        await rows.profile()
        await db.execute("delete from conversion_profile where status = 'draft'")
        assert await db.fetchval("select count(*) from conversion_profile") == len(PUBLISHED)


class TestSeal:
    """A payload is sealed once: the readable one goes as the sealed one comes."""

    @pytest.fixture(autouse=True)
    async def sealable(self, rows: Rows, db: Tx) -> AsyncIterator[None]:
        await rows.profile("active")
        transaction = db.transaction()
        await transaction.start()
        await db.execute("alter table conversion_profile add column if not exists payload_sealed bytea")
        await db.execute("alter table conversion_profile alter column payload drop not null")
        yield
        await transaction.rollback()

    @pytest.mark.parametrize(
        "change", ["payload = null", "payload_sealed = 'x'", "payload = '{}', payload_sealed = 'x'"]
    )
    async def test_not_by_halves(self, db: Tx, change: str) -> None:
        async with refused(db):
            await db.execute(f"update conversion_profile set {change}")

    async def test_once(self, db: Tx) -> None:
        await db.execute("update conversion_profile set payload = null, payload_sealed = 'x'")
        for change in ("payload_sealed = 'y'", "payload_sealed = null", "payload = '{}', payload_sealed = null"):
            async with refused(db):
                await db.execute(f"update conversion_profile set {change}")
        await db.execute("update conversion_profile set status = 'deprecated', valid_to = now()")


class TestAlone:
    """At no time two published versions of a sensor apply."""

    @asynccontextmanager
    async def refused(self, version: int) -> AsyncIterator[None]:
        with pytest.raises(asyncpg.CheckViolationError) as caught:
            yield
        assert caught.value.constraint_name == "profile_alone"
        assert f'"version": {version}' in (caught.value.detail or "")

    @pytest.mark.parametrize("begins_in", [None, "-1 hour", "1 hour"])
    async def test_beside_one_without_end(self, rows: Rows, begins_in: str | None) -> None:
        of = await rows.sensor()
        await rows.profile("active", of=of)
        async with self.refused(1):
            await rows.profile("scheduled", of=of, begins_in=begins_in)
        await rows.profile("scheduled", begins_in=begins_in)  # of another sensor

    async def test_one_after_the_other(self, rows: Rows, db: Tx) -> None:
        of = await rows.sensor()
        first = await rows.profile("active", of=of)
        await db.execute("update conversion_profile set valid_to = now() + interval '1 hour' where id = $1", first)
        async with self.refused(1):
            await rows.profile("scheduled", of=of, begins_in="59 minutes")
        second = await rows.profile("scheduled", of=of, begins_in="2 hours")
        async with self.refused(2):
            await db.execute("update conversion_profile set valid_to = null where id = $1", first)
        await db.execute(
            "update conversion_profile set status = 'deprecated', valid_to = valid_from where id = $1", second
        )
        await db.execute("update conversion_profile set valid_to = null where id = $1", first)
        async with self.refused(1):
            await db.execute("update conversion_profile set valid_to = null where id = $1", second)
