"""What a handler is given: the hub's parts, the request, who asks, and the request's transaction."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any
from uuid import UUID

from aiohttp import web

from hub.kit.arrival import ARRIVAL, Arrival
from hub.kit.clock import Clock
from hub.kit.crypto import Keys
from hub.kit.db import Database, Tx
from hub.kit.limits import Limiter
from hub.kit.meters import Meters
from hub.kit.remembered import Remembered
from hub.kit.vault import Vault

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from hub.settings import Settings


@dataclass(frozen=True)
class Hub:
    """The parts that every slice may use; made once by the composition root."""

    db: Database
    stream: "Redis"
    settings: "Settings"
    clock: Clock
    vault: Vault
    remembered: Remembered
    limits: Limiter
    # Ids of personal tokens that were shown since it was last written down.
    tokens_used: set[UUID] = field(default_factory=set[UUID])
    meters: Meters = field(default_factory=Meters)

    @property
    def keys(self) -> Keys:
        """Return what signs and looks tokens up; raises DatabaseAway until the vault was ready once."""
        return self.vault.keys


HUB = web.AppKey("hub", Hub)


@dataclass(frozen=True)
class Principal:
    """Who asks: a user, a sensor or an edge agent.

    `credential_id` names the session or token that was shown, which is good until `expires_at_s` (since 1970).
    """

    kind: str
    id: UUID
    name: str
    credential_id: UUID | None = None
    expires_at_s: float = float("inf")

    @cached_property
    def key(self) -> str:
        """Return what tells this principal with this credential from all others."""
        return f"{self.id} {self.credential_id or ''}"


@dataclass(frozen=True)
class Grant:
    """What the principal may do where: a role within a scope (a project)."""

    scope_id: UUID
    role: str
    facts: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass
class Context:
    """One request on its way through the hub."""

    hub: Hub
    request: web.Request
    request_id: str
    principal: Principal | None = None
    grant: Grant | None = None
    transaction: Tx | None = None
    cookies: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    # Called once what the request did is committed.
    after_commit: list[Callable[[], None]] = field(default_factory=list[Callable[[], None]])

    @property
    def tx(self) -> Tx:
        """Return the request's transaction; routes that opted out have none."""
        if self.transaction is None:
            raise RuntimeError("this route declared transaction=False and has no transaction")
        return self.transaction

    @property
    def arrival(self) -> Arrival:
        """Return what is known of the request itself."""
        return self.request[ARRIVAL]

    @property
    def address(self) -> str | None:
        """Return the address that the request came from, behind proxies that are trusted."""
        return self.arrival.address

    @property
    def https(self) -> bool:
        """Tell whether the client speaks HTTPS, with the hub or with a proxy before it."""
        return self.arrival.https

    @property
    def user_agent(self) -> str | None:
        """Return what the client calls itself, at most 200 characters of it."""
        name = self.request.headers.get("User-Agent")
        return None if name is None else name[:200]

    @property
    def caller(self) -> Principal:
        """Return who asks; routes with public access have nobody."""
        if self.principal is None:
            raise RuntimeError("this route is public and has no caller")
        return self.principal

    @property
    def scope(self) -> Grant:
        """Return what the caller may do in the scope that the route declared."""
        if self.grant is None:
            raise RuntimeError("this route declared no scope")
        return self.grant
