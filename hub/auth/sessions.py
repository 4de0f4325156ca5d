"""Whether a session still counts, for those who hold an access token of it."""

from hub.auth import queries
from hub.auth.tokens import AccessToken
from hub.kit.db import Tx


async def ended(tx: Tx, token: AccessToken) -> bool:
    """Tell whether the token's session was ended before the token expired."""
    return await queries.family_revoked(tx, token.family_id)
