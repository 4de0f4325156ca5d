"""Access tokens that nobody issued, or for another purpose: refused with a problem, never a fault of ours."""

import base64
import random
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import orjson
import pytest
from aiohttp import web

from hub.kit.context import HUB
from hub.kit.crypto import Keys
from hub.kit.db import Tx
from hub.settings import Settings
from tests.hub.callers import Caller
from tests.hub.raw import send, write

ME = "/api/v1/auth/me"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Limits that are out of the way."""
    return settings.model_copy(update={"public_requests_burst": 10_000, "requests_burst": 10_000})


def segment(value: object) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(value)).decode().rstrip("=")


class TestTokens:
    @pytest.fixture
    def keys(self, app: web.Application) -> Keys:
        return app[HUB].keys

    @pytest.fixture
    async def claims(self, owner: Caller, db: Tx) -> dict[str, Any]:
        """What a sound token of the owner says."""
        session = await db.fetchval("select id from session where user_id = $1", uuid.UUID(owner.id))
        now = datetime.now(UTC)
        sound = {"iss": "etp", "aud": "etp api", "sub": owner.id, "sid": str(session), "name": "x"}
        return sound | {"iat": now, "exp": now + timedelta(minutes=5)}

    async def test_sound(self, anonymous: Caller, keys: Keys, claims: dict[str, Any]) -> None:
        assert await Caller(anonymous.client, jwt.encode(claims, keys.sign)).works()

    async def test_forged(self, anonymous: Caller, owner: Caller, keys: Keys, claims: dict[str, Any]) -> None:
        later = datetime.now(UTC) + timedelta(hours=1)
        good = jwt.encode(claims, keys.sign)
        head, body, signature = good.split(".")
        forged: dict[str, str] = {
            "alg none": jwt.encode(claims, None, algorithm="none"),
            "alg None, signed": f"{segment({'alg': 'None', 'typ': 'JWT'})}.{body}.{signature}",
            "no signature": f"{head}.{body}.",
            "wrong key": jwt.encode(claims, keys.lookup),
            "empty key": jwt.encode(claims, b"\0" * 32),
            "another algorithm": jwt.encode(claims, keys.sign + keys.lookup, algorithm="HS512"),
            "wrong audience": jwt.encode(claims | {"aud": "another"}, keys.sign),
            "audiences": jwt.encode(claims | {"aud": ["another"]}, keys.sign),
            "wrong issuer": jwt.encode(claims | {"iss": "another"}, keys.sign),
            "expired": jwt.encode(claims | {"exp": datetime.now(UTC) - timedelta(hours=1)}, keys.sign),
            "not yet": jwt.encode(claims | {"nbf": later}, keys.sign),
            "issued later": jwt.encode(claims | {"iat": later}, keys.sign),
            "swapped kid": jwt.encode(claims, keys.lookup, headers={"kid": "../../dev/null"}),
            "kid of SQL": jwt.encode(claims, keys.lookup, headers={"kid": "x' union select 'key"}),
            "jwk of its own": jwt.encode(claims, b"k" * 32, headers={"jwk": {"kty": "oct", "k": "a2tr"}}),
            "jku": jwt.encode(claims, b"k" * 32, headers={"jku": "http://127.0.0.1:9/keys"}),
            "crit": jwt.encode(claims, keys.sign, headers={"crit": ["exp"]}),
            "another session": jwt.encode(claims | {"sid": str(uuid.uuid4())}, keys.sign),
            "another user": jwt.encode(claims | {"sub": str(uuid.uuid4())}, keys.sign),
            "sub of SQL": jwt.encode(claims | {"sub": "' or 1=1 --"}, keys.sign),
            "sub that is a list": f"{head}.{segment({'sub': []})}.{signature}",
            "huge expiry": jwt.encode(claims | {"exp": 10**400}, keys.lookup),
            "text for a time": f"{head}.{segment({'exp': 'soon'})}.{signature}",
            "claims that are a list": f"{head}.{segment([1, 2])}.{signature}",
            "header that is a list": f"{segment([1, 2])}.{body}.{signature}",
            "cut": good[:-2],
            "longer": good + "A",
            "another body": f"{head}.{segment({'sub': 'x'})}.{signature}",
            "five parts": f"{good}.{body}.{signature}",
            "no parts": "...",
            "twice": f"{good} {good}",
            "deep": f"{segment('x')}.{base64.urlsafe_b64encode(b'[' * 3000).decode()}.{signature}",
            "no text": "%00%ff",
            "spaces": " ",
            "prefix of a personal token": "etpp_",
        }
        for what, token in forged.items():
            answer = await send(anonymous.client, write("GET", ME, f"Authorization: Bearer {token}"))
            assert (answer.status, answer.code) == (401, "unauthenticated"), what
        assert await owner.works()

    async def test_any_change_of_a_sound_token(
        self, anonymous: Caller, owner: Caller, keys: Keys, claims: dict[str, Any]
    ) -> None:
        rng = random.Random(7)
        good = jwt.encode(claims, keys.sign)
        for _ in range(60):
            at = rng.randrange(len(good) - 1)  # the last letter holds bits that mean nothing
            token = good[:at] + rng.choice(["", "A", "-", "_", ".", "=", "~", good]) + good[at + 1 :]
            if token == good:
                continue
            assert (await Caller(anonymous.client, token).get("/auth/me")).status in {401, 431}, token
        assert await owner.works()

    async def test_of_devices(self, anonymous: Caller, owner: Caller, keys: Keys, claims: dict[str, Any]) -> None:
        for token in (jwt.encode(claims, None, algorithm="none"), "etpe_' or ''='", "etps_", "\\x00", "ä"):
            answer = await send(anonymous.client, write("GET", "/api/v1/edge/config", f"Authorization: Bearer {token}"))
            assert answer.status == 401, token
        assert await owner.works()
