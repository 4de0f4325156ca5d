"""Access tokens: short-lived JWTs, signed with the hub's key."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import jwt

from hub.kit.clock import Clock
from hub.kit.crypto import Keys
from hub.kit.problems import Unauthenticated

ALGORITHM = "HS256"
ISSUER = "etp"
AUDIENCE = "etp api"


@dataclass(frozen=True)
class AccessToken:
    """What an access token says."""

    user_id: UUID
    family_id: UUID
    name: str
    expires_at_s: int


def issue(keys: Keys, clock: Clock, *, user_id: UUID, family_id: UUID, name: str, lifetime_s: int) -> str:
    """Sign an access token of the session `family_id`."""
    now = clock.now()
    return jwt.encode(
        {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": str(user_id),
            "sid": str(family_id),
            "name": name,
            "iat": now,
            "exp": now + timedelta(seconds=lifetime_s),
        },
        keys.sign,
        algorithm=ALGORITHM,
    )


def verify(keys: Keys, token: str) -> AccessToken:
    """Check signature, times, issuer and audience; raises Unauthenticated."""
    try:
        claims = jwt.decode(
            token,
            keys.sign,
            algorithms=[ALGORITHM],
            issuer=ISSUER,
            audience=AUDIENCE,
            options={"require": ["exp", "iat", "sub", "sid"]},
        )
        return AccessToken(UUID(claims["sub"]), UUID(claims["sid"]), str(claims.get("name", "")), int(claims["exp"]))
    except jwt.ExpiredSignatureError as error:
        raise Unauthenticated("The access token has expired; refresh it.") from error
    except (jwt.InvalidTokenError, ValueError) as error:
        raise Unauthenticated("The access token is not valid.") from error
