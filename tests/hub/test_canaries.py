"""Secrets that are easy to find again: a whole story leaves none of them in a log, an answer, a fact or an export."""

import asyncio
import base64
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest
import redis
from yarl import URL

from dev.process import spawn
from hub import admin
from hub.settings import Settings
from tests.hub.auth.conftest import code_of, token_in
from tests.hub.races import until

PASSWORD, NEW_PASSWORD, WRONG = "canary yellow birds sing", "canary islands in the rain", "canary that does not fit"
SENSOR_TOKEN = "canary_5d1f8a7be24c96033f"
ADDRESS_TOKEN = "canary-2b91f0c47de6835aa1"  # nobody's
EMAIL = "eve@example.com"


class Story:
    """Calls a hub process, keeps every answer, and knows what must not be found in them again."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url
        self.secrets: set[str] = {PASSWORD, NEW_PASSWORD, WRONG, SENSOR_TOKEN, ADDRESS_TOKEN}
        self.answers: list[str] = []
        self.token = ""

    async def call(
        self, method: str, path: str, body: Any = None, *, shows: tuple[str, ...] = (), **headers: str
    ) -> Any:
        """Send JSON or, as bytes, anything; the fields that it `shows` are secrets from then on, and taken out."""
        sent = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        content = {"data": body} if isinstance(body, bytes) else {"json": body}
        # As it is written: a client may hide letters of its token behind percent signs.
        url = URL(f"{self._url}{path}", encoded=True)
        async with self._session.request(method, url, headers=sent, **content) as answer:
            text = await answer.text()
            parsed = await answer.json() if "json" in answer.content_type else None
        for field in shows:
            values = parsed[field] if isinstance(parsed[field], list) else [parsed[field]]
            self.secrets |= {value for value in values if value}
            for value in values:
                text = text.replace(value or "\0", "") if field != "uri" else ""
        self.answers.append(f"{text} {dict(answer.headers)}")
        return parsed


@pytest.fixture
async def story(database_url: str, valkey_url: str, tmp_path: Path, free_port: int) -> AsyncIterator[Story]:
    """A hub in a process of its own, whose log is a file."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("ETP_")} | {
        "ETP_DATABASE_URL": database_url,
        "ETP_REDIS_URL": valkey_url,
        "ETP_DATA_DIR": str(tmp_path / "data"),
        "ETP_HTTP_PORT": str(free_port),
        "PYTHONUNBUFFERED": "1",
    }
    hub = spawn([sys.executable, "-m", "cli", "hub"], death_signal=signal.SIGTERM, env=env, log=tmp_path / "hub.log")
    url = f"http://127.0.0.1:{free_port}"
    try:
        async with aiohttp.ClientSession() as session, asyncio.timeout(120):
            while True:
                try:
                    async with session.get(f"{url}/readyz") as answer:
                        if answer.status == 200:
                            break
                except aiohttp.ClientError:
                    pass
                await asyncio.sleep(0.05)
            yield Story(session, url)
    finally:
        await hub.stop((signal.SIGTERM, 15.0))


@pytest.mark.slow
async def test_no_secret_is_found_again(story: Story, database_url: str, valkey_url: str, tmp_path: Path) -> None:
    settings = Settings(_env_file=None, database_url=database_url, redis_url=valkey_url, data_dir=tmp_path / "data")
    link = await admin.invite(settings, project="birds", role=admin.Role.OWNER, uses=1, days=1, only_first=False)
    code = (link or "").rpartition("#")[2]
    story.secrets.add(code)
    api = "/api/v1"
    body = {"invite_code": code, "email": EMAIL, "password": PASSWORD, "name": "Eve"}
    session = await story.call("POST", f"{api}/auth/register", body, shows=("access_token", "refresh_token"))
    story.token = session["access_token"]
    await account(story, api, session["refresh_token"], tmp_path)
    project, sensor, gateway = await devices(story, api)
    await faults(story, api, project)
    await lines(story, gateway)
    await thingsboard(story, api, gateway)
    await senml(story, api, gateway)
    await recorded(story, api, project, sensor)
    await story.call("GET", f"{api}/projects/{project}/audit?limit=500")
    await story.call("GET", f"{api}/projects/{project}/audit/export")
    for path in ("/readyz", "/healthz", "/metrics", f"{api}/openapi.json"):
        await story.call("GET", path)
    await assert_nowhere(story, database_url, valkey_url, tmp_path / "hub.log")


