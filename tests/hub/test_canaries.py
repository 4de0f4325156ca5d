"""Secrets that are easy to find again: a whole story leaves none of them in a log, an answer, a fact or an export."""

import asyncio
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

from dev.process import spawn
from hub import admin
from hub.settings import Settings
from tests.hub.auth.conftest import code_of, token_in
from tests.hub.races import until

PASSWORD, NEW_PASSWORD, WRONG = "canary yellow birds sing", "canary islands in the rain", "canary that does not fit"
SENSOR_TOKEN = "canary_5d1f8a7be24c96033f"
EMAIL = "eve@example.com"


class Story:
    """Calls a hub process, keeps every answer, and knows what must not be found in them again."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url
        self.secrets: set[str] = {PASSWORD, NEW_PASSWORD, WRONG, SENSOR_TOKEN}
        self.answers: list[str] = []
        self.token = ""

    async def call(
        self, method: str, path: str, body: Any = None, *, shows: tuple[str, ...] = (), **headers: str
    ) -> Any:
        """Send a request; the fields that it `shows` are secrets from then on, and are taken out of what is kept."""
        sent = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        async with self._session.request(method, f"{self._url}{path}", json=body, headers=sent) as answer:
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
    project = await devices(story, api)
    await faults(story, api, project)
    await story.call("GET", f"{api}/projects/{project}/audit?limit=500")
    await story.call("GET", f"{api}/projects/{project}/audit/export")
    for path in ("/readyz", "/healthz", "/metrics", f"{api}/openapi.json"):
        await story.call("GET", path)
    await assert_nowhere(story, database_url, tmp_path / "hub.log")


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


async def devices(story: Story, api: str) -> str:
    """Register a sensor with an own token and an edge agent, send, fail to rotate; returns the project."""
    project = (await story.call("GET", f"{api}/projects"))["items"][0]["id"]
    sensor = {"name": "s", "type": "voltage", "input_unit": "V", "display_unit": "V", "token": SENSOR_TOKEN}
    made = await story.call("POST", f"{api}/projects/{project}/sensors", sensor, shows=("token",))
    await story.call("POST", f"{api}/projects/{project}/sensors", sensor | {"name": "t"})
    agent = await story.call("POST", f"{api}/projects/{project}/edge-agents", {"name": "e"}, shows=("token",))
    await story.call("POST", f"{api}/sensors/{made['id']}/rotate-token", {}, X_OTP="000000")
    await story.call("POST", "/telemetry", {"samples": [{"t": 1.0, "v": 1.0}]}, Authorization=f"Bearer {SENSOR_TOKEN}")
    await story.call("POST", f"{api}/broker/login", {"username": made["id"], "password": agent["token"]})
    return project


async def faults(story: Story, api: str, project: str) -> None:
    """Put secrets where they do not belong: into addresses, headers and bodies that are refused."""
    await story.call("GET", f"{api}/projects/{project}/sensors?q={SENSOR_TOKEN}")
    await story.call("GET", f"{api}/nowhere/{SENSOR_TOKEN.upper()}")
    await story.call("POST", f"{api}/auth/login", {"email": EMAIL, "password": [WRONG]})
    await story.call("POST", f"{api}/auth/login", {"email": WRONG, "password": ""})
    await story.call("GET", f"{api}/auth/me", Authorization=f"Basic {SENSOR_TOKEN}")
    await story.call("GET", f"{api}/auth/me", Cookie=f"etp_refresh={SENSOR_TOKEN}")


async def assert_nowhere(story: Story, database_url: str, log: Path) -> None:
    """Look for every secret in the log, the answers that were not to show it, and all facts."""
    connection = await asyncpg.connect(database_url)
    facts = [str(dict(row)) for row in await connection.fetch("select *, details::text as text from fact")]
    kept = [str(row[0]) for row in await connection.fetch("select encode(sealed, 'escape') from letter")]
    await connection.close()
    written = await asyncio.to_thread(log.read_text, encoding="utf-8")
    assert len(facts) > 10
    assert len(re.findall('"event"', written)) > 20, "the log tells the story"
    assert len(story.secrets) > 15
    for secret in story.secrets:
        found = [
            place
            for place, texts in (("log", [written]), ("answers", story.answers), ("facts", facts), ("letters", kept))
            for text in texts
            if secret in text
        ]
        assert found == [], secret[:8]
