"""What the operator does with keys: on a database that is in use, none of it may cost anything that was sealed."""

import uuid
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hub.app import create_app
from hub.key_admin import after_migration, change_secret_key, rotate_data_key
from hub.kit.context import HUB
from hub.kit.crypto import Keys
from hub.kit.db import Tx
from hub.kit.key_service import KeyFile, SecretKeyUnfit
from hub.settings import Settings
from tests.hub.callers import Caller
from tests.hub.conftest import HubServer, Make
from tests.hub.past_rules import past_rules
from tests.hub.second_factor import recovery_code_of


@pytest.fixture
def new_key_file(tmp_path: Path) -> Path:
    """Another key file, ready to be used."""
    path = tmp_path / "new.key"
    path.write_bytes(bytes(range(32)))
    return path


async def wrapped(db: Tx) -> dict[int, bytes]:
    return {row["id"]: row["wrapped"] for row in await db.fetch("select id, wrapped from data_key order by id")}


async def still_works(settings: Settings, owner: Caller, code: str, sensor: dict[str, str]) -> None:
    """Start another hub with the settings and use what was signed, looked up and sealed before it."""
    async with TestClient(HubServer(create_app(settings, frozenset({"api"})))) as client:
        there = Caller(client, owner.token, owner.id, owner.name)
        assert (await there.get(f"/sensors/{sensor['id']}/token", X_OTP=code)).ok == {"token": sensor["token"]}
        (profile,) = (await there.get(f"/sensors/{sensor['id']}/profiles")).ok["items"]
        assert profile["payload"]["slope"] == 2.0
        device = Caller(client, sensor["token"])
        assert (await device.post(f"/sensors/{sensor['id']}/heartbeat")).status == 204


class TestRotateDataKey:
    async def test_older_texts_stay_and_newer_ones_get_the_new_key(
        self, settings: Settings, app: web.Application, owner: Caller, sensor: Make, db: Tx
    ) -> None:
        before = await sensor()
        assert await rotate_data_key(settings) == 5
        await still_works(settings, owner, await recovery_code_of(app, db, owner), before)
        async with TestClient(HubServer(create_app(settings, frozenset({"api"})))) as client:
            there = Caller(client, owner.token)
            after = (await there.post(f"/projects/{before['project_id']}/sensors", sensor_body("after"))).ok
        key_ids = {
            str(row["id"]): row["token_sealed"][7] for row in await db.fetch("select id, token_sealed from sensor")
        }
        assert key_ids == {before["id"]: 4, after["id"]: 5}
        # The hub that runs since before opens it without a restart.
        code = await recovery_code_of(app, db, owner)
        assert (await owner.get(f"/sensors/{after['id']}/token", X_OTP=code)).ok == {"token": after["token"]}

    async def test_with_another_key_file(self, settings: Settings, owner: Caller, new_key_file: Path, db: Tx) -> None:
        with pytest.raises(SecretKeyUnfit, match=r"new\.key does not open"):
            await rotate_data_key(settings.model_copy(update={"secret_key_file": new_key_file}))
        assert len(await wrapped(db)) == 4

    async def test_makes_no_key_file(self, settings: Settings, tmp_path: Path, database_url: str) -> None:
        elsewhere = settings.model_copy(update={"data_dir": tmp_path / "elsewhere"})
        with pytest.raises(SecretKeyUnfit, match="no key file"):
            await rotate_data_key(elsewhere)
        assert not (tmp_path / "elsewhere").exists()


