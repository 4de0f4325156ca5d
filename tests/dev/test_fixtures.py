"""The fixtures that the other tests stand on."""

import asyncpg
import pytest
import redis.asyncio

from tests.services import Database


async def test_emptying_a_database_keeps_the_rows_of_its_migrations_only(empty_database_url: str):
    connection = await asyncpg.connect(empty_database_url)
    await connection.execute(
        "create table shard (id int generated always as identity, name text,"
        " len int generated always as (length(name)) stored)"
    )
    await connection.execute("create table entry (shard int)")
    await connection.execute("insert into shard (name) values ('first')")
    await connection.close()

    database = Database(empty_database_url)
    await database.empty()
    connection = await asyncpg.connect(empty_database_url)
    await connection.execute("insert into shard (name) values ('second')")
    await connection.execute("update shard set name = 'changed' where id = 1")
    await connection.execute("insert into entry values (1)")
    await database.empty()
    assert connection.is_closed() or await _is_ended(connection)

    connection = await asyncpg.connect(empty_database_url)
    assert await connection.fetch("select id, name, len from shard") == [(1, "first", 5)]
    assert await connection.fetchval("select count(*) from entry") == 0
    await connection.close()


async def _is_ended(connection) -> bool:
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)):
        await connection.fetch("select 1")
    return True


async def test_migrated_database_is_given_again(database_url: str):
    connection = await asyncpg.connect(database_url)
    assert await connection.fetchval("show server_version_num") >= "180000"
    await connection.close()


@pytest.mark.parametrize("turn", [1, 2])
async def test_valkey_starts_every_test_without_keys(valkey_url: str, turn: int):
    async with redis.asyncio.from_url(valkey_url) as client:
        assert await client.dbsize() == 0
        await client.set("key", turn)


async def test_empty_database_has_no_tables(empty_database_url: str):
    connection = await asyncpg.connect(empty_database_url)
    assert await connection.fetchval("select count(*) from pg_tables where schemaname = 'public'") == 0
    await connection.close()
