"""The operator's commands on the embedded system, with nothing set but its data folder."""

from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from tests.services import TestServers, run

Etp = Callable[..., Result]


@pytest.fixture
def etp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Etp:
    """Run `etp` where neither database nor stream is named."""
    monkeypatch.chdir(tmp_path)
    for name in ("ETP_DATABASE_URL", "ETP_REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    return lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def folder(servers: TestServers, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data folder of a PostgreSQL and a Valkey that run, laid out as `make run` lays it out."""
    found = run(servers.postgres()).data_dir.parent
    assert run(servers.stream("valkey")).data_dir == found / "valkey"
    monkeypatch.setenv("ETP_DATA_DIR", str(found))
    return found


@pytest.mark.usefixtures("folder")
class TestRunning:
    def test_finds_database_and_stream_by_the_folder(self, etp: Etp) -> None:
        assert etp("migrate").exit_code == 0
        audit = etp("admin", "verify-audit")
        assert (audit.exit_code, audit.output.splitlines()[0]) == (0, "no linked facts"), audit.output
        verified = etp("verify", uuid4())
        assert verified.exit_code == 2
        assert "seal" in verified.output
        resharded = etp("admin", "reshard", 1)
        assert "now there are 1." in resharded.output, resharded.output

    def test_an_address_that_is_set_wins(self, etp: Etp, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ETP_DATABASE_URL", database_url)
        made = etp("admin", "create-owner", "ada@example.com", "--project", "p", "--password", "a long word of hers")
        assert made.exit_code == 0, made.output
        assert etp("admin", "reset-mfa", "ada@example.com").exit_code == 0
        monkeypatch.delenv("ETP_DATABASE_URL")
        assert etp("migrate").exit_code == 0
        assert etp("admin", "reset-mfa", "ada@example.com").exit_code == 1


class TestNotRunning:
    def test_says_which_server_is_missing_and_what_to_do(
        self, etp: Etp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ETP_DATA_DIR", "elsewhere")
        for command in (("verify", uuid4()), ("admin", "verify-audit"), ("migrate",), ("admin", "reshard", 2)):
            refused = etp(*command)
            assert refused.exit_code == 2
            assert f"no PostgreSQL runs in {tmp_path}/elsewhere/postgres" in refused.output
            assert "ETP_DATABASE_URL" in refused.output
        assert not Path("elsewhere").exists()

    def test_stream_is_missed_only_by_what_needs_it(
        self, etp: Etp, database_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ETP_DATA_DIR", "elsewhere")
        monkeypatch.setenv("ETP_DATABASE_URL", database_url)
        assert etp("admin", "verify-audit").exit_code == 0
        for command in (("admin", "reshard", 2), ("hub",)):
            refused = etp(*command)
            assert refused.exit_code == 2
            assert "no Valkey runs in" in refused.output
