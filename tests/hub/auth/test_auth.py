"""Logging in, staying logged in, logging out."""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from hub.auth import tokens
from hub.kit.clock import SystemClock
from hub.kit.context import HUB
from hub.kit.db import Tx
from tests.hub.auth.conftest import EMAIL, RIGHT, as_user, login
from tests.hub.callers import Answer, Caller


async def refresh(caller: Caller, token: str) -> Answer:
    return await caller.post("/auth/refresh", {"refresh_token": token})


class TestLogin:
    async def test_tokens(self, anonymous: Caller, user: str) -> None:
        answer = await login(anonymous)
        assert answer.ok["token_type"] == "Bearer"
        assert answer.ok["expires_in"] == 600
        assert "Set-Cookie" not in answer.headers
        me = (await as_user(anonymous, answer).get("/auth/me")).ok
        assert me == {
            "id": user,
            "email": EMAIL,
            "name": "Ada",
            "mfa": False,
            "recovery_codes_left": 0,
            "projects": [],
        }

    async def test_case_of_the_address(self, anonymous: Caller, user: str) -> None:
        assert (await login(anonymous, email="Ada@Example.com")).status == 200

    async def test_wrong_password_and_unknown_user_look_alike(self, anonymous: Caller, user: str) -> None:
        wrong = await login(anonymous, password="engine no. 1")
        nobody = await login(anonymous, email="bob@example.com")
        assert (wrong.status, wrong.code) == (401, "login-failed")
        assert {**wrong.body, "instance": ""} == {**nobody.body, "instance": ""}

    async def test_browser_keeps_its_refresh_token_from_scripts(self, anonymous: Caller, user: str) -> None:
        answer = await login(anonymous, client="browser")
        assert answer.ok["refresh_token"] is None
        cookie = answer.headers["Set-Cookie"]
        assert {"HttpOnly", "SameSite=Strict", "Path=/api/v1/auth"} <= set(cookie.split("; "))

    async def test_is_recorded(self, anonymous: Caller, user: str, db: Tx) -> None:
        await login(anonymous)
        fact = await db.fetchrow("select kind, principal_id::text, address from fact")
        assert fact is not None
        assert tuple(fact) == ("user.logged_in", user, "127.0.0.1")

    async def test_secrets_are_not_stored(self, anonymous: Caller, user: str, db: Tx) -> None:
        answer = await login(anonymous)
        assert RIGHT not in await db.fetchval("select password_hash from app_user")
        assert answer.ok["refresh_token"].encode() not in await db.fetchval("select digest from refresh_token")

    @pytest.mark.parametrize("wrong", [{"email": "ada"}, {"password": ""}, {"client": "phone"}])
    async def test_bad_payload(self, anonymous: Caller, user: str, wrong: dict[str, object]) -> None:
        answer = await login(anonymous, **wrong)
        assert (answer.status, answer.body["errors"][0]["loc"]) == (422, ["body", *wrong])


class TestRefresh:
    async def test_rotates(self, anonymous: Caller, user: str) -> None:
        first = await login(anonymous)
        second = await refresh(anonymous, first.ok["refresh_token"])
        third = await refresh(anonymous, second.ok["refresh_token"])
        assert len({first.ok["refresh_token"], second.ok["refresh_token"], third.ok["refresh_token"]}) == 3
        assert (await as_user(anonymous, third).get("/auth/me")).status == 200

    async def test_reuse_ends_the_session(self, anonymous: Caller, user: str, db: Tx) -> None:
        first, other_session = await login(anonymous), await login(anonymous)
        second = await refresh(anonymous, first.ok["refresh_token"])
        reused = await refresh(anonymous, first.ok["refresh_token"])
        assert (reused.status, reused.code) == (401, "refresh-refused")
        assert (await refresh(anonymous, second.ok["refresh_token"])).status == 401
        assert (await as_user(anonymous, second).get("/auth/me")).status == 401
        assert (await as_user(anonymous, other_session).get("/auth/me")).status == 200
        assert await db.fetchval("select count(*) from fact where kind = 'session.reuse_detected'") == 1

    async def test_race(self, anonymous: Caller, user: str) -> None:
        token = (await login(anonymous)).ok["refresh_token"]
        answers = await asyncio.gather(*(refresh(anonymous, token) for _ in range(4)))
        assert sorted(answer.status for answer in answers) == [200, 401, 401, 401]

    async def test_expired(self, anonymous: Caller, user: str, db: Tx) -> None:
        token = (await login(anonymous)).ok["refresh_token"]
        await db.execute("update refresh_token set expires_at = now() - interval '1 second'")
        assert (await refresh(anonymous, token)).status == 401

    async def test_unknown_or_none(self, anonymous: Caller) -> None:
        assert (await refresh(anonymous, "etpr_x")).status == 401
        assert (await anonymous.post("/auth/refresh")).status == 401

    async def test_by_cookie(self, anonymous: Caller, user: str) -> None:
        cookie = (await login(anonymous, client="browser")).headers["Set-Cookie"].partition(";")[0]
        answer = await anonymous.post("/auth/refresh", Cookie=cookie)
        assert answer.ok["refresh_token"] is None
        assert answer.headers["Set-Cookie"].partition(";")[0] != cookie


