"""Profile payloads in the database: sealed, each for its own profile, those from before too."""

import asyncpg
import orjson
import pytest
from aiohttp import web

from hub.key_admin import after_migration
from hub.kit.context import HUB
from hub.kit.db import Tx
from hub.settings import Settings
from tests.hub.callers import Caller
from tests.hub.conftest import Make
from tests.hub.past_rules import past_rules
from tests.hub.races import all_behind

LINEAR = {"kind": "linear", "slope": 2.0, "intercept": 1.0, "input_range": None}


async def as_before(db: Tx, payload: dict[str, object]) -> str:
    """Leave every profile as a version before data keys did: its payload in the clear."""
    async with past_rules(db):
        await db.execute("update conversion_profile set payload_sealed = null, payload = $1", payload)
    return await db.fetchval("select id::text from conversion_profile")


class TestSealed:
    async def test_for_its_profile_only(self, app: web.Application, sensor: Make, db: Tx) -> None:
        made, other = await sensor(), await sensor()
        rows = {
            str(row["sensor_id"]): row
            for row in await db.fetch("select sensor_id, id, payload, payload_sealed from conversion_profile")
        }
        mine, theirs = rows[made["id"]], rows[other["id"]]
        assert (mine["payload"], theirs["payload"]) == (None, None)
        assert mine["payload_sealed"][:4] == b"etp\x01"
        vault = app[HUB].vault
        opened = await vault.unseal(mine["payload_sealed"], b"profile " + mine["id"].bytes)
        assert orjson.loads(opened) == LINEAR

    async def test_moved_to_another_profile(self, editor: Caller, sensor: Make, db: Tx) -> None:
        made, _other = await sensor(), await sensor()
        (profile,) = (await editor.get(f"/sensors/{made['id']}/profiles")).ok["items"]
        async with past_rules(db):
            await db.execute(
                "update conversion_profile set payload_sealed ="
                " (select payload_sealed from conversion_profile where id <> $1::text::uuid) where id = $1::text::uuid",
                profile["id"],
            )
        for answer in (
            await editor.get(f"/profiles/{profile['id']}"),
            await editor.get(f"/sensors/{made['id']}/profiles"),
            await editor.post(f"/profiles/{profile['id']}/preview", {"raw": [1.0]}),
        ):
            assert (answer.status, answer.code) == (500, "internal-fault")

    async def test_never_both(self, sensor: Make, db: Tx) -> None:
        await sensor()
        for statement in (
            "update conversion_profile set payload = '{}'",
            "update conversion_profile set payload_sealed = null",
        ):
            with pytest.raises(asyncpg.CheckViolationError, match="conversion_profile_check"):
                async with past_rules(db):
                    await db.execute(statement)


class TestFromBefore:
    async def test_is_sealed_once(
        self, settings: Settings, app: web.Application, editor: Caller, sensor: Make, db: Tx
    ) -> None:
        await sensor()
        payload = {"kind": "linear", "slope": 3.0, "intercept": 0.5, "input_range": None}
        profile_id = await as_before(db, payload)
        assert await after_migration(settings) == 1
        sealed = await db.fetchval("select payload_sealed from conversion_profile where payload is null")
        assert b"slope" not in sealed
        assert (await editor.get(f"/profiles/{profile_id}")).ok["payload"] == payload
        assert await after_migration(settings) == 0
        assert await db.fetchval("select payload_sealed from conversion_profile") == sealed

    async def test_nothing_is_left_in_the_file(self, settings: Settings, sensor: Make, db: Tx) -> None:
        await sensor()
        await as_before(db, {"kind": "linear", "slope": 123457.015625, "intercept": 0.0})
        await after_migration(settings)
        path = await db.fetchval(
            "select current_setting('data_directory') || '/' || pg_relation_filepath('conversion_profile')"
        )
        await db.execute("checkpoint")
        with open(path, "rb") as file:  # noqa: ASYNC230, PTH123 - one page of a file
            content = file.read()
        assert b"etp\x01" in content
        assert b"slope" not in content

    async def test_at_the_same_time(self, settings: Settings, sensor: Make, db: Tx) -> None:
        await sensor()
        await as_before(db, LINEAR)
        counts = await all_behind(
            db,
            "select from conversion_profile for update",
            after_migration(settings),
            after_migration(settings),
        )
        assert sorted(counts) == [0, 1]