class TestChangeSecretKey:
    async def test_nothing_that_was_sealed_signed_or_hashed_is_lost(
        self, settings: Settings, app: web.Application, owner: Caller, sensor: Make, new_key_file: Path, db: Tx
    ) -> None:
        made = await sensor()
        digest, keys, before = app[HUB].keys.digest("a"), app[HUB].keys, await wrapped(db)
        assert await change_secret_key(settings, new_key_file) == 4
        after = await wrapped(db)
        assert after.keys() == before.keys()
        assert not set(after.values()) & set(before.values())
        changed = settings.model_copy(update={"secret_key_file": new_key_file})
        await still_works(changed, owner, await recovery_code_of(app, db, owner), made)
        other = create_app(changed, frozenset({"api"}))
        await other[HUB].vault.ready()
        assert (other[HUB].keys, other[HUB].keys.digest("a")) == (keys, digest)
        await other[HUB].db.close()
        # Running hubs hold their keys and go on; one that starts with the old file is told.
        code = await recovery_code_of(app, db, owner)
        assert (await owner.get(f"/sensors/{made['id']}/token", X_OTP=code)).ok == {"token": made["token"]}
        late = HubServer(create_app(settings, frozenset({"api"})))
        with pytest.raises(SecretKeyUnfit, match=r"secret\.key does not open"):
            await late.start_server()
        await late.close()

    async def test_texts_from_before_data_keys_stay(
        self, settings: Settings, app: web.Application, owner: Caller, sensor: Make, new_key_file: Path, db: Tx
    ) -> None:
        made = await sensor()
        await seal_as_before(settings, db, made)
        await change_secret_key(settings, new_key_file)
        changed = settings.model_copy(update={"secret_key_file": new_key_file})
        await still_works(changed, owner, await recovery_code_of(app, db, owner), made)

    async def test_refused(self, settings: Settings, owner: Caller, new_key_file: Path, tmp_path: Path, db: Tx) -> None:
        before = await wrapped(db)
        with pytest.raises(SecretKeyUnfit, match="no key file"):
            await change_secret_key(settings, tmp_path / "missing.key")
        with pytest.raises(SecretKeyUnfit, match="in use already"):
            await change_secret_key(settings, settings.key_file)
        with pytest.raises(SecretKeyUnfit, match=r"new\.key does not open"):
            await change_secret_key(settings.model_copy(update={"secret_key_file": new_key_file}), settings.key_file)
        assert await wrapped(db) == before


class TestAfterMigration:
    async def test_makes_the_first_keys(self, settings: Settings, db: Tx) -> None:
        assert await after_migration(settings) == 0
        first = await wrapped(db)
        assert list(first) == [1, 2, 3, 4]
        assert await after_migration(settings) == 0
        assert await wrapped(db) == first

    async def test_takes_over_what_the_key_file_sealed(
        self, settings: Settings, app: web.Application, owner: Caller, sensor: Make, db: Tx
    ) -> None:
        made = await sensor()
        await seal_as_before(settings, db, made)
        await db.execute("delete from data_key")
        async with past_rules(db):
            await db.execute("delete from conversion_profile")
        await after_migration(settings)
        other = create_app(settings, frozenset({"api"}))
        await other[HUB].vault.ready()
        assert other[HUB].keys == app[HUB].keys
        sealed = await db.fetchval("select token_sealed from sensor")
        assert await other[HUB].vault.unseal(sealed, uuid.UUID(made["id"]).bytes) == made["token"].encode()
        await other[HUB].db.close()

    async def test_refuses_the_key_file_of_another_database(
        self, settings: Settings, sensor: Make, new_key_file: Path, db: Tx
    ) -> None:
        made = await sensor()
        await seal_as_before(settings, db, made)
        await db.execute("delete from data_key")
        with pytest.raises(SecretKeyUnfit, match="not the one"):
            await after_migration(settings.model_copy(update={"secret_key_file": new_key_file}))
        assert await wrapped(db) == {}

    async def test_of_an_older_schema(self, settings: Settings, empty_database_url: str) -> None:
        assert await after_migration(settings.model_copy(update={"database_url": empty_database_url})) == 0


def sensor_body(name: str) -> dict[str, str]:
    return {"name": name, "type": "temperature", "input_unit": "V", "display_unit": "°C"}


async def seal_as_before(settings: Settings, db: Tx, sensor: dict[str, str]) -> None:
    """Keep a sensor's token as the hub did before there were data keys: with a key derived from the key file."""
    service, sensor_id = KeyFile.read(settings.key_file, may_create=False), uuid.UUID(sensor["id"])
    token, nonce = sensor["token"].encode(), bytes(12)
    sealed = nonce + AESGCM(await service.derive(b"seal")).encrypt(nonce, token, sensor_id.bytes)
    keys = Keys(sign=b"", lookup=await service.derive(b"lookup"))
    await db.execute(
        "update sensor set token_sealed = $2, token_digest = $3 where id = $1",
        sensor_id,
        sealed,
        keys.digest(sensor["token"]),
    )
