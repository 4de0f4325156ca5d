"""Keys of the hub and what is done with them: keyed hashes, sealed secrets, fresh tokens."""

import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

NONCE_BYTES = 12


@dataclass(frozen=True, repr=False)
class Keys:
    """The hub's keys, all derived from one secret of 32 bytes."""

    sign: bytes
    lookup: bytes
    seal_key: bytes

    @classmethod
    def from_secret(cls, secret: bytes) -> "Keys":
        """Derive every key from `secret`, which must hold at least 32 bytes."""
        if len(secret) < 32:
            raise ValueError("the secret key must hold at least 32 bytes")

        def derive(purpose: bytes) -> bytes:
            return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=purpose).derive(secret)

        return cls(sign=derive(b"etp sign"), lookup=derive(b"etp lookup"), seal_key=derive(b"etp seal"))

    def digest(self, token: str) -> bytes:
        """Return the keyed hash (32 bytes) under which a token is looked up."""
        return hmac.new(self.lookup, token.encode(), hashlib.sha256).digest()

    def seal(self, plain: bytes, about: bytes) -> bytes:
        """Encrypt with AES-256-GCM; `about` is authenticated with it and must be given again to open it."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + AESGCM(self.seal_key).encrypt(nonce, plain, about)

    def unseal(self, sealed: bytes, about: bytes) -> bytes:
        """Decrypt what `seal` made; raises InvalidTag when key, text or `about` differ."""
        return AESGCM(self.seal_key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], about)


def load_or_create_secret(path: Path, *, may_create: bool) -> bytes:
    """Read the secret key file; create it (mode 0600) where that is allowed and it is missing."""
    if not path.exists():
        if not may_create:
            raise FileNotFoundError(f"ETP_SECRET_KEY_FILE {path} is missing; production needs one of 32 random bytes")
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(os.urandom(32))
            file.flush()
            os.fsync(file.fileno())
    return path.read_bytes()


def new_token(prefix: str) -> str:
    """Make a token of 256 random bits; the prefix tells what it is for when it is found somewhere."""
    return f"{prefix}_{secrets.token_urlsafe(32)}"
