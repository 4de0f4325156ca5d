"""Where the key that wraps all other keys is: the interface to it, and the key file, its embedded form."""

import contextlib
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from hub.kit.crypto import decrypt, encrypt

if TYPE_CHECKING:
    from hub.settings import Settings

SECRET_BYTES = 32


class SecretKeyUnfit(Exception):
    """The key file is missing, too short, or not the one that this database's keys were wrapped with."""


class KeyService(Protocol):
    """Wraps keys with one that never leaves it; a key management system answers over the network."""

    async def wrap(self, key: bytes, about: bytes) -> bytes:
        """Encrypt a key; the same `about` must be given to unwrap it."""
        ...

    async def unwrap(self, wrapped: bytes, about: bytes) -> bytes:
        """Decrypt what `wrap` made; raises SecretKeyUnfit when it was made with another key, or changed since."""
        ...

    async def derive(self, purpose: bytes) -> bytes:
        """Return the 32 bytes that belong to `purpose`: the same ones each time."""
        ...


class KeyFile:
    """The embedded key service: a file of at least 32 random bytes, from which everything is derived."""

    def __init__(self, secret: bytes, name: str) -> None:
        """Take the file's content; `name` stands in the messages."""
        if len(secret) < SECRET_BYTES:
            raise SecretKeyUnfit(f"the key file {name} must hold at least {SECRET_BYTES} random bytes")
        self._secret = secret
        self._name = name
        self._wrapping = AESGCM(self._derive(b"wrap"))

    @classmethod
    def read(cls, path: Path, *, may_create: bool) -> "KeyFile":
        """Read the file; create it (mode 0600) where that is allowed and it is missing. Raises SecretKeyUnfit."""
        if not path.exists():
            if not may_create:
                raise SecretKeyUnfit(f"there is no key file {path}; head -c 32 /dev/urandom > {path} makes one")
            _create(path)
        return cls(path.read_bytes(), str(path))

    async def wrap(self, key: bytes, about: bytes) -> bytes:
        """Encrypt a key with AES-256-GCM."""
        return encrypt(self._wrapping, key, about)

    async def unwrap(self, wrapped: bytes, about: bytes) -> bytes:
        """Decrypt what `wrap` made; raises SecretKeyUnfit."""
        try:
            return decrypt(self._wrapping, wrapped, about)
        except InvalidTag as error:
            raise SecretKeyUnfit(
                f"the key file {self._name} does not open this database's {about.decode()}: it is another one than the"
                " keys were wrapped with"
            ) from error

    async def derive(self, purpose: bytes) -> bytes:
        """Derive a key with HKDF-SHA256."""
        return self._derive(purpose)

    def _derive(self, purpose: bytes) -> bytes:
        return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"etp " + purpose).derive(self._secret)


def key_service_of(settings: "Settings", *, may_create: bool = True) -> KeyService:
    """Open the key service that the settings name; raises SecretKeyUnfit.

    Production wants a key file that somebody chose: the one in the data folder is made on a first start.
    """
    production = settings.env == "production"
    if production and settings.secret_key_file is None:
        raise SecretKeyUnfit("production needs ETP_SECRET_KEY_FILE, the path of a file of 32 random bytes")
    return KeyFile.read(settings.key_file, may_create=may_create and not production)


def _create(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(os.urandom(SECRET_BYTES))
            file.flush()
            os.fsync(file.fileno())
        # Whole or not at all, and never over another process's.
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(unfinished)
    finally:
        unfinished.unlink(missing_ok=True)
