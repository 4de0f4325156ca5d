"""The second factor: set up, asked for, used up, and taken away."""

import asyncio

import pytest

from hub.auth.step_up import WithOtp
from hub.kit.db import Tx
from hub.projects.access import of_project
from hub.projects.models import Role
from tests.hub.auth.conftest import NEW, RIGHT, Letters, as_user, code_of, login, picture_of, set_up_otp
from tests.hub.callers import Caller


@pytest.fixture
async def ada(anonymous: Caller, user: str) -> Caller:
    """Ada, logged in."""
    return as_user(anonymous, await login(anonymous))


def proofs(code: str) -> dict[str, str]:
    """Return the password with a code."""
    return {"password": RIGHT, "otp": code}


class TestEnroll:
    async def test_anonymous(self, anonymous: Caller) -> None:
        assert (await anonymous.post("/auth/mfa/enroll", {"password": RIGHT})).status == 401

    async def test_asks_for_the_password(self, ada: Caller) -> None:
        assert (await ada.post("/auth/mfa/enroll", {"password": "engine no. 1"})).code == "password-wrong"

    async def test_secret_and_picture(self, ada: Caller) -> None:
        answer = (await ada.post("/auth/mfa/enroll", {"password": RIGHT})).ok
        assert answer["uri"].startswith("otpauth://totp/ETP:ada%40example.com?secret=" + answer["secret"])
        assert "<svg" in picture_of(answer) or "%3Csvg" in picture_of(answer)
        assert (await ada.get("/auth/me")).ok["mfa"] is False

    async def test_secret_is_sealed(self, ada: Caller, db: Tx) -> None:
        secret = (await ada.post("/auth/mfa/enroll", {"password": RIGHT})).ok["secret"]
        assert secret.encode() not in await db.fetchval("select otp_sealed from app_user")


class TestConfirm:
    async def test_without_enrolling(self, ada: Caller) -> None:
        assert (await ada.post("/auth/mfa/confirm", {"otp": "123456"})).code == "mfa-not-active"

    async def test_wrong_code(self, ada: Caller) -> None:
        secret = (await ada.post("/auth/mfa/enroll", {"password": RIGHT})).ok["secret"]
        wrong = f"{(int(code_of(secret)) + 1) % 1_000_000:06}"
        answer = await ada.post("/auth/mfa/confirm", {"otp": wrong})
        assert (answer.status, answer.code) == (403, "otp-refused")

    async def test_sets_up(self, ada: Caller, letters: Letters) -> None:
        _, codes = await set_up_otp(ada)
        assert len(set(codes)) == 10
        me = (await ada.get("/auth/me")).ok
        assert (me["mfa"], me["recovery_codes_left"]) == (True, 10)
        assert (await ada.post("/auth/mfa/enroll", {"password": RIGHT})).code == "mfa-active"
        assert "second factor was set up" in (await letters())[0]


class TestLogin:
    async def test_is_asked_for(self, anonymous: Caller, ada: Caller) -> None:
        await set_up_otp(ada)
        answer = await login(anonymous)
        assert (answer.status, answer.code) == (401, "otp-required")

    async def test_wrong_password_says_nothing_of_it(self, anonymous: Caller, ada: Caller) -> None:
        await set_up_otp(ada)
        assert (await login(anonymous, password="engine no. 1")).code == "login-failed"

    async def test_code_and_its_replay(self, anonymous: Caller, ada: Caller) -> None:
        secret, _ = await set_up_otp(ada)
        code = code_of(secret)
        assert (await login(anonymous, otp=code)).status == 200
        replayed = await login(anonymous, otp=code)
        assert (replayed.status, replayed.code) == (403, "otp-refused")
        assert (await login(anonymous, otp=code_of(secret, 1))).status == 200

    async def test_codes_of_other_times(self, anonymous: Caller, ada: Caller) -> None:
        secret, _ = await set_up_otp(ada)
        for steps in (-3, 3):
            assert (await login(anonymous, otp=code_of(secret, steps))).code == "otp-refused"

    async def test_one_code_twice_at_once(self, anonymous: Caller, ada: Caller) -> None:
        secret, _ = await set_up_otp(ada)
        answers = await asyncio.gather(*(login(anonymous, otp=code_of(secret)) for _ in range(3)))
        assert sorted(answer.status for answer in answers) == [200, 403, 403]

    async def test_recovery_code_works_once(self, anonymous: Caller, ada: Caller) -> None:
        _, codes = await set_up_otp(ada)
        assert (await login(anonymous, otp=codes[3].lower().replace("-", " "))).status == 200
        assert (await login(anonymous, otp=codes[3])).code == "otp-refused"
        assert (await ada.get("/auth/me")).ok["recovery_codes_left"] == 9

    async def test_guessing_is_slowed_down(self, anonymous: Caller, ada: Caller) -> None:
        await set_up_otp(ada)
        answers = [await login(anonymous, otp=f"AAAAA-AAAAA-AAAA{n}") for n in range(6)]
        assert [answer.status for answer in answers] == [403] * 5 + [429]

    async def test_good_codes_are_not_counted(self, anonymous: Caller, ada: Caller) -> None:
        _, codes = await set_up_otp(ada)
        assert [(await login(anonymous, otp=code)).status for code in codes] == [200] * 10

    @pytest.mark.parametrize("digits", ["١٢٣٤٥٦", "¹²³⁴⁵⁶", "１２３４５６"])
    async def test_digits_of_other_scripts(self, anonymous: Caller, ada: Caller, digits: str) -> None:
        await ada.post("/auth/mfa/enroll", {"password": RIGHT})
        assert (await ada.post("/auth/mfa/confirm", {"otp": digits})).code == "otp-refused"
        await set_up_otp(ada)
        assert (await login(anonymous, otp=digits)).code == "otp-refused"


