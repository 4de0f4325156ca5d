"""Lets the oldest facts go, a whole stretch at a time, and remembers from where the chain continues."""

from typing import Final, NamedTuple

from hub.kit.db import Tx
from hub.ledger import chain_queries as queries
from hub.ledger.service import Fact, record_for_system
from hub.ledger.verification import Fault, verify

LEAST_DAYS: Final = 366


class StretchBroken(Exception):
    """The oldest facts do not verify, so they are kept as evidence."""

    def __init__(self, fault: Fault) -> None:
        """Say where it is broken."""
        self.fault = fault
        super().__init__(f"{self.__doc__} Link {fault.seq}: {fault.what}.")


class Pruned(NamedTuple):
    """How many facts went, and the number of the last link among them."""

    facts: int
    seq: int


async def prune(tx: Tx, older_than_days: int, *, by: str) -> Pruned | None:
    """Delete the oldest stretch in which every fact is older; None when there is none. Raises StretchBroken.

    Needs the owner's rights; facts wait to be linked meanwhile.
    """
    if older_than_days < LEAST_DAYS:
        raise ValueError(f"facts are kept for {LEAST_DAYS} days at least")
    await queries.hold(tx)
    end = await queries.end_of_old(tx, older_than_days)
    if end is None:
        return None
    seen = await verify(tx, until_seq=end["seq"])
    if not seen.holds:
        raise StretchBroken(seen.faults[0])
    await queries.insert_anchor(tx, seq=end["seq"], hash_=end["hash"], facts=seen.facts)
    await queries.delete_facts(tx, end["seq"])
    await queries.delete_links(tx, end["seq"])
    details = {
        "older_than_days": older_than_days,
        "facts": seen.facts,
        "seq": end["seq"],
        "hash": end["hash"].hex(),
        "first_at": seen.first_at,
        "last_at": seen.last_at,
    }
    await record_for_system(tx, Fact("audit.pruned", details=details), by=by)
    return Pruned(seen.facts, end["seq"])
