"""Passwords: which are taken, how they are changed, recovered and guarded against guessing."""

import pytest

from hub.auth.passwords import NOBODY, is_outdated, weakness
from hub.kit.db import Tx
from tests.hub.auth.conftest import EMAIL, NEW, RIGHT, Letters, as_user, login, token_in
from tests.hub.callers import Caller


def test_the_hash_of_nobody_costs_what_a_real_one_does() -> None:
    assert not is_outdated(NOBODY)


class TestPolicy:
    @pytest.mark.parametrize(
        "password",
        [
            "short but odd",
            "passwordpassword",
            "aaaaaaaaaaaaaaaaaaaa",
            "qwertyuiopasdfghjkl",
            "1234567890123456",
            "ada@example.com",
            "lovelaceada@example.com",
            "experiment tracking platform",
            "30secondstomars",
            "perasperaadastra",
            "PerAsperaAdAstra",
            "1324354657687980",
        ],
    )
    def test_guessed_easily(self, password: str) -> None:
        assert weakness(password, [EMAIL, "Ada Lovelace"]) is not None

    @pytest.mark.parametrize(
        "password",
        [
            NEW,
            RIGHT,
            "все приборы спят зимой",
            "🦊🦉🐝🦋🐢🐙🦀🐬🐳🦆🦅🦇🐺🐗🐴",
            "x" * 3 + " tram delivers pickled violins " * 20,
        ],
    )
    def test_no_rules_of_composition(self, password: str) -> None:
        assert weakness(password, [EMAIL, "Ada Lovelace"]) is None


class TestChange:
    async def test_anonymous(self, anonymous: Caller) -> None:
        body = {"password": RIGHT, "new_password": NEW}
        assert (await anonymous.post("/auth/password/change", body)).status == 401

    async def test_wrong_present_one(self, anonymous: Caller, user: str) -> None:
        ada = as_user(anonymous, await login(anonymous))
        answer = await ada.post("/auth/password/change", {"password": NEW, "new_password": NEW})
        assert (answer.status, answer.code) == (403, "password-wrong")

    async def test_weak(self, anonymous: Caller, user: str) -> None:
        ada = as_user(anonymous, await login(anonymous))
        answer = await ada.post("/auth/password/change", {"password": RIGHT, "new_password": "a" * 20})
        assert (answer.status, answer.body["errors"][0]["loc"]) == (422, ["body", "new_password"])

    async def test_ends_the_other_sessions(self, anonymous: Caller, user: str, letters: Letters) -> None:
        here, there = as_user(anonymous, await login(anonymous)), as_user(anonymous, await login(anonymous))
        body = {"password": RIGHT, "new_password": NEW}
        assert (await here.post("/auth/password/change", body)).status == 204
        assert (await here.get("/auth/me")).status == 200
        assert (await there.get("/auth/me")).status == 401
        assert (await login(anonymous)).code == "login-failed"
        assert (await login(anonymous, password=NEW)).status == 200
        (letter,) = await letters()
        assert "Your password was changed" in letter