class TestOtherSessions:
    async def test_end_when_it_changes(self, anonymous: Caller, ada: Caller) -> None:
        other = as_user(anonymous, await login(anonymous))
        _, codes = await set_up_otp(ada)
        assert (await other.get("/auth/me")).status == 401
        other = as_user(anonymous, await login(anonymous, otp=codes[1]))
        assert (await ada.post("/auth/mfa/disable", proofs(codes[0]))).status == 204
        assert [(await one.get("/auth/me")).status for one in (ada, other)] == [200, 401]


class TestPasswordChange:
    async def test_takes_a_code_too(self, ada: Caller) -> None:
        secret, _ = await set_up_otp(ada)
        body = {"password": RIGHT, "new_password": NEW}
        assert (await ada.post("/auth/password/change", body)).code == "mfa-required"
        assert (await ada.post("/auth/password/change", body | {"otp": "AAAAAAA-AAAAAAA"})).code == "otp-refused"
        assert (await ada.post("/auth/password/change", body | {"otp": code_of(secret)})).status == 204


class TestCodeInTheHeader:
    async def test_is_as_good_as_in_the_body(self, ada: Caller) -> None:
        secret, codes = await set_up_otp(ada)
        asked = await ada.post("/auth/mfa/recovery-codes", {"password": RIGHT})
        assert (asked.status, asked.code) == (403, "mfa-required")
        renewed = await ada.post("/auth/mfa/recovery-codes", {"password": RIGHT}, X_OTP=codes[0])
        change = {"password": RIGHT, "new_password": NEW}
        assert (await ada.post("/auth/password/change", change, X_OTP=renewed.ok["recovery_codes"][0])).status == 204
        assert (await ada.post("/auth/mfa/disable", {"password": NEW}, X_OTP=code_of(secret))).status == 204


class TestDisable:
    async def test_wrong_password(self, ada: Caller) -> None:
        secret, _ = await set_up_otp(ada)
        answer = await ada.post("/auth/mfa/disable", {"password": "engine no. 1", "otp": code_of(secret)})
        assert (answer.status, answer.code) == (403, "password-wrong")

    async def test_wrong_code(self, ada: Caller) -> None:
        await set_up_otp(ada)
        assert (await ada.post("/auth/mfa/disable", proofs("AAAAA-AAAAA-AAAAA"))).code == "otp-refused"

    async def test_takes_away(self, anonymous: Caller, ada: Caller, letters: Letters) -> None:
        secret, codes = await set_up_otp(ada)
        assert (await ada.post("/auth/mfa/disable", proofs(codes[0]))).status == 204
        assert (await ada.post("/auth/mfa/disable", proofs(code_of(secret)))).code == "mfa-not-active"
        assert (await login(anonymous)).status == 200
        assert "taken away" in (await letters())[1]

    async def test_used_codes_stay_used(self, anonymous: Caller, ada: Caller, db: Tx) -> None:
        _, codes = await set_up_otp(ada)
        step = await db.fetchval("select otp_last_step from app_user")
        await ada.post("/auth/mfa/disable", proofs(codes[0]))
        assert await db.fetchval("select otp_last_step from app_user") == step > 0


class TestRecoveryCodes:
    async def test_are_replaced(self, anonymous: Caller, ada: Caller) -> None:
        secret, old = await set_up_otp(ada)
        new = (await ada.post("/auth/mfa/recovery-codes", proofs(code_of(secret)))).ok["recovery_codes"]
        assert (await login(anonymous, otp=old[0])).code == "otp-refused"
        assert (await login(anonymous, otp=new[0])).status == 200

    async def test_are_not_kept_in_clear(self, ada: Caller, db: Tx) -> None:
        _, codes = await set_up_otp(ada)
        kept = await db.fetch("select digest from recovery_code")
        assert len(kept) == 10
        assert not any(codes[0].replace("-", "").encode() in row["digest"] for row in kept)


def test_rule_in_words() -> None:
    assert WithOtp(of_project(Role.OWNER)).rule == "owner of the project, with X-OTP"
