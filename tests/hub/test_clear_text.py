"""Nothing secret stands in the database in the clear: tokens, codes, links, and what profiles say."""

import struct
import uuid

from aiohttp import web

from hub.auth.passwords import hash_password
from hub.kit.db import Tx
from tests.hub.callers import Caller
from tests.hub.second_factor import recovery_code_of

TOKEN, NEXT_TOKEN = "recognisable-token-of-bench-3", "recognisable-Token-Nr2-of-bench-3"
SLOPE, INTERCEPT = 123457.015625, -98765.4375
BODY = {"name": "a name to find", "type": "temperature", "input_unit": "V", "display_unit": "°C"}


async def dump(db: Tx) -> str:
    """Return every row of every table as text, bytes as hexadecimal digits."""
    tables = await db.fetch(
        "select format('%I.%I', schemaname, tablename) from pg_tables where schemaname = 'public' order by 1"
    )
    assert len(tables) > 20
    rows = [row for (table,) in tables for row in await db.fetch(f"select t::text from {table} t")]
    return "\n".join(row[0] for row in rows)


def forms_of(secret: str) -> set[str]:
    """Return how a text may stand in a dump: as it is, as bytes."""
    return {secret, secret.encode().hex()}


def forms_of_number(number: float) -> set[str]:
    """Return how a number may stand in a dump: as text, as bytes of the text, as a float."""
    return {str(number), str(number).encode().hex(), struct.pack("<d", number).hex(), struct.pack(">d", number).hex()}


async def test_in_no_table(app: web.Application, owner: Caller, project: str, db: Tx) -> None:
    profile = {"kind": "linear", "slope": SLOPE, "intercept": INTERCEPT}
    body = BODY | {"token": TOKEN, "profile": profile}
    made = (await owner.post(f"/projects/{project}/sensors", body, Idempotency_Key="1")).ok
    agent = (await owner.post(f"/projects/{project}/edge-agents", {"name": "e"}, Idempotency_Key="2")).ok
    codes = [await recovery_code_of(app, db, owner) for _ in range(3)]
    rotation = {"token": NEXT_TOKEN, "overlap_s": 60}
    url = f"/sensors/{made['id']}"
    assert (await owner.post(f"{url}/rotate-token", rotation, X_OTP=codes[0], Idempotency_Key="3")).status == 200
    assert (await owner.get(f"{url}/token", X_OTP=codes[1])).ok == {"token": NEXT_TOKEN}
    rotated = (await owner.post(f"/edge-agents/{agent['id']}/rotate-token", {"overlap_s": 60}, X_OTP=codes[2])).ok
    (read,) = (await owner.get(f"{url}/profiles")).ok["items"]
    assert (read["payload"]["slope"], read["payload"]["intercept"]) == (SLOPE, INTERCEPT)
    await db.execute("update app_user set password_hash = $1, otp_confirmed_at = null", await hash_password("right"))
    enrolled = (await owner.post("/auth/mfa/enroll", {"password": "right"})).ok
    email = await db.fetchval("select email from app_user where id = $1", uuid.UUID(owner.id))
    assert (await owner.post("/auth/password/forgot", {"email": email})).status < 300
    assert await db.fetchval("select count(*) from letter") == 1
    personal = (await owner.post("/auth/tokens", {"name": "ci", "scope": "read", "expires_in_days": 1})).ok

    text = await dump(db)
    assert BODY["name"] in text
    assert agent["id"] in text
    tokens = (TOKEN, NEXT_TOKEN, agent["token"], rotated["token"], personal["token"], owner.token or "")
    for secret in (*tokens, *codes, enrolled["secret"], "/reset#"):
        assert [form for form in forms_of(secret) if form in text] == [], secret
    for number in (SLOPE, INTERCEPT):
        assert [form for form in forms_of_number(number) if form in text] == [], number


async def test_would_be_found(db: Tx, project: str) -> None:
    await db.execute("update project set name = $1", f"a {TOKEN} within")
    await db.execute("insert into idempotency_key values (gen_random_uuid(), '', '', 1, $1)", NEXT_TOKEN.encode())
    await db.execute("update project set description = $1", f"slope {SLOPE}")
    text = await dump(db)
    assert [any(form in text for form in forms_of(secret)) for secret in (TOKEN, NEXT_TOKEN, "else")] == [1, 1, 0]
    assert any(form in text for form in forms_of_number(SLOPE))
