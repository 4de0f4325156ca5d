"""A user who can log in, and what is needed to act as one."""

import base64
import re
import time
from collections.abc import Awaitable, Callable
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from pyotp.totp import TOTP

from hub.app import make_mail
from hub.auth import post
from hub.auth.accounts import ensure_user
from hub.kit.context import HUB
from hub.kit.db import Tx
from hub.settings import Settings
from tests.hub.callers import Answer, Caller

EMAIL = "ada@example.com"
RIGHT = "engine no. 2 runs on steam"
NEW = "loom cards, punched by hand"

Letters = Callable[[], Awaitable[list[str]]]


@pytest.fixture
async def user(db: Tx) -> str:
    """A user who can log in."""
    return str(await ensure_user(db, email=EMAIL, name="Ada", password=RIGHT))


@pytest.fixture
def letters(app: web.Application, settings: Settings) -> Letters:
    """Send what waits, and return the texts of all letters that were ever sent."""
    mail = make_mail(settings)

    async def sent() -> list[str]:
        while await post.send_next(app[HUB], mail):
            pass
        return [_text(file) for file in sorted((settings.data_dir / "outbox").glob("*.eml"))]

    return sent


def _text(file: Path) -> str:
    message = message_from_bytes(file.read_bytes())
    content = message.get_payload(decode=True)
    assert isinstance(content, bytes)
    return f"To: {message['To']}\nSubject: {message['Subject']}\n\n{content.decode()}"


async def login(caller: Caller, **fields: object) -> Answer:
    """Log in, as Ada unless told otherwise."""
    return await caller.post("/auth/login", {"email": EMAIL, "password": RIGHT} | fields)


def as_user(caller: Caller, answer: Answer) -> Caller:
    """Make a caller with the access token of an answer."""
    return Caller(caller.client, answer.ok["access_token"])


def code_of(secret: str, steps_ahead: int = 0) -> str:
    """Return the code that an authenticator shows, or will show."""
    return TOTP(secret).at(time.time() + 30 * steps_ahead)


async def set_up_otp(caller: Caller, password: str = RIGHT) -> tuple[str, list[str]]:
    """Set up a second factor; returns its secret and the recovery codes. The present code is used up."""
    enrollment = (await caller.post("/auth/mfa/enroll", {"password": password})).ok
    confirmed = (await caller.post("/auth/mfa/confirm", {"otp": code_of(enrollment["secret"], -1)})).ok
    return enrollment["secret"], confirmed["recovery_codes"]


def token_in(letter: str) -> str:
    """Return the token of a letter's link."""
    found = re.search(r"/reset#(\S+)", letter)
    assert found, letter
    return found[1]


def picture_of(enrollment: dict[str, Any]) -> str:
    """Return the QR code's SVG."""
    head, _, data = enrollment["qr"].partition(",")
    return base64.b64decode(data).decode() if head.endswith("base64") else data
