"""Facts are written once: the hub has no right to change them, and triggers hold their owner to it."""

import asyncpg
import pytest

from hub.kit.db import Database, Tx
from tests.hub.ledger.conftest import Add, Link

CHANGES = [
    "update fact set details = '{}'",
    "delete from fact",
    "truncate fact",
    "update fact_link set hash = ''",
    "delete from fact_link",
    "truncate fact_link",
]


@pytest.fixture(autouse=True)
async def facts(add: Add, link: Link) -> list[int]:
    """Some linked facts."""
    made = await add(3)
    await link()
    return made


async def refused(connection: Tx, statement: str) -> bool:
    """Tell whether the database refuses a statement for want of rights."""
    try:
        async with connection.transaction():
            await connection.execute(statement)
    except asyncpg.InsufficientPrivilegeError:
        return True
    return False


class TestTheHub:
    """What its own pool may do."""

    async def test_is_another_role_than_the_login(self, pool: Database) -> None:
        async with pool.connection() as connection:
            assert await connection.fetchval("select current_user") == "etp_app"
            assert await connection.fetchval("select session_user") != "etp_app"

    async def test_stays_that_role_when_a_connection_is_lent_again(self, pool: Database) -> None:
        for _ in range(3):
            async with pool.connection() as connection:
                await connection.execute("reset role")
                assert await connection.fetchval("select current_user") == "etp_app"

    async def test_owns_nothing(self, db: Tx) -> None:
        assert await db.fetchval("select count(*) from pg_class where relowner = 'etp_app'::regrole") == 0

    @pytest.mark.parametrize(
        "statement",
        [
            *CHANGES,
            "insert into fact_anchor (seq, hash, facts) select seq, hash, 1 from fact_link limit 1",
            "delete from fact_anchor",
            "alter table fact disable trigger all",
            "set local session_replication_role = replica",
            "create table mine ()",
            "insert into fact (at, kind, request_id) values (now() - interval '1 day', 'thing.done', 'r')",
            "insert into fact (id, kind, request_id) overriding system value values (1, 'thing.done', 'r')",
        ],
    )
    async def test_may_not(self, pool: Database, statement: str) -> None:
        async with pool.connection() as connection:
            assert await refused(connection, statement)

    async def test_may_add(self, pool: Database, db: Tx) -> None:
        async with pool.connection() as connection:
            await connection.execute("insert into fact (kind, request_id) values ('thing.done', 'r')")
        assert await db.fetchval("select count(*) from fact_waiting") == 1

    async def test_may_use_tables_of_later_migrations(self, db: Tx) -> None:
        transaction = db.transaction()
        await transaction.start()
        await db.execute("create table later (id bigint generated always as identity primary key)")
        await db.execute("create sequence later_no")
        allowed = await db.fetchrow(
            """
            select bool_and(has_table_privilege('etp_app', 'later', name)) as "table",
              has_sequence_privilege('etp_app', 'later_no', 'usage') as "sequence"
            from unnest(array['select', 'insert', 'update', 'delete']) name
            """
        )
        await transaction.rollback()
        assert allowed is not None
        assert dict(allowed) == {"table": True, "sequence": True}


class TestTheOwner:
    """What whoever migrates may do."""

    @pytest.mark.parametrize("statement", [*CHANGES, "update fact_anchor set facts = 0", "delete from fact_anchor"])
    async def test_may_not(self, db: Tx, statement: str) -> None:
        assert await refused(db, statement)

    async def test_may_not_let_young_facts_go(self, db: Tx, add: Add, link: Link) -> None:
        await add(days_old=365)
        await link()
        anchor = "insert into fact_anchor (seq, hash, facts) select seq, hash, 1 from fact_link where seq = {}"
        assert all([await refused(db, anchor.format(seq)) for seq in range(1, 5)])

    async def test_an_anchor_is_a_link(self, db: Tx) -> None:
        assert await refused(db, "insert into fact_anchor (seq, hash, facts) values (9, '\\x00', 1)")
