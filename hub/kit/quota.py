"""How many requests a caller may make: a bucket for each credential, and one for each address that shows none."""

import math

from hub.kit.context import Context
from hub.kit.limits import Rate
from hub.kit.problems import TooManyRequests


async def count(ctx: Context, times: float, path: str) -> None:
    """Count a request; raises TooManyRequests.

    A route may allow `times` the usual rate, which is then counted for it alone; zero: it has limits of its own.
    """
    if times == 0:
        return
    settings = ctx.hub.settings
    if ctx.principal is not None:
        who = ctx.principal.key
        rate = Rate(settings.requests_per_s * times, settings.requests_burst * times)
    else:
        who = f"from {ctx.address}"
        rate = Rate(settings.public_requests_per_s * times, settings.public_requests_burst * times)
    verdict = await ctx.hub.limits.take_one(f"requests {who}" + ("" if times == 1 else f" {path}"), rate)
    ctx.arrival.allowance = (rate, verdict)
    if not verdict.allowed:
        raise TooManyRequests(max(1, math.ceil(verdict.wait_s)), *rate)
