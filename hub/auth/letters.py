"""Letters to users: written in the transaction that gives the reason, sent by a worker."""

from typing import Any, Final, NamedTuple

import asyncpg

from hub.auth import letter_queries
from hub.kit.context import Context
from hub.kit.mail import Letter


class Text(NamedTuple):
    """What a letter says; braces are filled with facts."""

    subject: str
    body: str


PASSWORD_RESET: Final = Text(
    "A new password for your account",
    "Hello {name},\n\nsomebody, probably you, asked for a new password for the Experiment Tracking Platform. Choose it"
    " here within an hour; the link works once:\n\n{link}\n\nIf it was not you, ignore this letter: nothing has"
    " changed.\n",
)
PASSWORD_CHANGED: Final = Text(
    "Your password was changed",
    "Hello {name},\n\nthe password of your account was changed from {address}. Other sessions were logged out.\n\nIf it"
    " was not you, ask for a new password at once: {login}\n",
)
MFA_CHANGED: Final = Text(
    "Your second factor was {what}",
    "Hello {name},\n\nthe second factor of your account was {what} from {address}.\n\nIf it was not you, ask for a new"
    " password at once: {login}\n",
)
SESSION_STOLEN: Final = Text(
    "A session of yours was ended for safety",
    "Hello {name},\n\na refresh token of one of your sessions was used twice, the second time from {address}. Somebody"
    " may have copied it, so that session was ended. Log in again: {login}\n\nIf that address is not yours, change your"
    " password.\n",
)


async def write_to(ctx: Context, user: asyncpg.Record, text: Text, **facts: Any) -> None:
    """Put a letter to a user into the outgoing mail of the request's transaction."""
    known = {"name": user["name"], "address": ctx.address or "an unknown address", "login": link(ctx, "/login")}
    letter = Letter(
        to=user["email"],
        subject=text.subject.format(**known | facts),
        body=text.body.format(**known | facts),
    )
    await letter_queries.insert(ctx.tx, await ctx.hub.vault.seal(letter.encode(), b"letter"))


def link(ctx: Context, path: str) -> str:
    """Return the address of a page of the dashboard."""
    return f"{ctx.hub.settings.dashboard_url}{path}"
