"""Every migration goes up, down and up again, and leaves nothing behind."""

import asyncio
from base64 import b64decode

import asyncpg
import pytest
from alembic.script import ScriptDirectory
from sqlalchemy.exc import DBAPIError

from hub.migrate import SCRIPTS, downgrade, upgrade

OBJECTS = """
select 'relation ' || relname from pg_class where relnamespace = 'public'::regnamespace and relname !~ '^alembic'
union all
select 'function ' || proname from pg_proc where pronamespace = 'public'::regnamespace
union all
select 'trigger ' || tgname || ' on ' || tgrelid::regclass from pg_trigger where not tgisinternal
union all
select 'constraint ' || conname from pg_constraint where connamespace = 'public'::regnamespace and conname !~ '^alembic'
order by 1
"""


async def objects(url: str) -> list[str]:
    """List what the schema holds."""
    connection = await asyncpg.connect(url)
    try:
        return [row[0] for row in await connection.fetch(OBJECTS)]
    finally:
        await connection.close()


async def test_up_down_and_up_again(empty_database_url: str) -> None:
    revisions = [revision.revision for revision in reversed(list(ScriptDirectory(str(SCRIPTS)).walk_revisions()))]
    at: dict[str, list[str]] = {"base": await objects(empty_database_url)}
    for revision in revisions:
        await asyncio.to_thread(upgrade, empty_database_url, revision)
        at[revision] = await objects(empty_database_url)
    assert at["base"] == []
    for revision in [*reversed(revisions[:-1]), "base"]:
        await asyncio.to_thread(downgrade, empty_database_url, revision)
        assert await objects(empty_database_url) == at[revision]
    await asyncio.to_thread(upgrade, empty_database_url)
    assert await objects(empty_database_url) == at[revisions[-1]]


class TestSecrets:
    """0006, with rows from before it: see `etp migrate` for what follows in the hub's hands."""

    async def test_rows_from_before_go_both_ways(self, empty_database_url: str) -> None:
        await asyncio.to_thread(upgrade, empty_database_url, "0004")
        await self.insert_profile(empty_database_url)
        await asyncio.to_thread(upgrade, empty_database_url, "0006")
        await asyncio.to_thread(downgrade, empty_database_url, "0004")
        connection = await asyncpg.connect(empty_database_url)
        assert await connection.fetchval("select payload ->> 'slope' from conversion_profile") == "1"
        await connection.close()

    async def test_sealed_rows_are_not_thrown_away(self, empty_database_url: str) -> None:
        await asyncio.to_thread(upgrade, empty_database_url, "0004")
        await self.insert_profile(empty_database_url)
        await asyncio.to_thread(upgrade, empty_database_url, "0006")
        connection = await asyncpg.connect(empty_database_url)
        for statement, undo in (
            (
                "update conversion_profile set payload = null, payload_sealed = ''",
                "update conversion_profile set payload = '{}', payload_sealed = null",
            ),
            (r"update sensor set token_sealed = '\x65747001'", "update sensor set token_sealed = ''"),
            (r"update app_user set otp_sealed = '\x65747001'", "update app_user set otp_sealed = ''"),
        ):
            await connection.execute(statement)
            with pytest.raises(DBAPIError, match="sealed with data keys"):
                await asyncio.to_thread(downgrade, empty_database_url, "0004")
            await connection.execute(undo)
        await connection.close()
        await asyncio.to_thread(downgrade, empty_database_url, "0004")

    @staticmethod
    async def insert_profile(url: str) -> None:
        connection = await asyncpg.connect(url)
        await connection.execute("insert into app_user (email, name, password_hash) values ('', '', '')")
        await connection.execute(
            """
            with of as (insert into project (name) values ('p') returning id),
            made as (
              insert into sensor (project_id, name, type, input_unit, display_unit, token_digest, token_sealed)
              select id, 's', 'other', '', '', '', ''
              from of
              returning id
            )
            insert into conversion_profile (sensor_id, version, kind, payload, status)
            select id, 1, 'linear', '{"kind": "linear", "slope": 1, "intercept": 0}', 'active'
            from made
            """
        )
        await connection.close()


