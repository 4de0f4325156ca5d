"""Links facts into a chain of hashes, as a worker, so that no request waits for the chain's end."""

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from typing import Final

import asyncpg
import structlog

from hub.kit.db import Database
from hub.ledger import chain_queries as queries

log = structlog.get_logger(__name__)

PAUSE_S: Final = 1.0
BATCH: Final = 1000
# Written to the log now and then: what a log elsewhere remembers cannot be rewritten with the database.
TOLD_EVERY_S: Final = 3600.0
NO_HASH: Final = bytes(32)
# Every column of a fact. One that a later migration adds belongs here and into both statements that read facts as text;
# where it is null the hashes of older facts stay as they are.
COLUMNS: Final = (
    "address",
    "at",
    "credential_id",
    "details",
    "id",
    "kind",
    "principal_id",
    "principal_kind",
    "project_id",
    "request_id",
    "role",
    "subject_id",
    "user_agent",
)


Listener = Callable[[Sequence[asyncpg.Record]], None]


async def run(db: Database, listener: Listener) -> None:
    """Link what waits every second, until cancelled; `listener` hears of facts once their links are committed."""
    told_at = float("-inf")
    while True:
        while await link_waiting(db, listener) == BATCH:
            pass
        now = asyncio.get_running_loop().time()
        if now - told_at >= TOLD_EVERY_S and await _tell(db):
            told_at = now
        await asyncio.sleep(PAUSE_S)


async def link_waiting(db: Database, listener: Listener | None = None) -> int:
    """Link the oldest facts that wait and return how many; 0 while another worker does it.

    A fact waits from the moment its transaction commits, so that none is passed over however late that is; facts are
    in the chain in the order in which they were found committed.
    """
    async with db.transaction() as tx:
        if not await queries.try_hold(tx):
            return 0
        rows = await queries.take_waiting(tx, BATCH)
        if not rows:
            return 0
        last = await queries.last_link(tx)
        seq, hash_ = (last["seq"], last["hash"]) if last else (0, NO_HASH)
        hashes: list[bytes] = []
        for row in rows:
            hash_ = link_hash(hash_, canonical(row))
            hashes.append(hash_)
        await queries.insert_links(tx, seq + 1, [row["id"] for row in rows], hashes)
    if listener is not None:
        listener(rows)
    return len(rows)


def canonical(fact: asyncpg.Record) -> bytes:
    """Write a fact, its columns as text, as bytes that no other fact has.

    Each column that is not null, in the order of `COLUMNS`, as `length:name=value,` with the length of `name=value` in
    bytes of UTF-8. `at` counts microseconds since 1970; `details` is PostgreSQL's text of the jsonb.
    """
    parts = [f"{name}={fact[name]}".encode() for name in COLUMNS if fact[name] is not None]
    return b"".join(b"%d:%b," % (len(part), part) for part in parts)


def link_hash(before: bytes, fact: bytes) -> bytes:
    """Return the hash of a link: SHA-256 of the hash before it (32 zero bytes at the beginning) and the fact."""
    return hashlib.sha256(before + fact).digest()


async def _tell(db: Database) -> bool:
    async with db.connection() as connection:
        last = await queries.last_link(connection)
    if last is not None:
        log.info("audit chain", last_link=f"{last['seq']}:{last['hash'].hex()}")
    return last is not None
