"""Facts that tests put into the ledger by hand."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from hub.kit.context import HUB
from hub.kit.db import Database, Tx
from hub.ledger import chain
from hub.ledger.verification import Head, Verification, verify
from tests.hub.callers import Answer

Add = Callable[..., Awaitable[list[int]]]
Link = Callable[[], Awaitable[None]]
Check = Callable[..., Awaitable[Verification]]


@pytest.fixture
def pool(client: TestClient[Any, Any], app: web.Application) -> Database:
    """The pool that the running hub uses itself."""
    return app[HUB].db


@pytest.fixture
def add(db: Tx) -> Add:
    """Add facts of some age, as the owner of the database; returns their ids."""

    async def insert(count: int = 1, days_old: float = 0.0) -> list[int]:
        rows = await db.fetch(
            """
            insert into fact (at, kind, request_id, role, details)
            select clock_timestamp() - $2::interval, 'thing.done', 'r' || n, 'editor', jsonb_build_object('n', n)
            from generate_series(1, $1::int) n
            returning id
            """,
            count,
            timedelta(days=days_old),
        )
        return [row["id"] for row in rows]

    return insert


@pytest.fixture
def link(pool: Database) -> Link:
    """Link all that waits, as the worker does."""

    async def link_all() -> None:
        while await chain.link_waiting(pool):
            pass

    return link_all


@pytest.fixture
def check(pool: Database) -> Check:
    """Verify the chain."""

    async def walk(expected: Head | None = None) -> Verification:
        async with pool.snapshot() as tx:
            return await verify(tx, expected=expected)

    return walk


async def tamper(db: Tx, statement: str, *arguments: object) -> None:
    """Do what no trigger sees, as a superuser can."""
    async with db.transaction():
        await db.execute("set local session_replication_role = replica")
        await db.execute(statement, *arguments)


async def told(db: Tx, answer: Answer) -> list[str]:
    """Return the kinds of the facts that a request left, in order; the request must have succeeded."""
    assert answer.status < 400, answer.body
    return await of_request(db, answer)


async def of_request(db: Tx, answer: Answer) -> list[str]:
    rows = await db.fetch("select kind from fact where request_id = $1 order by id", answer.headers["X-Request-ID"])
    return [row["kind"] for row in rows]
