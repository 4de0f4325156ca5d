"""Access tokens: short-lived JWTs, signed with the hub's key."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

import jwt

from hub.kit.clock import Clock
from hub.kit.crypto import Keys
from hub.kit.problems import Unauthenticated

ALGORITHM: Final = "HS256"
ISSUER: Final = "etp"
AUDIENCE: Final = "etp api"
PERSONAL_PREFIX: Final = "etpp_"
REFRESH_PREFIX: Final = "etpr"
LEEWAY_S: Final = 30.0  # replicas' clocks differ a little


@dataclass(frozen=True)
class AccessToken:
    """What an access token says; `not_before_s` and `expires_at_s` count seconds since 1970."""

    user_id: UUID
    session_id: UUID
    name: str
    not_before_s: int
    expires_at_s: int


def issue(keys: Keys, clock: Clock, *, user_id: UUID, session_id: UUID, name: str, lifetime_s: int) -> str:
    """Sign an access token of a session."""
    now = clock.now()
    return jwt.encode(
        {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": str(user_id),
            "sid": str(session_id),
            "name": name,
            "iat": now,
            "exp": now + timedelta(seconds=lifetime_s),
        },
        keys.sign,
        algorithm=ALGORITHM,
    )


def digest(keys: Keys, token: str) -> bytes:
    """Return the keyed hash under which a process remembers whose an access token is.

    So nothing that could be shown to the hub lies around in memory.
    """
    return hashlib.blake2b(token.encode(errors="surrogateescape"), key=keys.sign[:64], digest_size=32).digest()


def verify(keys: Keys, clock: Clock, token: str) -> AccessToken:
    """Check signature, times, issuer and audience; raises Unauthenticated."""
    access = _decode(keys, token)
    now_s = clock.now_us() / 1e6
    if now_s >= access.expires_at_s:
        raise Unauthenticated("The access token has expired; refresh it.")
    if now_s < access.not_before_s - LEEWAY_S:
        raise Unauthenticated("The access token is not valid yet.")
    return access


def _decode(keys: Keys, token: str) -> AccessToken:
    try:
        claims = jwt.decode(
            token,
            keys.sign,
            algorithms=[ALGORITHM],
            issuer=ISSUER,
            audience=AUDIENCE,
            options={
                "require": ["exp", "iat", "sub", "sid"],
                # Judged by the hub's own clock with every use.
                "verify_exp": False,
                "verify_nbf": False,
                "verify_iat": False,
            },
        )
        return AccessToken(
            UUID(claims["sub"]),
            UUID(claims["sid"]),
            str(claims.get("name", "")),
            max(int(claims["iat"]), int(claims.get("nbf", 0))),
            int(claims["exp"]),
        )
    except (jwt.InvalidTokenError, ValueError, TypeError, AttributeError, OverflowError) as error:
        raise Unauthenticated("The access token is not valid.") from error