class TestRecovery:
    async def test_nobody_is_told_who_has_an_account(self, anonymous: Caller, user: str, letters: Letters) -> None:
        for email in (EMAIL, "bob@example.com"):
            answer = await anonymous.post("/auth/password/forgot", {"email": email})
            assert (answer.status, answer.body) == (202, b"")
        assert len(await letters()) == 1

    async def test_by_a_link_that_works_once(self, anonymous: Caller, user: str, letters: Letters) -> None:
        session = as_user(anonymous, await login(anonymous))
        await anonymous.post("/auth/password/forgot", {"email": "ADA@example.com"})
        (letter,) = await letters()
        body = {"token": token_in(letter), "password": NEW}
        assert (await anonymous.post("/auth/password/reset", body)).status == 204
        assert (await session.get("/auth/me")).status == 401
        assert (await login(anonymous, password=NEW)).status == 200
        again = await anonymous.post("/auth/password/reset", body)
        assert (again.status, again.code) == (409, "reset-refused")

    async def test_a_weak_password_does_not_use_the_link_up(
        self, anonymous: Caller, user: str, letters: Letters
    ) -> None:
        await anonymous.post("/auth/password/forgot", {"email": EMAIL})
        token = token_in((await letters())[0])
        assert (await anonymous.post("/auth/password/reset", {"token": token, "password": "a" * 20})).status == 422
        assert (await anonymous.post("/auth/password/reset", {"token": token, "password": NEW})).status == 204

    async def test_old_and_other_links(self, anonymous: Caller, user: str, letters: Letters, db: Tx) -> None:
        for _ in range(2):
            await anonymous.post("/auth/password/forgot", {"email": EMAIL})
        first, second = [token_in(letter) for letter in await letters()]
        await db.execute(
            "update password_reset set expires_at = now()"
            " where created_at = (select min(created_at) from password_reset)"
        )
        assert (await anonymous.post("/auth/password/reset", {"token": first, "password": NEW})).status == 409
        assert (await anonymous.post("/auth/password/reset", {"token": "x", "password": NEW})).status == 409
        assert (await anonymous.post("/auth/password/reset", {"token": second, "password": NEW})).status == 204

    async def test_a_mailbox_is_not_flooded(self, anonymous: Caller, user: str, letters: Letters) -> None:
        for _ in range(6):
            assert (await anonymous.post("/auth/password/forgot", {"email": EMAIL})).status == 202
        assert len(await letters()) == 3

    async def test_letters_are_sealed_and_gone_once_sent(
        self, anonymous: Caller, user: str, letters: Letters, db: Tx
    ) -> None:
        await anonymous.post("/auth/password/forgot", {"email": EMAIL})
        sealed = await db.fetchval("select sealed from letter")
        assert b"reset" not in sealed
        await letters()
        assert await db.fetchval("select count(*) from letter") == 0


class TestThrottle:
    async def test_guessing_is_slowed_down(self, anonymous: Caller, user: str) -> None:
        answers = [await login(anonymous, password=f"guess {n}") for n in range(11)]
        assert [answer.status for answer in answers] == [401] * 10 + [429]
        assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
        assert answers[-1].code == "too-many-attempts"

    async def test_even_the_right_password_waits_then(self, anonymous: Caller, user: str) -> None:
        for n in range(10):
            await login(anonymous, password=f"guess {n}")
        assert (await login(anonymous)).status == 429

    async def test_unknown_accounts_are_slowed_down_alike(self, anonymous: Caller, user: str) -> None:
        answers = [await login(anonymous, email="bob@example.com", password=f"guess {n}") for n in range(11)]
        assert [answer.status for answer in answers] == [401] * 10 + [429]

    async def test_the_owner_is_not_locked_out_by_others(self, anonymous: Caller, user: str, db: Tx) -> None:
        # Somebody elsewhere has used up the attempts of addresses that the account was never used from.
        assert (await login(anonymous)).status == 200
        await db.execute("update session set address = '192.0.2.1'")
        for n in range(11):
            answer = await login(anonymous, password=f"guess {n}")
        assert answer.status == 429
        await db.execute("update session set address = '127.0.0.1'")
        assert (await login(anonymous)).status == 200

    async def test_whoever_sets_a_new_password_by_mail_can_log_in_at_once(
        self, anonymous: Caller, user: str, letters: Letters
    ) -> None:
        for n in range(11):
            answer = await login(anonymous, password=f"guess {n}")
        assert answer.status == 429
        await anonymous.post("/auth/password/forgot", {"email": EMAIL})
        reset = {"token": token_in((await letters())[0]), "password": NEW}
        assert (await anonymous.post("/auth/password/reset", reset)).status == 204
        assert (await login(anonymous, password=NEW)).status == 200

    async def test_success_is_not_counted(self, anonymous: Caller, user: str) -> None:
        assert {(await login(anonymous)).status for _ in range(15)} == {200}
