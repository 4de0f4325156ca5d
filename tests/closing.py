"""Whether ledgers close: what was sent, acknowledged, stored and counted is one and the same."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from tests.acceptance.journal import Journal, Sample


def check_adds_up(ledger: Mapping[str, Any]) -> None:
    """Check that a ledger's counts add up: they do at every moment."""
    assert ledger["received"] == sum(ledger[k] for k in ("stored", "duplicates", "rejected", "pending")), ledger
    assert 0 <= ledger["late"] <= ledger["stored"], ledger


def check_closes(
    ledgers: Mapping[str, Mapping[str, Any]],
    table: Iterable[Sample],
    journal: Journal,
    lost: Mapping[str, int] | None = None,
) -> None:
    """Check the sensors' ledgers against table and journal once nothing is on its way any more.

    What was acknowledged is stored, but for `lost`; nothing is stored twice or was never sent; each sensor's ledger
    says what the table holds of it, and its gaps are the packets that never came.
    """
    stored = list(table)
    once, acknowledged, sent = set(stored), journal.acknowledged(), journal.sent()
    assert len(stored) == len(once), "a sample is stored twice"
    assert once <= sent, f"{len(once - sent)} samples were never sent, e.g. {sorted(once - sent)[:3]}"
    missing = Counter(sensor for sensor, _, _ in acknowledged - once)
    assert missing == Counter(lost or {}), f"{missing.total()} of {len(acknowledged)} acknowledged ones are gone"
    in_table = Counter(sensor for sensor, _, _ in stored)
    gaps = journal.gaps(once)
    for sensor in journal.sensors():
        ledger = ledgers[sensor]
        check_adds_up(ledger)
        assert (ledger["pending"], ledger["rejected"], ledger["lost"]) == (0, 0, missing[sensor]), ledger
        assert ledger["stored"] == in_table[sensor], ledger
        assert ledger["gaps"] == gaps[sensor], ledger
        assert ledger["sent"] == (ledger["received"] if gaps[sensor] == missing[sensor] == 0 else None), ledger
