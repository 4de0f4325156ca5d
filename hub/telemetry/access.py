"""Access to ingest: devices by their tokens, known while the database is away."""

from collections.abc import Sequence
from typing import Final

from aiohttp import web

from hub.auth.access import bearer
from hub.journal.service import JOURNAL
from hub.kit.context import Context, Principal
from hub.kit.endpoint import Access
from hub.kit.problems import Problem, Unauthenticated
from hub.telemetry import troubles
from hub.telemetry.fabric import FABRIC
from hub.telemetry.problems import TokenExpired, TokensUnavailable, TokenUnknown
from hub.telemetry.registry import Device

DEVICE: Final = web.RequestKey("device", Device)
TOKEN: Final = web.RequestKey("device token", str)


class DeviceToken(Access):
    """Admits whoever holds the token of a sensor or an edge agent."""

    @property
    def scheme(self) -> str | None:
        """Return the name of the OpenAPI security scheme."""
        return "device"

    @property
    def rule(self) -> str:
        """Return who is admitted."""
        return "token of a sensor or an edge agent"

    @property
    def problems(self) -> Sequence[type[Problem]]:
        """Return what the rule may answer."""
        return (Unauthenticated, TokenUnknown, TokenExpired, TokensUnavailable)

    async def admit(self, ctx: Context) -> None:
        """Look the token up in the registry, which works on while the database is away."""
        registry, token = ctx.request.app[FABRIC].registry, self.token_of(ctx)
        try:
            device = await registry.device(token)
        except TokenUnknown:
            troubles.note_unauthorized(ctx.request.app[JOURNAL], registry.once(token))
            raise
        ctx.request[DEVICE], ctx.request[TOKEN] = device, token
        ctx.principal = Principal(device.kind, device.id, "")

    def token_of(self, ctx: Context) -> str:
        """Return the token that was shown; raises Unauthenticated without one."""
        return bearer(ctx)


class TokenOrMessage(DeviceToken):
    """Admits a WebSocket that shows its token in the first message, since browsers cannot send headers there."""

    @property
    def rule(self) -> str:
        """Return who is admitted."""
        return f"{super().rule}, in the header or the first message"

    async def admit(self, ctx: Context) -> None:
        """Look the token up, where the request shows one or will get no chance to."""
        if "Authorization" in ctx.request.headers or "Upgrade" not in ctx.request.headers:
            await super().admit(ctx)


DEVICE_TOKEN = DeviceToken()
TOKEN_OR_MESSAGE = TokenOrMessage()