async def account(story: Story, api: str, refresh_token: str, folder: Path) -> None:
    """Fail to log in, set up a second factor and use its codes, reset the password, use a token twice."""
    login = {"email": EMAIL, "password": WRONG}
    await story.call("POST", f"{api}/auth/login", login)
    enrolled = await story.call("POST", f"{api}/auth/mfa/enroll", {"password": PASSWORD}, shows=("secret", "uri", "qr"))
    now = code_of(enrolled["secret"], -1)
    codes = (await story.call("POST", f"{api}/auth/mfa/confirm", {"otp": now}, shows=("recovery_codes",)))[
        "recovery_codes"
    ]
    await story.call(
        "POST",
        f"{api}/auth/login",
        login | {"password": PASSWORD, "otp": codes[0]},
        shows=("access_token", "refresh_token"),
    )
    await story.call("POST", f"{api}/auth/login", login | {"password": PASSWORD, "otp": codes[0]})
    made = await story.call("POST", f"{api}/auth/tokens", {"name": "ci", "scope": "admin"}, shows=("token",))
    await story.call("DELETE", f"{api}/auth/tokens/{made['id']}")
    await story.call("POST", f"{api}/auth/refresh", {"refresh_token": "etpr_" + "x" * 43})
    fresh = {"refresh_token": refresh_token}
    await story.call("POST", f"{api}/auth/password/forgot", {"email": EMAIL})
    letters = folder / "data" / "outbox"

    async def arrived() -> bool:
        return any("/reset#" in file.read_text() for file in letters.glob("*.eml"))

    await until(arrived, within_s=20)
    text = next(text for file in letters.glob("*.eml") if "/reset#" in (text := file.read_text()))
    token = token_in(text.replace("=\n", ""))
    story.secrets.add(token)
    body = {"token": token, "password": NEW_PASSWORD}
    await story.call("POST", f"{api}/auth/password/reset", body)
    await story.call("POST", f"{api}/auth/refresh", fresh)
    login |= {"password": NEW_PASSWORD, "otp": codes[1]}
    session = await story.call("POST", f"{api}/auth/login", login, shows=("access_token", "refresh_token"))
    story.token = session["access_token"]


async def devices(story: Story, api: str) -> tuple[str, str, str]:
    """Register a sensor with an own token and an edge agent, send, fail to rotate; returns project, sensor, token."""
    project = (await story.call("GET", f"{api}/projects"))["items"][0]["id"]
    sensor = {"name": "s", "type": "voltage", "input_unit": "V", "display_unit": "V", "token": SENSOR_TOKEN}
    made = await story.call("POST", f"{api}/projects/{project}/sensors", sensor, shows=("token",))
    await story.call("POST", f"{api}/projects/{project}/sensors", sensor | {"name": "t"})
    agent = await story.call(
        "POST", f"{api}/projects/{project}/edge-agents", {"name": "e", "default": True}, shows=("token",)
    )
    await story.call("POST", f"{api}/sensors/{made['id']}/rotate-token", {}, X_OTP="000000")
    await story.call("POST", "/telemetry", {"samples": [{"t": 1.0, "v": 1.0}]}, Authorization=f"Bearer {SENSOR_TOKEN}")
    await story.call("POST", f"{api}/broker/login", {"username": made["id"], "password": agent["token"]})
    return project, made["id"], agent["token"]


async def lines(story: Story, token: str) -> None:
    """Write line protocol as clients of every version show their token, and with it where it does not belong."""
    basic = base64.b64encode(f"telegraf:{token}".encode()).decode()
    story.secrets.add(basic)
    good, now = b"pump,unit=a pressure=1.5", "precision=s"
    for shown in (f"Token {token}", f"Bearer {token}", f"Token telegraf:{token}", f"Basic {basic}"):
        for body in (good, b"pump pressure=", b"\xff"):
            await story.call("POST", f"/api/v2/write?{now}", body, Authorization=shown)
            await story.call("POST", "/write?db=x", body, Authorization=shown)
        await story.call("POST", "/write?db=x&precision=fortnight", good, Authorization=shown)
        await story.call("POST", "/query", b"q=drop+database+x", Authorization=shown)
    for query in (f"u=telegraf&p={token}", f"p={SENSOR_TOKEN}&u=x", f"u={token}&p=x", f"token={token}"):
        for shown in ("", f"Token {WRONG}", f"Token {token}", f"{token}"):
            await story.call("POST", f"/write?db=x&{query}", good, Authorization=shown)
            await story.call("GET", f"/query?q=show+databases&{query}", Authorization=shown)
        await story.call("GET", f"/ping?{query}", Authorization="")


async def thingsboard(story: Story, api: str, token: str) -> None:
    """Send as ThingsBoard's devices do, whose token is part of the address: good, bad, unknown, disguised."""
    disguised = f"%{ord(token[0]):02x}{token[1:]}"
    for shown in (token, ADDRESS_TOKEN, ADDRESS_TOKEN.upper(), disguised, f"{token}%20", f"{token};x=1"):
        story.secrets.add(shown)
        for rest in ("telemetry", "telemetry?x=1", "telemetry/", "attributes", "attributes?clientKeys=a", "rpc", ""):
            await story.call("POST", f"{api}/{shown}/{rest}", b'{"temperature": 21.5}', Authorization="")
            await story.call("GET", f"{api}/{shown}/{rest}", Authorization="")
        for body in (b"{", b'{"a": "text"}', b"[5]"):
            await story.call("POST", f"{api}/{shown}/telemetry", body, Authorization="")
        await story.call("POST", f"//{api}//{shown}/telemetry", b"{}", Authorization="")


