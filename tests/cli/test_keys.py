"""`etp migrate` and the operator's commands for keys: what they say, and that it is never a key."""

import base64
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest
from click.testing import Result
from typer.testing import CliRunner

from cli.main import app
from hub.kit import data_keys
from hub.kit.db import Database
from hub.kit.key_service import KeyFile
from tests.services import run

ROOT = Path(__file__).resolve().parents[2]
Etp = Callable[..., Result]


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    """Where the key file is made."""
    return tmp_path / "data" / "secret.key"


@pytest.fixture
def etp(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Etp:
    """Run `etp` on the test's database, away from anybody's .env file."""
    monkeypatch.chdir(tmp_path)
    for name, value in {"DATABASE_URL": database_url, "REDIS_URL": "redis://127.0.0.1:1", "DATA_DIR": "data"}.items():
        monkeypatch.setenv(f"ETP_{name}", value)
    return lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])


def check_says_no_key(database_url: str, result: Result, *files: Path) -> None:
    async def unwrap() -> list[bytes]:
        database = Database(database_url, max_size=1)
        try:
            async with database.transaction() as tx:
                return [each.key for each in await data_keys.read(tx, KeyFile.read(files[-1], may_create=False))]
        finally:
            await database.close()

    keys = [*run(unwrap()), *(file.read_bytes() for file in files)]
    assert len(keys) > len(files)
    said = result.output.lower()
    for key in keys:
        for form in (key.hex(), base64.b64encode(key).decode().lower(), repr(key).lower()):
            assert form not in said


def facts(database_url: str) -> list[tuple[str, str]]:
    async def read() -> list[tuple[str, str]]:
        connection = await asyncpg.connect(database_url)
        try:
            rows = await connection.fetch("select kind, details::text from fact where kind like 'key.%' order by id")
        finally:
            await connection.close()
        return [(row["kind"], row["details"]) for row in rows]

    return run(read())


def old_profiles(database_url: str, count: int) -> None:
    async def insert() -> None:
        connection = await asyncpg.connect(database_url)
        project = await connection.fetchval("insert into project (name) values ('p') returning id")
        for number in range(count):
            await connection.execute(
                """
                with made as (
                  insert into sensor (project_id, name, type, input_unit, display_unit, token_digest, token_sealed)
                  values ($1, $2, 'other', '', '', $3, $3)
                  returning id
                )
                insert into conversion_profile (sensor_id, version, kind, payload, status)
                select id, 1, 'linear', '{"kind": "linear", "slope": 1, "intercept": 0}', 'active'
                from made
                """,
                project,
                str(number),
                bytes([number]),
            )
        await connection.close()

    run(insert())


class TestMigrate:
    def test_says_what_was_sealed(self, etp: Etp, database_url: str, key_file: Path) -> None:
        assert (etp("migrate").exit_code, etp("migrate").output) == (0, "")
        old_profiles(database_url, 2)
        sealed = etp("migrate")
        assert (sealed.exit_code, sealed.output) == (0, "Sealed 2 profiles that stood in the clear.\n")
        check_says_no_key(database_url, sealed, key_file)
        assert etp("migrate").output == ""

    def test_in_production_without_a_key_file(self, etp: Etp, monkeypatch: pytest.MonkeyPatch, key_file: Path) -> None:
        monkeypatch.setenv("ETP_ENV", "production")
        monkeypatch.setenv("ETP_PUBLIC_URL", "https://lab.example.com")
        monkeypatch.setenv("ETP_TRUSTED_PROXIES", "127.0.0.1")
        refused = etp("migrate")
        assert refused.exit_code == 2
        assert refused.output.startswith("production needs ETP_SECRET_KEY_FILE")
        assert not key_file.exists()


class TestHub:
    def test_does_not_start_with_another_key_file(self, etp: Etp, key_file: Path) -> None:
        etp("migrate")
        key_file.write_bytes(bytes(range(32)))
        command = [sys.executable, "-m", "cli", "hub", "--roles", "worker"]
        env = os.environ | {"PYTHONPATH": str(ROOT)}
        refused = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=60)
        assert refused.returncode == 2
        assert "does not open this database's data key" in refused.stderr


class TestRotateDataKey:
    def test_names_the_new_key(self, etp: Etp, database_url: str, key_file: Path) -> None:
        etp("migrate")
        done = etp("admin", "rotate-data-key")
        assert done.exit_code == 0
        assert done.output.startswith("Data key 5 seals from now on")
        assert facts(database_url) == [("key.rotated", '{"key": 5}')]
        check_says_no_key(database_url, done, key_file)

    def test_without_the_key_file(self, etp: Etp, key_file: Path) -> None:
        etp("migrate")
        key_file.unlink()
        refused = etp("admin", "rotate-data-key")
        assert (refused.exit_code, "there is no key file" in refused.output) == (2, True)
        assert not key_file.exists()


class TestChangeSecretKey:
    def test_says_what_to_do_next(self, etp: Etp, database_url: str, key_file: Path, tmp_path: Path) -> None:
        etp("migrate")
        new = tmp_path / "new.key"
        new.write_bytes(bytes(range(32)))
        done = etp("admin", "change-secret-key", "--new-key-file", new)
        assert done.exit_code == 0
        assert done.output.startswith(f"Wrapped 4 data keys under {new}.")
        assert f"ETP_SECRET_KEY_FILE={new}" in done.output
        assert facts(database_url) == [("key.file_changed", '{"keys": 4}')]
        check_says_no_key(database_url, done, key_file, new)

    def test_with_a_file_that_is_missing(self, etp: Etp, tmp_path: Path) -> None:
        etp("migrate")
        refused = etp("admin", "change-secret-key", "--new-key-file", tmp_path / "new.key")
        assert (refused.exit_code, "there is no key file" in refused.output) == (2, True)
