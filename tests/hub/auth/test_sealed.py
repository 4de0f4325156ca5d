"""What is kept sealed for users: authenticators' secrets, those from before data keys too, and letters."""

import uuid
from pathlib import Path

import pytest
from aiohttp import web
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pyotp import random_base32
from pyotp.totp import TOTP

from hub.auth import letter_queries, post
from hub.kit.context import HUB
from hub.kit.db import Tx
from hub.kit.key_service import KeyFile
from hub.kit.mail import Letter, Outbox
from hub.settings import Settings
from tests.hub.callers import Caller
from tests.hub.conftest import Make


class TestAuthenticator:
    @pytest.mark.parametrize("before_data_keys", [True, False])
    async def test_secret_opens(
        self,
        app: web.Application,
        settings: Settings,
        owner: Caller,
        sensor: Make,
        db: Tx,
        before_data_keys: bool,
    ) -> None:
        made, secret, about = await sensor(), random_base32(), b"otp " + uuid.UUID(owner.id).bytes
        if before_data_keys:
            key = await KeyFile.read(settings.key_file, may_create=False).derive(b"seal")
            sealed = bytes(12) + AESGCM(key).encrypt(bytes(12), secret.encode(), about)
        else:
            sealed = await app[HUB].vault.seal(secret.encode(), about)
        await db.execute(
            "update app_user set otp_sealed = $2, otp_confirmed_at = now() where id = $1", uuid.UUID(owner.id), sealed
        )
        answer = await owner.get(f"/sensors/{made['id']}/token", X_OTP=TOTP(secret).now())
        assert answer.ok == {"token": made["token"]}


class TestLetters:
    async def test_one_that_does_not_open_holds_none_back(self, app: web.Application, tmp_path: Path, db: Tx) -> None:
        hub, outbox = app[HUB], tmp_path / "outbox"
        letter = Letter(to="ada@example.com", subject="one", body="text")
        await letter_queries.insert(db, b"broken")
        await letter_queries.insert(db, await hub.vault.seal(letter.encode(), b"letter"))
        mail = Outbox(outbox, "etp@example.com")
        assert await post.send_next(hub, mail)
        assert await post.send_next(hub, mail)
        assert not await post.send_next(hub, mail)
        assert [(row["sealed"], row["attempts"]) for row in await db.fetch("select * from letter")] == [(b"broken", 1)]
        assert len(list(outbox.iterdir())) == 1
        await hub.db.close()
