"""What never stands in a log: values with secret names, and text that looks like a secret."""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final, cast

MASK: Final = "***"
DEEPEST: Final = 8
# One of these anywhere in a name makes its value secret, unless the last word says that it is something about it.
_ANYWHERE: Final = frozenset({"password", "passwd", "passphrase", "secret", "authorization", "cookie", "otp"})
# One of these at the end does: `refresh_token` is secret, `token_id` is not.
_AT_THE_END: Final = _ANYWHERE | frozenset(
    {"passwords", "secrets", "cookies", "token", "tokens", "code", "codes", "jwt", "nonce", "invite", "apikey"}
)
_KEYS: Final = frozenset({"api", "private", "secret", "signing"})
_ABOUT: Final = frozenset({"id", "ids", "file", "path", "count", "s", "at", "kind", "type", "attempts"})
_HARMLESS: Final = frozenset({"status_code", "exit_code", "close_code", "error_code"})
_WORDS: Final = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")

_TEXT: Final = re.compile(
    r"""
      (?P<token> (?-i: etp[a-z]_ ) ) [a-z0-9_-]+                      # this platform's own tokens
    | (?P<jwt> (?-i: eyJ ) ) [a-z0-9_=-]{6,} (?: \. [a-z0-9_=-]* ){0,4}
    | (?P<scheme> \b (?: bearer | basic ) [ ]+ ) [^\s"',;\\]+
    | (?P<user> :// [^\s:/@?#]* : ) [^\s/?#]* (?= @ )                 # scheme://user:password@host
    | (?P<query> [?&;] (?: code | key | sig | signature ) = ) [^\s&"'\\;]+
    | (?P<cookie> \b (?: set- )? cookie ["'\\]* \s* [=:] \s* ["'\\]* ) [^\r\n"'\\]+
    | (?P<name> \b [\w-]{0,40}? (?: password | passwd | passphrase | secret | otp | token | authorization )
        ["'\\]* \s* [=:] \s* ["'\\]* (?: bearer [ ]+ | basic [ ]+ )?+ ) (?! \*\*\* ) [^\s"'&,;{}()<>\\]+
    """,
    re.VERBOSE | re.IGNORECASE,
)

# None of these in a text, in small letters: nothing of the above is there. Looking for them is forty times as quick.
_SIGNS: Final = (
    *("etp", "eyj", "bearer", "basic", "://", "cookie", "token", "password", "passwd", "passphrase"),
    *("secret", "otp", "authorization", "code=", "key=", "sig=", "signature="),
)


@lru_cache(maxsize=1000)
def is_secret(name: str) -> bool:
    """Tell whether a value with this name is never shown, e.g. `password`, `X-OTP`, `refreshToken`."""
    words = [word.lower() for word in _WORDS.findall(name)]
    if not words or words[-1] in _ABOUT or "_".join(words) in _HARMLESS:
        return False
    if words[-1] in {"key", "keys"}:
        return not _KEYS.isdisjoint(words)
    return words[-1] in _AT_THE_END or not _ANYWHERE.isdisjoint(words)


def mask_text(text: str) -> str:
    """Replace what looks like a secret; what it was for stays readable, e.g. `etps_***`."""
    small = text.lower()
    if not any(sign in small for sign in _SIGNS):
        return text
    return _TEXT.sub(_keep_its_kind, text)


def mask(value: object, name: str = "", depth: int = 0) -> object:
    """Copy a value of a log event, and all that lies in it, without secrets."""
    masked: object
    match value:
        case None | bool():
            masked = value
        case _ if name and is_secret(name):
            masked = MASK
        case int() | float():
            masked = value
        case Mapping() if depth < DEEPEST:
            items = cast("Mapping[object, object]", value).items()
            masked = {mask_text(str(key)): mask(item, str(key), depth + 1) for key, item in items}
        case list() | tuple() | set() | frozenset() if depth < DEEPEST:
            masked = [mask(item, "", depth + 1) for item in cast("Iterable[object]", value)]
        case bytes():
            masked = mask_text(value.decode(errors="backslashreplace"))
        case _:
            masked = mask_text(str(value))
    return masked


def _keep_its_kind(found: re.Match[str]) -> str:
    return found[found.lastgroup or "token"] + MASK
