"""What is done with the hub's keys: keyed hashes, sealed texts, fresh tokens."""

import hmac
import os
import secrets
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12
TAG_BYTES = 16


@dataclass(frozen=True, repr=False)
class Keys:
    """The keys that access tokens are signed with, and that all other tokens are looked up by."""

    sign: bytes
    lookup: bytes

    def digest(self, token: str) -> bytes:
        """Return the keyed hash (32 bytes) under which a token is looked up."""
        return hmac.digest(self.lookup, token.encode(), "sha256")


def encrypt(key: AESGCM, plain: bytes, about: bytes) -> bytes:
    """Return a fresh nonce and the text under AES-GCM; `about`, never empty, is authenticated with it."""
    if not about:
        raise ValueError("what a sealed text is about must be said, or it could be moved to another place")
    nonce = os.urandom(NONCE_BYTES)
    return nonce + key.encrypt(nonce, plain, about)


def decrypt(key: AESGCM, sealed: bytes, about: bytes) -> bytes:
    """Open what `encrypt` made; raises InvalidTag when key, text or `about` differ."""
    if len(sealed) < NONCE_BYTES + TAG_BYTES:
        raise InvalidTag
    return key.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], about)


def new_token(prefix: str) -> str:
    """Make a token of 256 random bits; the prefix tells what it is for when it is found somewhere."""
    return f"{prefix}_{secrets.token_urlsafe(32)}"
