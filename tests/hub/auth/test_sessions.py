"""Sessions: listed, ended one by one or all at once, and gone on with by one holder only."""

from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from hub import admin
from hub.auth.tidy import tidy
from hub.kit.context import HUB
from hub.kit.db import Tx
from hub.settings import Settings
from tests.hub.auth.conftest import EMAIL, RIGHT, Letters, as_user, login, set_up_otp
from tests.hub.callers import Answer, Caller
from tests.hub.races import all_behind, until


async def refresh(caller: Caller, token: str, **headers: str) -> Answer:
    return await caller.post("/auth/refresh", {"refresh_token": token}, **headers)


class TestList:
    async def test_anonymous(self, anonymous: Caller) -> None:
        assert (await anonymous.get("/auth/sessions")).status == 401

    async def test_device_and_address(self, anonymous: Caller, user: str) -> None:
        answer = await anonymous.post(
            "/auth/login",
            {"email": "ada@example.com", "password": "engine no. 2 runs on steam", "client": "browser"},
            User_Agent="Mozilla/5.0 (X11; Linux)",
        )
        here = as_user(anonymous, answer)
        await login(anonymous)
        sessions = (await here.get("/auth/sessions")).ok["items"]
        assert [(one["client"], one["current"]) for one in sessions if one["current"]] == [("browser", True)]
        mine = next(one for one in sessions if one["current"])
        assert (mine["address"], mine["user_agent"], mine["ended_at"]) == (
            "127.0.0.1",
            "Mozilla/5.0 (X11; Linux)",
            None,
        )
        assert len(sessions) == 2

    async def test_of_others_are_not_there(self, anonymous: Caller, user: str, stranger: Caller) -> None:
        await login(anonymous)
        assert len((await stranger.get("/auth/sessions")).ok["items"]) == 1


class TestEnd:
    async def test_anonymous(self, anonymous: Caller, user: str) -> None:
        assert (await anonymous.delete(f"/auth/sessions/{user}")).status == 401

    async def test_of_somebody_else(self, anonymous: Caller, user: str, stranger: Caller) -> None:
        ada = as_user(anonymous, await login(anonymous))
        theirs = (await ada.get("/auth/sessions")).ok["items"][0]["id"]
        assert (await stranger.delete(f"/auth/sessions/{theirs}")).status == 404
        assert (await ada.get("/auth/me")).status == 200

    async def test_another_of_mine(self, anonymous: Caller, user: str) -> None:
        here, there = as_user(anonymous, await login(anonymous)), as_user(anonymous, await login(anonymous))
        other = next(one for one in (await here.get("/auth/sessions")).ok["items"] if not one["current"])
        assert (await here.delete(f"/auth/sessions/{other['id']}")).status == 204
        assert (await there.get("/auth/me")).status == 401
        assert (await here.delete(f"/auth/sessions/{other['id']}")).status == 404
        ended = next(one for one in (await here.get("/auth/sessions")).ok["items"] if one["id"] == other["id"])
        assert ended["ended_because"] == "revoked"


class TestLogoutEverywhere:
    async def test_ends_all(self, anonymous: Caller, user: str) -> None:
        first, second = await login(anonymous), await login(anonymous)
        assert (await as_user(anonymous, first).post("/auth/logout?everywhere=true")).status == 204
        for answer in (first, second):
            assert (await as_user(anonymous, answer).get("/auth/me")).status == 401
            refused = await refresh(anonymous, answer.ok["refresh_token"])
            assert (refused.status, refused.code) == (401, "refresh-refused")
            assert "All sessions" in refused.body["detail"]


