"""The strength of tokens that people bring along."""

import re

# 22 URL-safe characters hold 132 bits, 32 hex digits 128.
_HEX = re.compile(r"[0-9a-fA-F]+")
_URL_SAFE = re.compile(r"[A-Za-z0-9._~-]+")
MIN_HEX, MIN_URL_SAFE, MAX_LENGTH = 32, 22, 200
# Random tokens of these lengths fall below with a chance of 1 in 10^7 at most; keyboards and repetitions do not pass.
MIN_DISTINCT_HEX, MIN_DISTINCT_URL_SAFE = 6, 10


def weakness(token: str) -> str | None:
    """Say why a token cannot hold 128 random bits; None for one that may."""
    if not _URL_SAFE.fullmatch(token):
        return "Use only letters, digits and . _ ~ -"
    is_hex = _HEX.fullmatch(token) is not None
    least, distinct = (MIN_HEX, MIN_DISTINCT_HEX) if is_hex else (MIN_URL_SAFE, MIN_DISTINCT_URL_SAFE)
    if len(token) < least:
        return f"Too short for 128 bits: send at least {least} {'hex digits' if is_hex else 'URL-safe characters'}"
    if len(token) > MAX_LENGTH:
        return f"Send at most {MAX_LENGTH} characters"
    if len(set(token)) < distinct:
        return "Not random enough for 128 bits: too few different characters"
    return None
