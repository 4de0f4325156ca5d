"""Access to sensors: for members of their projects, and for devices by their tokens."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from hub.auth.access import bearer
from hub.kit.context import Context, Grant, Principal
from hub.kit.db import Tx
from hub.kit.endpoint import Access
from hub.kit.problems import Problem, Unauthenticated
from hub.projects.access import Member
from hub.projects.models import Role
from hub.sensors import agent_queries, queries, token_queries
from hub.sensors.problems import NotYourSensor

DEVICE_ROLE = "device"


def of_sensor(least: Role) -> Member:
    """Admit members of the project of the sensor in the path."""
    return Member(least, "sensor", "sensor_id", queries.project_of)


def of_agent(least: Role) -> Member:
    """Admit members of the project of the edge agent in the path."""
    return Member(least, "edge agent", "agent_id", agent_queries.project_of)


@dataclass(frozen=True)
class Device(Access):
    """Admits sensors and edge agents by their tokens; the principal's kind is `sensor` or `agent`."""

    kinds: frozenset[str]

    @property
    def scheme(self) -> str | None:
        """Return the name of the OpenAPI security scheme."""
        return "device"

    @property
    def problems(self) -> Sequence[type[Problem]]:
        """Return what the rule may answer."""
        return (Unauthenticated,)

    @property
    def rule(self) -> str:
        """Return who is admitted."""
        return "token of " + " or ".join(
            {"sensor": "a sensor", "agent": "an edge agent"}[k] for k in sorted(self.kinds)
        )

    async def admit(self, ctx: Context) -> None:
        """Find whose token it is; raises Unauthenticated."""
        digest = ctx.hub.keys.digest(bearer(ctx))
        async with ctx.hub.db.connection() as connection:
            row = await token_queries.device_by_token(connection, digest, ctx.hub.clock.now())
        if row is None or row["kind"] not in self.kinds:
            raise Unauthenticated("No device that is admitted here has this token.")
        if row["ended"]:
            raise Unauthenticated("This token is good no more: it has ended, or another one took its place.")
        ctx.principal = Principal(row["kind"], row["id"], row["name"])
        ctx.grant = Grant(row["project_id"], DEVICE_ROLE)


async def check_speaks_for(tx: Tx, device: Principal, sensor_id: UUID) -> None:
    """Let a sensor speak for itself and an edge agent for its sensors; raises NotYourSensor."""
    if device.kind == "sensor":
        allowed = device.id == sensor_id
    else:
        allowed = await agent_queries.speaks_for(tx, device.id, sensor_id)
    if not allowed:
        raise NotYourSensor


DEVICE = Device(frozenset({"sensor", "agent"}))
AGENT = Device(frozenset({"agent"}))
