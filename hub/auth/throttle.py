"""How often somebody may try: per account and per address, without locking anybody out for good."""

import math
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final
from uuid import UUID

from hub.auth import session_queries
from hub.auth.problems import TooManyAttempts
from hub.kit.context import Context
from hub.kit.limits import Rate

OF_ADDRESS: Final = Rate(per_s=0.2, burst=50)
OF_ACCOUNT: Final = Rate(per_s=1 / 60, burst=10)
OF_CODES: Final = Rate(per_s=1 / 60, burst=5)
OF_LETTERS: Final = Rate(per_s=1 / 600, burst=3)


@asynccontextmanager
async def attempt(ctx: Context, email: str, user_id: UUID | None) -> AsyncGenerator[None]:
    """Allow an attempt to log in, or raise TooManyAttempts; one that succeeds is not counted.

    Attempts from addresses where the account was used before, or its password set by mail, are counted apart from all
    others, so that whoever guesses from elsewhere cannot keep the owner out.
    """
    known = user_id is not None and await session_queries.used_from(ctx.tx, user_id, ctx.address)
    account = ctx.hub.keys.digest(email).hex()[:32]
    buckets = (
        (f"login from {ctx.address}", OF_ADDRESS),
        (f"login to {account} from {ctx.address if known else 'elsewhere'}", OF_ACCOUNT),
    )
    for key, rate in buckets:
        await _take(ctx, key, rate)
    yield
    for key, rate in buckets:
        await ctx.hub.limits.take(key, rate, -1.0)


async def of_address(ctx: Context, what: str) -> None:
    """Allow what anybody may try, so often from one address; raises TooManyAttempts."""
    await _take(ctx, f"{what} from {ctx.address}", OF_ADDRESS)


async def of_codes(ctx: Context, user_id: UUID) -> None:
    """Allow another one-time code of a user; raises TooManyAttempts."""
    await _take(ctx, f"codes of {user_id}", OF_CODES)


async def code_was_good(ctx: Context, user_id: UUID) -> None:
    """Give an attempt back: codes that are good are not counted."""
    await ctx.hub.limits.take(f"codes of {user_id}", OF_CODES, -1.0)


async def may_write_to(ctx: Context, user_id: UUID) -> bool:
    """Tell whether another letter that somebody asked for may go to a user."""
    return (await ctx.hub.limits.take(f"letters to {user_id}", OF_LETTERS)).allowed


async def _take(ctx: Context, key: str, rate: Rate) -> None:
    verdict = await ctx.hub.limits.take(key, rate)
    if not verdict.allowed:
        raise TooManyAttempts(max(1, math.ceil(verdict.wait_s)))
