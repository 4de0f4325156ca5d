"""Second factors for the users of tests, set up behind the API: each costs it a password's slow hash."""

import secrets
import uuid

from aiohttp import web

from hub.kit.context import HUB
from hub.kit.db import Tx
from tests.hub.callers import Caller


async def recovery_code_of(app: web.Application, db: Tx, caller: Caller) -> str:
    """Give a user a second factor and return a recovery code, another one each time; five of them are taken at once."""
    code = secrets.token_hex(8).upper()
    user_id = uuid.UUID(caller.id)
    await db.execute("update app_user set otp_confirmed_at = now() where id = $1", user_id)
    await db.execute("insert into recovery_code (user_id, digest) values ($1, $2)", user_id, app[HUB].keys.digest(code))
    return code
