"""Access of unmodified clients: a device's token in whichever header their API has for it, or in the address."""

import base64
import binascii
from typing import Final

from hub.channels.problems import AddressTokensOff
from hub.kit.context import Context
from hub.kit.problems import Problem, Unauthenticated
from hub.telemetry.access import DeviceToken

NOT_IN_THE_QUERY: Final = "Every proxy keeps addresses: send user name and password as basic authentication."


class ClientToken(DeviceToken):
    """Admits devices by `Token`, `Bearer` or, as the password of any user, `Basic`."""

    def token_of(self, ctx: Context) -> str:
        """Return the token that was shown; raises Unauthenticated without one."""
        scheme, _, value = ctx.request.headers.get("Authorization", "").partition(" ")
        match scheme.lower():
            case "token" | "bearer":
                # InfluxDB 1.8 takes `Token user:password`.
                token = value.strip().rpartition(":")[2]
            case "basic":
                token = _password(value.strip())
            case _:
                token = ""
        if not token:
            raise Unauthenticated(NOT_IN_THE_QUERY if "p" in ctx.request.query else "")
        return token


class AddressToken(DeviceToken):
    """Admits devices by a token in their address, where their API has it nowhere else; can be switched off."""

    @property
    def problems(self) -> tuple[type[Problem], ...]:
        """Return what the rule may answer."""
        return (*super().problems, AddressTokensOff)

    def token_of(self, ctx: Context) -> str:
        """Return the token of the address; raises AddressTokensOff."""
        if not ctx.hub.settings.tokens_in_addresses:
            raise AddressTokensOff
        return ctx.request.match_info["token"]


def _password(credentials: str) -> str:
    try:
        return base64.b64decode(credentials, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""


CLIENT_TOKEN: Final = ClientToken()
ADDRESS_TOKEN: Final = AddressToken()