class TestReuse:
    async def test_the_user_is_told(self, anonymous: Caller, user: str, letters: Letters) -> None:
        first = await login(anonymous)
        second = await refresh(anonymous, first.ok["refresh_token"])
        assert (await refresh(anonymous, first.ok["refresh_token"])).code == "refresh-refused"
        assert (await as_user(anonymous, second).get("/auth/me")).status == 401
        (letter,) = await letters()
        assert letter.startswith("To: ada@example.com\nSubject: A session of yours was ended for safety")
        assert "127.0.0.1" in letter
        fresh = as_user(anonymous, await login(anonymous))
        assert "reuse" in [one["ended_because"] for one in (await fresh.get("/auth/sessions")).ok["items"]]

    async def test_two_at_once_with_one_token_end_the_session(self, anonymous: Caller, user: str, db: Tx) -> None:
        token = (await login(anonymous)).ok["refresh_token"]
        answers = await all_behind(
            db, "lock table refresh_token in exclusive mode", refresh(anonymous, token), refresh(anonymous, token)
        )
        assert sorted(answer.status for answer in answers) == [200, 401]
        winner = next(answer for answer in answers if answer.status == 200)
        assert (await refresh(anonymous, winner.ok["refresh_token"])).status == 401
        assert (await as_user(anonymous, winner).get("/auth/me")).status == 401
        assert await db.fetchval("select ended_because from session") == "reuse"


class TestCookie:
    async def test_stays_a_cookie(self, client: TestClient[Any, Any], anonymous: Caller, user: str) -> None:
        await login(anonymous, client="browser")
        answer = await anonymous.post("/auth/refresh", {})
        assert answer.ok["refresh_token"] is None
        assert "HttpOnly" in answer.headers["Set-Cookie"]

    async def test_a_script_cannot_turn_it_into_a_token(
        self, client: TestClient[Any, Any], anonymous: Caller, user: str
    ) -> None:
        answer = await login(anonymous, client="browser")
        stolen = answer.headers["Set-Cookie"].partition("=")[2].partition(";")[0]
        client.session.cookie_jar.clear()
        assert (await refresh(anonymous, stolen)).ok["refresh_token"] is None

    async def test_other_sites_get_nothing(self, anonymous: Caller, user: str) -> None:
        await login(anonymous, client="browser")
        for site in ("cross-site", "same-site"):
            answer = await anonymous.post("/auth/refresh", {}, Sec_Fetch_Site=site)
            assert (answer.status, answer.code) == (403, "cross-site")
        assert (await anonymous.post("/auth/refresh", {}, Sec_Fetch_Site="same-origin")).status == 200

    async def test_forms_get_nothing(self, anonymous: Caller, user: str) -> None:
        await login(anonymous, client="browser")
        answer = await anonymous.call("POST", "/auth/refresh", b"a=b", Content_Type="application/x-www-form-urlencoded")
        assert answer.status == 415


class TestCookieOverHttps:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"public_url": "https://lab.example.com"})

    async def test_belongs_to_this_host_alone(self, anonymous: Caller, user: str) -> None:
        name, *attributes = (await login(anonymous, client="browser")).headers["Set-Cookie"].split("; ")
        assert name.startswith("__Host-etp_refresh=etpr_")
        assert {"Secure", "HttpOnly", "SameSite=Strict", "Path=/"} <= set(attributes)
        assert not [one for one in attributes if one.startswith("Domain")]

    async def test_one_planted_without_encryption_is_not_read(self, anonymous: Caller, user: str) -> None:
        token = (await login(anonymous, client="browser")).headers["Set-Cookie"].partition("=")[2].partition(";")[0]
        assert (await anonymous.post("/auth/refresh", {}, Cookie=f"etp_refresh={token}")).status == 401
        assert (await anonymous.post("/auth/refresh", {}, Cookie=f"__Host-etp_refresh={token}")).status == 200

    async def test_logging_out_takes_it_away(self, anonymous: Caller, user: str) -> None:
        session = as_user(anonymous, await login(anonymous, client="browser"))
        cookie = (await session.post("/auth/logout")).headers["Set-Cookie"]
        assert cookie.startswith('__Host-etp_refresh=""; ')
        assert {"Max-Age=0", "Path=/", "Secure"} <= set(cookie.split("; "))


