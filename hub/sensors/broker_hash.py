"""Tokens as a Mosquitto broker keeps its passwords: PBKDF2 with SHA-512, in Mosquitto's own writing."""

import base64
import hashlib
import os
from typing import Final

# Mosquitto's own number: the broker computes it at each log-in, and 128 random bits are beyond guessing anyway.
ITERATIONS: Final = 101
_SALT_BYTES: Final = 12
_KEY_BYTES: Final = 64


def broker_hash(token: str) -> str:
    """Return the text that stands for a token in a password file."""
    salt = os.urandom(_SALT_BYTES)
    key = hashlib.pbkdf2_hmac("sha512", token.encode(), salt, ITERATIONS, _KEY_BYTES)
    return f"$7${ITERATIONS}${base64.b64encode(salt).decode()}${base64.b64encode(key).decode()}"