class TestLogout:
    async def test_anonymous(self, anonymous: Caller) -> None:
        assert (await anonymous.post("/auth/logout")).status == 401

    async def test_ends_this_session_at_once(self, anonymous: Caller, user: str) -> None:
        session, other = await login(anonymous), await login(anonymous)
        caller = as_user(anonymous, session)
        assert (await caller.post("/auth/logout")).status == 204
        assert (await caller.get("/auth/me")).status == 401
        assert (await refresh(anonymous, session.ok["refresh_token"])).status == 401
        assert (await as_user(anonymous, other).get("/auth/me")).status == 200


class TestAccessToken:
    async def test_anonymous(self, anonymous: Caller) -> None:
        assert (await anonymous.get("/auth/me")).status == 401

    @pytest.mark.parametrize("header", ["", "Bearer", "Bearer x", "Basic YTpi", "Bearer a.b.c"])
    async def test_garbage(self, anonymous: Caller, header: str) -> None:
        answer = await anonymous.get("/auth/me", Authorization=header)
        assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer")

    async def test_expired_forged_or_of_others(
        self, anonymous: Caller, app: web.Application, user: str, client: TestClient[Any, Any], db: Tx
    ) -> None:
        await login(anonymous)
        keys = app[HUB].keys
        session_id = await db.fetchval("select id from session")
        sound = {
            "iss": "etp",
            "aud": "etp api",
            "sub": user,
            "sid": str(session_id),
            "iat": datetime.now(UTC),
            "exp": datetime.now(UTC) + timedelta(minutes=1),
        }
        assert (await Caller(client, jwt.encode(sound, keys.sign)).get("/auth/me")).status == 200
        late = {"exp": datetime.now(UTC) - timedelta(minutes=1)}
        for changes, key, algorithm in (
            (late, keys.sign, "HS256"),
            ({"aud": "another api"}, keys.sign, "HS256"),
            ({"iss": "somebody"}, keys.sign, "HS256"),
            ({"sub": "ada"}, keys.sign, "HS256"),
            ({}, keys.lookup, "HS256"),
            ({}, keys.sign + keys.lookup, "HS512"),
            ({}, None, "none"),
        ):
            token = jwt.encode(sound | changes, key, algorithm=algorithm)
            assert (await Caller(client, token).get("/auth/me")).status == 401, changes

    async def test_user_who_is_gone(self, anonymous: Caller, app: web.Application) -> None:
        hub = app[HUB]
        token = tokens.issue(
            hub.keys, SystemClock(), user_id=uuid.uuid4(), session_id=uuid.uuid4(), name="x", lifetime_s=60
        )
        assert (await Caller(anonymous.client, token).get("/auth/me")).status == 401


async def test_no_idempotency_key_of_who_is_not_logged_in(anonymous: Caller, user: str, db: Tx) -> None:
    """Logging in admits somebody on the way: neither answers nor the difference between users are kept or told."""
    bodies = [("/auth/login", {"email": EMAIL, "password": RIGHT}), ("/auth/password/forgot", {"email": EMAIL})]
    for path, body in bodies:
        assert len({(await anonymous.post(path, body, Idempotency_Key="1")).status for _ in range(3)}) == 1
    assert await db.fetchval("select count(*) from idempotency_key") == 0