async def senml(story: Story, api: str, token: str) -> None:
    """Send SenML packs, good and bad."""
    for shown in (f"Bearer {token}", f"Bearer {ADDRESS_TOKEN}", f"{token}"):
        for body in (b'[{"n": "urn:dev:1", "u": "Cel", "v": 21.5}]', b'[{"n": "x"}]', b"[", b'[{"n": " ", "v": 1}]'):
            await story.call("POST", f"{api}/senml", body, Authorization=shown, Content_Type="application/senml+json")


async def recorded(story: Story, api: str, project: str, sensor: str) -> None:
    """Read what has come of it all: proposals, an accepted one, journals, a capture's samples, export and manifest."""
    proposed = (await story.call("GET", f"{api}/projects/{project}/proposals"))["items"]
    assert {one["format"] for one in proposed} >= {"line protocol", "ThingsBoard", "SenML"}
    experiment = await story.call("POST", f"{api}/projects/{project}/experiments", {"name": "x"})
    run = await story.call("POST", f"{api}/experiments/{experiment['id']}/runs", {"name": "r"})
    await story.call("PUT", f"{api}/runs/{run['id']}/sensors", {"sensors": [{"sensor_id": sensor}]})
    await story.call("POST", f"{api}/runs/{run['id']}/start")
    capture = await story.call("POST", f"{api}/runs/{run['id']}/captures", {})
    batch = {"samples": [{"v": 1.0}, {"t": 1.0, "v": None}]}
    await story.call("POST", "/telemetry", batch, Authorization=f"Bearer {SENSOR_TOKEN}")
    await story.call("POST", f"{api}/captures/{capture['id']}/stop")
    for path in ("samples", "export?format=csv", "ledger", "manifest"):
        await story.call("GET", f"{api}/captures/{capture['id']}/{path}")
    for path in ("journal", "ledger", "samples", "profiles"):
        await story.call("GET", f"{api}/sensors/{sensor}/{path}")


async def faults(story: Story, api: str, project: str) -> None:
    """Put secrets where they do not belong: into addresses, headers and bodies that are refused."""
    await story.call("GET", f"{api}/projects/{project}/sensors?q={SENSOR_TOKEN}")
    await story.call("GET", f"{api}/nowhere/{SENSOR_TOKEN.upper()}")
    await story.call("POST", f"{api}/auth/login", {"email": EMAIL, "password": [WRONG]})
    await story.call("POST", f"{api}/auth/login", {"email": WRONG, "password": ""})
    await story.call("GET", f"{api}/auth/me", Authorization=f"Basic {SENSOR_TOKEN}")
    await story.call("GET", f"{api}/auth/me", Cookie=f"etp_refresh={SENSOR_TOKEN}")


async def assert_nowhere(story: Story, database_url: str, valkey_url: str, log: Path) -> None:
    """Look for every secret in the log, the answers that were not to show it, all tables and the stream's server."""
    connection = await asyncpg.connect(database_url)
    facts = [str(dict(row)) for row in await connection.fetch("select *, details::text as text from fact")]
    tables = await connection.fetch("select tablename from pg_tables where schemaname = 'public'")
    rows = [
        str(row[0])
        for table in tables
        for row in await connection.fetch(f'select one::text from "{table["tablename"]}" one')
    ]
    kept = [str(row[0]) for row in await connection.fetch("select encode(sealed, 'escape') from letter")]
    await connection.close()
    written = await asyncio.to_thread(log.read_text, encoding="utf-8")
    server = await asyncio.to_thread(all_of_server, valkey_url)
    assert len(facts) > 10
    assert "/api/v1/***/telemetry" in written
    assert len(re.findall('"event"', written)) > 20, "the log tells the story"
    assert len(story.secrets) > 15
    for secret in story.secrets:
        found = [
            (place, re.findall(f".{{,100}}{re.escape(secret)}.{{,30}}", text)[:3])
            for place, texts in (
                *(("log", [written]), ("answers", story.answers), ("facts", facts)),
                *(("letters", kept), ("tables", rows), ("server", server)),
            )
            for text in texts
            if secret in text
        ]
        assert found == []


def all_of_server(url: str) -> list[str]:
    """Read every key of the stream's server with what it holds."""
    with redis.Redis.from_url(url) as client:
        return [f"{key!r} {client.dump(key)!r}" for key in client.scan_iter(count=1000)]
