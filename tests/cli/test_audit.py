"""The operator's commands of the audit trail, as a shell runs them."""

from collections.abc import Callable
from datetime import timedelta

import asyncpg
import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from hub.kit.db import Database
from hub.ledger import chain
from tests.services import run

Etp = Callable[..., Result]


@pytest.fixture
def etp(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Etp:
    """Run `etp admin …` on the test's database."""
    monkeypatch.setenv("ETP_DATABASE_URL", database_url)
    monkeypatch.setenv("ETP_REDIS_URL", "redis://nowhere")

    def call(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["admin", *arguments])

    return call


def add(database_url: str, count: int, days_old: int = 0) -> None:
    """Add facts and link them, as hub and worker do."""

    async def work() -> None:
        database = Database(database_url)
        async with database.transaction() as tx:
            await tx.execute(
                "insert into fact (at, kind, request_id) select now() - $2::interval, 'thing.done', 'r'"
                " from generate_series(1, $1::int)",
                count,
                timedelta(days=days_old),
            )
        await chain.link_waiting(database)
        await database.close()

    run(work())


def execute(database_url: str, *statements: str) -> None:
    """Do what no trigger sees."""

    async def work() -> None:
        connection = await asyncpg.connect(database_url)
        for statement in ("set session_replication_role = replica", *statements):
            await connection.execute(statement)
        await connection.close()

    run(work())


class TestVerifyAudit:
    def test_empty(self, etp: Etp) -> None:
        result = etp("verify-audit")
        assert (result.exit_code, result.output.splitlines()[0]) == (0, "no linked facts")

    def test_holds(self, etp: Etp, database_url: str) -> None:
        add(database_url, 3)
        result = etp("verify-audit")
        assert result.exit_code == 0, result.output
        assert result.output.startswith("3 linked facts from 20")
        head = result.output.split()[-1]
        add(database_url, 3)
        assert etp("verify-audit", "--expect", head).exit_code == 0

    def test_says_where_it_is_broken(self, etp: Etp, database_url: str) -> None:
        add(database_url, 3)
        execute(
            database_url,
            "update fact set kind = 'thing.undone' where id = (select fact_id from fact_link where seq = 2)",
        )
        result = etp("verify-audit")
        assert result.exit_code == 1
        assert "BROKEN in 1 place, first at link 2, fact " in result.output

    def test_rewritten(self, etp: Etp, database_url: str) -> None:
        add(database_url, 3)
        head = etp("verify-audit").output.split()[-1]
        execute(database_url, "update fact set kind = 'x.y'", "delete from fact_link", "delete from fact")
        assert etp("verify-audit").exit_code == 0
        assert etp("verify-audit", "--expect", head).exit_code == 1

    def test_nobody_links(self, etp: Etp, database_url: str) -> None:
        add(database_url, 3, days_old=1)
        execute(database_url, "insert into fact_waiting select fact_id from fact_link", "delete from fact_link")
        result = etp("verify-audit")
        assert result.exit_code == 1
        assert "3 facts wait for more than a minute" in result.output

    def test_rubbish(self, etp: Etp) -> None:
        assert etp("verify-audit", "--expect", "12").exit_code == 2


class TestPruneAudit:
    def test_within_a_year(self, etp: Etp) -> None:
        assert etp("prune-audit", "--older-than-days", "365").exit_code == 2

    def test_nothing_so_old(self, etp: Etp, database_url: str) -> None:
        add(database_url, 2)
        result = etp("prune-audit", "--older-than-days", "366")
        assert (result.exit_code, result.output) == (0, "nothing is so old\n")

    def test_prunes_and_still_verifies(self, etp: Etp, database_url: str) -> None:
        add(database_url, 3, days_old=500)
        add(database_url, 2)
        result = etp("prune-audit", "--older-than-days", "400")
        assert (result.exit_code, result.output) == (0, "3 facts up to link 3 are gone\n")
        result = etp("verify-audit")
        assert result.exit_code == 0, result.output
        assert result.output.splitlines()[1] == "3 older ones were pruned"

    def test_keeps_evidence(self, etp: Etp, database_url: str) -> None:
        add(database_url, 3, days_old=500)
        execute(database_url, "update fact set kind = 'thing.undone'")
        result = etp("prune-audit", "--older-than-days", "400")
        assert result.exit_code == 1
        assert "kept as evidence" in result.output
