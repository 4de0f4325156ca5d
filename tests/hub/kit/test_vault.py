"""The vault: where its keys come from, several processes with one database, and what does not open."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import parse_qs, quote, urlsplit

import asyncpg
import pytest
from aiohttp.test_utils import TestClient
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from structlog.testing import capture_logs

from hub.app import create_app
from hub.kit import data_keys, vault
from hub.kit.db import APPLICATION_ROLE, Database, Tx
from hub.kit.key_service import KeyFile, SecretKeyUnfit
from hub.kit.problems import DatabaseAway
from hub.kit.vault import SealBroken, Vault
from hub.settings import Settings
from tests.hub.callers import Caller
from tests.hub.conftest import HubServer
from tests.hub.races import all_behind

SERVICE = KeyFile(bytes(range(32)), "secret.key")
OTHER = KeyFile(bytes(range(32, 64)), "other.key")


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """The database of one process."""
    database = Database(database_url, role=APPLICATION_ROLE)
    yield database
    await database.close()


@pytest.fixture
async def second(database_url: str) -> AsyncIterator[Database]:
    """The database of another process."""
    database = Database(database_url, role=APPLICATION_ROLE)
    yield database
    await database.close()


async def ids(db: Tx) -> list[int]:
    return [row["id"] for row in await db.fetch("select id from data_key order by id")]


async def add_key(db: Tx) -> None:
    async with db.transaction():
        await data_keys.add(db, SERVICE)


class TestFirstKeys:
    async def test_are_kept_wrapped(self, database: Database, db: Tx) -> None:
        one = Vault(database, SERVICE)
        await one.ready()
        assert [tuple(row) for row in await db.fetch("select id, purpose from data_key order by id")] == [
            (1, "sign"),
            (2, "lookup"),
            (3, "headless"),
            (4, "seal"),
        ]
        kept = b"".join([row["wrapped"] for row in await db.fetch("select wrapped from data_key")])
        assert one.keys.lookup not in kept
        assert one.keys.sign not in kept

    async def test_of_two_processes_at_once(self, database: Database, second: Database, db: Tx) -> None:
        one, two = Vault(database, SERVICE), Vault(second, SERVICE)
        await all_behind(db, "select pg_advisory_xact_lock(hashtext('data_key'))", one.ready(), two.ready())
        assert await ids(db) == [1, 2, 3, 4]
        assert one.keys == two.keys
        assert await two.unseal(await one.seal(b"token", b"sensor 1"), b"sensor 1") == b"token"

    async def test_cannot_be_changed_or_deleted_by_a_hub(self, database: Database) -> None:
        await Vault(database, SERVICE).ready()
        for statement in ("update data_key set wrapped = ''", "delete from data_key", "truncate data_key"):
            async with database.connection() as connection:
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await connection.execute(statement)

    async def test_go_on_with_what_the_key_file_gave_before_there_were_data_keys(self, database: Database) -> None:
        one = Vault(database, SERVICE)
        await one.ready()
        assert one.keys.sign == await SERVICE.derive(b"sign")
        assert one.keys.lookup == await SERVICE.derive(b"lookup")
        sealed = bytes(12) + AESGCM(await SERVICE.derive(b"seal")).encrypt(bytes(12), b"token", b"sensor 1")
        assert await one.unseal(sealed, b"sensor 1") == b"token"


class TestReady:
    async def test_without_the_database(self) -> None:
        nowhere = Database("postgresql://127.0.0.1:1/nowhere")
        one = Vault(nowhere, SERVICE)
        with pytest.raises(DatabaseAway):
            _ = one.keys
        failures = await asyncio.gather(*(one.ready() for _ in range(20)), return_exceptions=True)
        assert {type(failure) for failure in failures} == {DatabaseAway}
        with pytest.raises(DatabaseAway):
            await one.seal(b"token", b"sensor 1")
        await nowhere.close()

    async def test_goes_on_while_the_database_is_away(self, database: Database) -> None:
        one = Vault(database, SERVICE)
        sealed = await one.seal(b"token", b"sensor 1")
        await database.close()
        await one.ready()
        assert await one.unseal(sealed, b"sensor 1") == b"token"
        assert one.keys.digest("a")

    async def test_another_key_file(self, database: Database, second: Database) -> None:
        await Vault(database, SERVICE).ready()
        with pytest.raises(SecretKeyUnfit, match=r"other\.key"):
            await Vault(second, OTHER).ready()


class TestAnotherProcesss:
    async def test_new_key_opens_at_once(self, database: Database, second: Database, db: Tx) -> None:
        one, two = Vault(database, SERVICE), Vault(second, SERVICE)
        await one.ready()
        await add_key(db)
        sealed = await two.seal(b"token", b"sensor 1")
        assert sealed[4:8] == (5).to_bytes(4, "big")
        assert await one.unseal(sealed, b"sensor 1") == b"token"

    async def test_new_key_seals_soon(self, database: Database, db: Tx, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(vault, "POLL_S", 0.01)
        one = Vault(database, SERVICE)
        watching = asyncio.create_task(one.run())
        assert (await one.seal(b"token", b"sensor 1"))[7] == 4
        await add_key(db)
        async with asyncio.timeout(5):
            while (await one.seal(b"token", b"sensor 1"))[7] != 5:  # noqa: ASYNC110 - the vault tells nobody
                await asyncio.sleep(0.005)
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching


class TestHubWithoutDatabase:
    async def test_starts_and_is_there_as_soon_as_the_database(self, settings: Settings) -> None:
        with TemporaryDirectory() as folder:  # sockets want short paths
            real = parse_qs(urlsplit(settings.database_url).query)["host"][0]
            later = Path(folder) / "later"
            url = settings.database_url.replace(quote(real, safe="/"), str(later))
            app = create_app(settings.model_copy(update={"database_url": url}), frozenset({"api"}))
            async with TestClient(HubServer(app)) as client:
                caller = Caller(client, "some-token")
                for answer in (await caller.get("/sensors"), await caller.post("/telemetry", {"series": []})):
                    assert (answer.status, answer.code, answer.headers["Retry-After"]) == (503, "database-away", "2")
                later.symlink_to(real)
                assert (await caller.get("/sensors")).status == 401
                assert (await caller.post("/telemetry", {"series": []})).status == 401


class TestBroken:
    async def test_is_logged_with_its_place_and_nothing_else(self, database: Database) -> None:
        one = Vault(database, SERVICE)
        sealed = await one.seal(b"token", b"sensor 1")
        with capture_logs() as events, pytest.raises(SealBroken):
            await one.unseal(sealed, b"sensor 2")
        (event,) = events
        assert event == {
            "event": "a sealed text does not open",
            "log_level": "error",
            "about": "sensor 2",
            "data_key": 4,
            "bytes": len(sealed),
        }

    async def test_key_that_is_gone(self, database: Database, db: Tx) -> None:
        await add_key(db)
        one = Vault(database, SERVICE)
        sealed = await one.seal(b"token", b"sensor 1")
        await db.execute("delete from data_key where id = 5")
        with pytest.raises(SealBroken):
            await Vault(database, SERVICE).unseal(sealed, b"sensor 1")
