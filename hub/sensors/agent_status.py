"""How edge agents are doing: what they tell, and who has fallen silent."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from hub.kit.context import Context
from hub.sensors import agent_status_queries as queries
from hub.sensors.agent_status_models import AgentInstance, AgentReport

# An agent tells every 10 s at least; one report may get lost.
SILENT_AFTER_S: Final = 30.0


async def note(ctx: Context, body: AgentReport) -> None:
    """Keep what the calling agent tells about itself."""
    report = body.model_dump(mode="json", exclude={"instance"})
    await queries.put(ctx.tx, agent_id=ctx.caller.id, instance=body.instance, report=report)


async def of_agents(ctx: Context, agents: Sequence[UUID]) -> dict[UUID, list[AgentInstance]]:
    """Return what the instances of edge agents last told; one that went silent without a word is offline."""
    found: dict[UUID, list[AgentInstance]] = defaultdict(list)
    for row in await queries.of_agents(ctx.tx, agents):
        told = row["report"] | {"instance": row["instance"], "told_at": row["told_at"]}
        if row["age_s"] > SILENT_AFTER_S and told["state"] != "stopped":
            told["state"] = "offline"
        found[row["agent_id"]].append(AgentInstance.model_validate(told))
    return found
