"""Access of unmodified clients: a device's token in whichever header their API has for it, or in the address."""

import base64
import binascii
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from hub.channels.problems import AddressTokensOff
from hub.kit.context import Context, Principal
from hub.kit.problems import Problem, Unauthenticated
from hub.telemetry.access import DEVICE, DeviceToken
from hub.telemetry.fabric import FABRIC

TOKEN: Final = web.RequestKey("device token", str)
IN_THE_QUERY: Final = "Of an address every proxy keeps a copy: send user name and password as basic authentication."


class ClientToken(DeviceToken):
    """Admits devices by `Token`, `Bearer` or, as the password of any user, `Basic`."""

    async def admit(self, ctx: Context) -> None:
        """Look the token up in the registry, which works on while the database is away."""
        await _admit(ctx, _of_header(ctx))


@dataclass(frozen=True)
class AddressToken(DeviceToken):
    """Admits devices by a token in their address, where their API has it nowhere else; can be switched off."""

    @property
    def problems(self) -> tuple[type[Problem], ...]:
        """Return what the rule may answer."""
        return (*super().problems, AddressTokensOff)

    async def admit(self, ctx: Context) -> None:
        """Look the token up in the registry, which works on while the database is away."""
        if not ctx.hub.settings.tokens_in_addresses:
            raise AddressTokensOff
        await _admit(ctx, ctx.request.match_info["token"])


async def _admit(ctx: Context, token: str) -> None:
    device = await ctx.request.app[FABRIC].registry.device(token)
    ctx.request[DEVICE], ctx.request[TOKEN] = device, token
    ctx.principal = Principal(device.kind, device.id, "")


def _of_header(ctx: Context) -> str:
    scheme, _, value = ctx.request.headers.get("Authorization", "").partition(" ")
    value = value.strip()
    match scheme.lower():
        case "token" | "bearer":
            # InfluxDB 1.8 takes `Token user:password`.
            token = value.rpartition(":")[2]
        case "basic":
            token = _password(value)
        case _:
            token = ""
    if not token:
        raise Unauthenticated(IN_THE_QUERY if "p" in ctx.request.query else "")
    return token


def _password(credentials: str) -> str:
    try:
        return base64.b64decode(credentials, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""


CLIENT_TOKEN: Final = ClientToken()
ADDRESS_TOKEN: Final = AddressToken()
