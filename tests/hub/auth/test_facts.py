"""What becomes of an account leaves its facts, failed logins too, and never what was typed."""

from hub.kit.db import Tx
from tests.hub.auth.conftest import EMAIL, NEW, RIGHT, as_user, code_of, login
from tests.hub.callers import Caller
from tests.hub.ledger.conftest import of_request, told


class TestAccounts:
    async def test_sessions_and_tokens(self, db: Tx, anonymous: Caller, user: str) -> None:
        first, second = await login(anonymous), await login(anonymous)
        assert await told(db, first) == ["user.logged_in"]
        ada = as_user(anonymous, second)
        refreshed = await anonymous.post("/auth/refresh", {"refresh_token": first.body["refresh_token"]})
        assert await told(db, refreshed) == []
        (other,) = [one for one in (await ada.get("/auth/sessions")).ok["items"] if not one["current"]]
        assert await told(db, await ada.delete(f"/auth/sessions/{other['id']}")) == ["session.ended"]
        token = await ada.post("/auth/tokens", {"name": "ci", "scope": "read"})
        assert await told(db, token) == ["personal_token.created"]
        assert await told(db, await ada.delete(f"/auth/tokens/{token.body['id']}")) == ["personal_token.revoked"]
        assert await told(db, await ada.post("/auth/logout")) == ["user.logged_out"]
        ada = as_user(anonymous, await login(anonymous))
        assert await told(db, await ada.post("/auth/logout?everywhere=true")) == ["user.logged_out_everywhere"]

    async def test_passwords_and_second_factor(self, db: Tx, anonymous: Caller, user: str) -> None:
        ada = as_user(anonymous, await login(anonymous))
        forgotten = await anonymous.post("/auth/password/forgot", {"email": EMAIL})
        assert await told(db, forgotten) == ["password.reset_asked"]
        changed = await ada.post("/auth/password/change", {"password": RIGHT, "new_password": NEW})
        assert await told(db, changed) == ["password.changed"]
        enrolled = await ada.post("/auth/mfa/enroll", {"password": NEW})
        assert await told(db, enrolled) == ["mfa.enrolled"]
        secret = enrolled.body["secret"]
        assert await told(db, await ada.post("/auth/mfa/confirm", {"otp": code_of(secret, -1)})) == ["mfa.enabled"]
        renewed = await ada.post("/auth/mfa/recovery-codes", {"password": NEW, "otp": code_of(secret)})
        assert await told(db, renewed) == ["mfa.recovery_codes_renewed"]
        recovery = renewed.body["recovery_codes"][0]
        off = await ada.post("/auth/mfa/disable", {"password": NEW, "otp": recovery})
        assert await told(db, off) == ["mfa.disabled"]


class TestFailedLogin:
    async def test_wrong_password(self, db: Tx, anonymous: Caller, user: str) -> None:
        answer = await login(anonymous, password="my other password")
        assert answer.code == "login-failed"
        assert await of_request(db, answer) == ["user.login_failed"]
        fact = await db.fetchrow("select subject_id::text, principal_id, address, details from fact")
        assert fact is not None
        assert tuple(fact) == (user, None, "127.0.0.1", {"why": "login-failed"})

    async def test_unknown_address(self, db: Tx, anonymous: Caller) -> None:
        answer = await login(anonymous, email="my-password-by-mistake@example.com")
        assert await of_request(db, answer) == ["user.login_failed"]
        row = await db.fetchval("select row_to_json(fact)::text from fact")
        assert "mistake" not in row

    async def test_wrong_code(self, db: Tx, anonymous: Caller, user: str) -> None:
        ada = as_user(anonymous, await login(anonymous))
        secret = (await ada.post("/auth/mfa/enroll", {"password": RIGHT})).ok["secret"]
        await ada.post("/auth/mfa/confirm", {"otp": code_of(secret, -1)})
        asked = await login(anonymous)
        assert (asked.code, await of_request(db, asked)) == ("otp-required", ["user.code_asked"])
        answer = await login(anonymous, otp="AAAAA-AAAAA-AAAAA")
        assert (answer.code, await of_request(db, answer)) == ("otp-refused", ["user.login_failed"])


class TestSecrets:
    async def test_none_in_any_fact(self, db: Tx, owner: Caller, project: str, anonymous: Caller, user: str) -> None:
        secret = "q7Xv-ZkPp2-own-token-of-a-sensor-91Tt"
        body = {"name": "s", "type": "flow", "input_unit": "V", "display_unit": "l", "token": secret}
        profile = {"kind": "linear", "slope": 31.4159, "intercept": 2.71828}
        sensor = (await owner.post(f"/projects/{project}/sensors", body | {"profile": profile})).ok
        preview = {"raw": [123.456]}
        await owner.post(f"/profiles/{sensor['active_profile']['id']}/preview", preview)
        agent = (await owner.post(f"/projects/{project}/edge-agents", {"name": "edge"})).ok
        invite = (await owner.post("/invites", {"project_id": project, "role": "viewer"})).ok
        ada = as_user(anonymous, tokens := await login(anonymous))
        personal = (await ada.post("/auth/tokens", {"name": "ci", "scope": "read"})).ok
        await ada.post("/auth/password/change", {"password": RIGHT, "new_password": NEW})
        facts = await db.fetchval("select json_agg(fact)::text from fact")
        assert len(facts) > 1000
        for kept in (
            *(secret, "31.4159", "2.71828", "123.456", RIGHT, NEW, agent["token"], invite["code"], personal["token"]),
            *(tokens.body["access_token"], tokens.body["refresh_token"]),
        ):
            assert kept not in facts
