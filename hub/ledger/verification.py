"""Walks the chain of facts and says whether it holds."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

import asyncpg

from hub.kit.db import Tx
from hub.ledger import chain_queries as queries
from hub.ledger.chain import NO_HASH, canonical, link_hash

AT_ONCE: Final = 2000
MOST_FAULTS: Final = 1000
WAITING_S: Final = 60.0
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Fault(NamedTuple):
    """A place where the chain does not hold: the link, or None for a fact that has none, and what is wrong."""

    seq: int | None
    fact_id: int | None
    what: str


class Head(NamedTuple):
    """A link that somebody noted down: whoever knows it sees whether anything up to it was rewritten."""

    seq: int
    hash: bytes

    @classmethod
    def parse(cls, text: str) -> "Head":
        """Read `number:hash`; raises ValueError."""
        seq, _, digits = text.partition(":")
        hash_ = bytes.fromhex(digits)
        if len(hash_) != len(NO_HASH):
            raise ValueError("a hash has 32 bytes")
        return cls(int(seq), hash_)

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash.hex()}"


@dataclass
class Verification:
    """What a walk found; `first_at` and `last_at` are the times of the oldest and the newest fact seen."""

    head: Head
    facts: int = 0
    pruned: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None
    faults: list[Fault] = field(default_factory=list[Fault])
    waiting: int = 0

    @property
    def holds(self) -> bool:
        """Whether no fact was changed, taken out or put in."""
        return not self.faults


async def verify(tx: Tx, *, until_seq: int | None = None, expected: Head | None = None) -> Verification:
    """Walk the chain from its anchor, or from the beginning, to a link or to the end.

    Needs a transaction that sees one moment throughout. After a fault the walk goes on from the hash that is stored, so
    that one changed fact is one fault. `expected` is a link noted down earlier; one that was pruned proves nothing.
    """
    anchor = await queries.anchor(tx)
    head = Head(anchor["seq"], anchor["hash"]) if anchor else Head(0, NO_HASH)
    found = Verification(head, pruned=anchor["facts"] if anchor else 0)
    _compare(found, expected, None)
    cursor = await queries.links(tx, until_seq)
    while rows := await cursor.fetch(AT_ONCE):
        for row in rows:
            _follow(found, row)
            _compare(found, expected, row["fact_id"])
    if expected is not None and expected.seq > found.head.seq:
        _note(found, Fault(expected.seq, None, "the link that was noted down is missing"))
    if until_seq is None:
        for fact_id in await queries.strays(tx, MOST_FAULTS):
            _note(found, Fault(None, fact_id, "the fact was put in: it is not linked and does not wait to be"))
        found.waiting = await queries.waiting_too_long(tx, WAITING_S)
    return found


def _follow(found: Verification, row: asyncpg.Record) -> None:
    seq, stored = row["seq"], row["hash"]
    gap = seq != found.head.seq + 1
    if gap:
        _note(found, Fault(found.head.seq + 1, None, "the link is missing"))
    if row["id"] is None:
        _note(found, Fault(seq, row["fact_id"], "the fact is missing"))
    else:
        found.facts += 1
        _widen(found, row["at"])
        # Behind a gap nobody knows the hash before.
        if not gap and stored != link_hash(found.head.hash, canonical(row)):
            _note(found, Fault(seq, row["fact_id"], "the fact or its link was changed"))
    found.head = Head(seq, stored)


def _widen(found: Verification, at_us: str) -> None:
    try:
        at = _EPOCH + timedelta(microseconds=int(at_us))
    except (ValueError, OverflowError):
        return  # a forged time may lie beyond all calendars; its hash tells
    found.first_at = at if found.first_at is None else min(at, found.first_at)
    found.last_at = at if found.last_at is None else max(at, found.last_at)


def _compare(found: Verification, expected: Head | None, fact_id: int | None) -> None:
    if expected is not None and expected.seq == found.head.seq and expected.hash != found.head.hash:
        _note(found, Fault(expected.seq, fact_id, "the link is another one than was noted down"))


def _note(found: Verification, fault: Fault) -> None:
    if len(found.faults) < MOST_FAULTS:
        found.faults.append(fault)