class TestBrowser:
    async def test_logging_in_again_ends_the_former_session(self, anonymous: Caller, user: str) -> None:
        former = as_user(anonymous, await login(anonymous, client="browser"))
        present = as_user(anonymous, await login(anonymous, client="browser"))
        assert [(await one.get("/auth/me")).status for one in (former, present)] == [401, 200]

    async def test_other_sites_cannot_log_in(self, anonymous: Caller, user: str) -> None:
        body = {"email": EMAIL, "password": RIGHT, "client": "browser"}
        answer = await anonymous.post("/auth/login", body, Sec_Fetch_Site="cross-site")
        assert (answer.status, answer.code) == (403, "cross-site")


class TestAge:
    async def test_a_session_ends_however_busy(self, anonymous: Caller, user: str, settings: Settings, db: Tx) -> None:
        answer = await login(anonymous)
        await db.execute("update session set created_at = now() - make_interval(secs => $1)", settings.session_s - 60)
        fresh = await refresh(anonymous, answer.ok["refresh_token"])
        left = await db.fetchval("select max(expires_at) - now() from refresh_token where spent_at is null")
        assert timedelta(0) < left < timedelta(minutes=1)
        await db.execute("update refresh_token set expires_at = now()")
        assert (await refresh(anonymous, fresh.ok["refresh_token"])).status == 401


class TestTidy:
    async def test_what_is_over_goes(self, anonymous: Caller, app: web.Application, user: str, db: Tx) -> None:
        for _ in range(3):
            await login(anonymous)
        await db.execute(
            """
            update session set ended_at = now() - make_interval(days => place::int * 60), ended_because = 'logout'
            from (select id as over, row_number() over () - 1 as place from session) aged
            where id = over and place > 0
            """
        )
        await tidy(app[HUB].db)
        assert await db.fetchval("select count(*) from session") == 2
        assert await db.fetchval("select count(*) from refresh_token") == 2


class TestOperator:
    async def test_disabling_is_for_good(self, anonymous: Caller, user: str, settings: Settings) -> None:
        answer = await login(anonymous)
        token = (await as_user(anonymous, answer).post("/auth/tokens", {"name": "ci", "scope": "read"})).ok["token"]
        assert await admin.set_disabled(settings, EMAIL, disabled=True)
        assert await admin.set_disabled(settings, EMAIL, disabled=False)
        for bearer in (answer.ok["access_token"], token):

            async def is_out(bearer: str = bearer) -> bool:
                return (await Caller(anonymous.client, bearer).get("/auth/me")).status == 401

            await until(is_out, within_s=1.5)
        assert (await refresh(anonymous, answer.ok["refresh_token"])).status == 401
        assert (await login(anonymous)).status == 200

    async def test_ends_sessions(self, anonymous: Caller, user: str, settings: Settings) -> None:
        answers = [await login(anonymous), await login(anonymous)]
        assert await admin.end_sessions(settings, "nobody@example.com") is None
        assert await admin.end_sessions(settings, EMAIL) == 2
        assert (await refresh(anonymous, answers[0].ok["refresh_token"])).status == 401
        await login(anonymous)
        assert await admin.end_sessions(settings, None) == 1

    async def test_forgets_a_lost_second_factor(self, anonymous: Caller, user: str, settings: Settings) -> None:
        await set_up_otp(as_user(anonymous, await login(anonymous)))
        assert await admin.reset_mfa(settings, EMAIL)
        assert not await admin.reset_mfa(settings, "nobody@example.com")
        assert (await login(anonymous)).status == 200


class TestDisabled:
    async def test_shut_out_within_a_second(self, anonymous: Caller, user: str, db: Tx) -> None:
        answer = await login(anonymous)
        await db.execute("update app_user set disabled_at = now()")

        async def is_out() -> bool:
            return (await as_user(anonymous, answer).get("/auth/me")).status == 401

        await until(is_out, within_s=1.5)
        assert (await refresh(anonymous, answer.ok["refresh_token"])).status == 401
        assert (await login(anonymous)).code == "login-failed"