class TestIdentity:
    """0018, with chunks of vectors from before it: of equal headlines at one t those that came first are the first."""

    async def test_chunks_from_before_name_their_vectors(self, empty_database_url: str) -> None:
        await asyncio.to_thread(upgrade, empty_database_url, "0017")
        connection = await asyncpg.connect(empty_database_url)
        await connection.execute(
            """
            with of as (insert into project (name) values ('p') returning id)
            insert into sensor (project_id, name, type, input_unit, display_unit, token_digest, token_sealed, axis)
            select id, name, 'other', '', '', convert_to(name, 'UTF8'), '', axis::jsonb
            from of, (values
              ('spectrum', '{"quantity": "f", "unit": "Hz", "start": 0, "step": 1, "count": 2}'), ('number', null)
            ) as made (name, axis)
            """
        )
        spectrum, number = [
            await connection.fetchval("select no from sensor where name = $1", name) for name in ("spectrum", "number")
        ]
        await connection.execute("select ensure_telemetry_day(0)")
        # At t = 10 two with the same peak, of which 71 came first; that of t = 13 is gone.
        await connection.executemany(
            """
            insert into telemetry_vector (sensor_no, t, identity, profile_version, received_at, raw, physical)
            values ($1, $2, $3, 1, $4, $5, $5)
            """,
            [(spectrum, 10, 70, 6, [9.0, 1.0]), (spectrum, 10, 71, 5, [2.0, 9.0]), (spectrum, 11, -5, 5, [1.0, 0.0])],
        )
        chunk = "(sensor_no, first_t, last_t, n, {times}, raw, physical, profile_version, received_at"
        recent = f"insert into telemetry_recent {chunk.format(times='t_offset')}) "
        await connection.execute(
            recent + "values ($1, 10, 13, 4, '{0,0,1,3}', '{9,9,1,4}', '{9,9,1,4}', 1, 6)", spectrum
        )
        await connection.execute(recent + "values ($1, 10, 10, 1, '{0}', '{9}', '{9}', 1, 6)", number)
        sealed = f"insert into telemetry_captured {chunk.format(times='t_delta')}, capture_id, seal, chunk_no) "
        await connection.execute(
            sealed + "values ($1, 10, 11, 2, '{0,1}', '{9,1}', '{9,1}', 1, 5, gen_random_uuid(), 1, 0)", spectrum
        )
        capture = await connection.fetchval("select capture_id from telemetry_captured")
        await connection.execute(
            sealed + "values ($1, 10, 10, 1, '{0}', '{9}', '{9}', 1, 6, $2, 2, 1)", spectrum, capture
        )
        await asyncio.to_thread(upgrade, empty_database_url, "0018")
        rows = await connection.fetch("select sensor_no, identity from telemetry_recent order by sensor_no")
        assert {row["sensor_no"]: row["identity"] for row in rows} == {spectrum: [71, 70, -5, 0], number: None}
        rows = await connection.fetch("select identity from telemetry_captured order by chunk_no")
        assert [row["identity"] for row in rows] == [[71, -5], [70]]
        await connection.close()
        await asyncio.to_thread(downgrade, empty_database_url, "0017")
        await asyncio.to_thread(upgrade, empty_database_url, "0018")


class TestPackets:
    """Packet numbers from before the ledger counted them."""

    async def test_they_are_counted_in_all_boots(self, empty_database_url: str) -> None:
        await asyncio.to_thread(upgrade, empty_database_url, "0021")
        connection = await asyncpg.connect(empty_database_url)
        await connection.execute(
            """
            insert into sensor_packets (sensor_no, boot, seen)
            values (1, 'a', '{[1,3),[5,6)}'), (1, 'b', '{[0,4)}'), (2, '', '{[7,8)}')
            """
        )
        await connection.execute("insert into sensor_ledger (sensor_no) values (1), (2), (3)")
        await asyncio.to_thread(upgrade, empty_database_url)
        rows = await connection.fetch("select packets_sent, packets_seen from sensor_ledger order by sensor_no")
        assert list(map(tuple, rows)) == [(9, 7), (1, 1), (0, 0)]
        await connection.close()


class TestTokenExpiry:
    """0024: before it only old tokens had an end, so that is what one becomes on the way back."""

    async def test_no_token_is_good_for_ever_on_the_way_back(self, empty_database_url: str) -> None:
        await asyncio.to_thread(upgrade, empty_database_url, "0024")
        connection = await asyncpg.connect(empty_database_url)
        await connection.execute(
            """
            with of as (insert into project (name) values ('p') returning id)
            insert into sensor
              (project_id, name, type, input_unit, display_unit, token_sealed, token_digest, broker_hash,
               token_expires_at)
            select id, name, 'other', '', '', '', convert_to(name, 'UTF8'), '$7$101$c2FsdA==$' || name, ends
            from of, (values ('ends', now() + interval '1 day'), ('stays', null)) as made (name, ends)
            """
        )
        ends = await connection.fetchval("select token_expires_at from sensor where name = 'ends'")
        await asyncio.to_thread(downgrade, empty_database_url, "0023")
        rows = {row["name"]: row for row in await connection.fetch("select * from sensor")}
        assert (rows["stays"]["token_digest"], rows["stays"]["old_token_digest"]) == (b"stays", None)
        one = rows["ends"]
        assert (one["old_token_digest"], one["old_token_until"]) == (b"ends", ends)
        assert one["old_broker_hash"] == "$7$101$c2FsdA==$ends"
        assert one["token_digest"] != b"ends"
        head, _, key = one["broker_hash"].rpartition("$")
        assert (head, len(b64decode(key))) == ("$7$101$c2FsdA==", 64)
        await connection.close()
