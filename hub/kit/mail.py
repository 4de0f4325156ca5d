"""Sending letters: through SMTP, or into an outbox folder where there is no SMTP server."""

import os
import secrets
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path
from typing import Final, Protocol, Self
from urllib.parse import unquote, urlsplit

import aiosmtplib
import orjson

TIMEOUT_S: Final = 20.0


class MailFailed(Exception):
    """A letter could not be handed over; it is worth another try."""


@dataclass(frozen=True)
class Letter:
    """A plain-text letter."""

    to: str
    subject: str
    body: str

    def encode(self) -> bytes:
        """Write the letter as bytes."""
        return orjson.dumps(self)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read what `encode` wrote."""
        return cls(**orjson.loads(data))

    def message(self, sender: str) -> EmailMessage:
        """Make the message; line breaks in an address or a subject are refused by the library (ValueError)."""
        message = EmailMessage()
        message["From"] = sender
        message["To"] = self.to
        message["Subject"] = self.subject
        message["Date"] = formatdate()
        message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2] or None)
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(self.body)
        return message


class Mail(Protocol):
    """Takes letters."""

    async def send(self, letter: Letter) -> None:
        """Hand a letter over; raises MailFailed."""
        ...


class Outbox:
    """Writes each letter into a file of its own that only this user may read."""

    def __init__(self, folder: Path, sender: str) -> None:
        """Write into `folder`, which is created with the first letter."""
        self._folder = folder
        self._sender = sender

    async def send(self, letter: Letter) -> None:
        """Write the letter; a file of this name ending in .eml is whole."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = self._folder / f".{secrets.token_hex(8)}"
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(letter.message(self._sender).as_bytes())
        number = 1 + max((int(name.stem) for name in self._folder.glob("*.eml") if name.stem.isdigit()), default=0)
        while True:
            try:
                os.link(part, self._folder / f"{number:06}.eml")
                break
            except FileExistsError:
                number += 1
        part.unlink()


class Smtp:
    """Hands letters to an SMTP server, encrypted: `smtps://user:password@host:465`, or `smtp://…:587` with STARTTLS.

    Without encryption only where the address says so: `smtp+plain://host:25`.
    """

    def __init__(self, url: str, sender: str) -> None:
        """Take the address of the server."""
        parts = urlsplit(url)
        if parts.scheme not in {"smtp", "smtps", "smtp+plain"} or not parts.hostname:
            raise ValueError("ETP_SMTP_URL begins with smtp://, smtps:// or smtp+plain:// and names a host")
        self._host = parts.hostname
        self._port = parts.port or {"smtp": 587, "smtps": 465, "smtp+plain": 25}[parts.scheme]
        self._user = unquote(parts.username) if parts.username else None
        self._password = unquote(parts.password) if parts.password else None
        self._tls = parts.scheme == "smtps"
        self._starttls = parts.scheme == "smtp"
        self._sender = sender

    async def send(self, letter: Letter) -> None:
        """Hand the letter over; raises MailFailed."""
        try:
            await aiosmtplib.send(
                letter.message(self._sender),
                hostname=self._host,
                port=self._port,
                username=self._user,
                password=self._password,
                use_tls=self._tls,
                start_tls=self._starttls,
                timeout=TIMEOUT_S,
            )
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            raise MailFailed(type(error).__name__) from error
