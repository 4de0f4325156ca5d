"""SQL of what edge agents tell about themselves."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg

from hub.kit.db import Tx


async def put(tx: Tx, *, agent_id: UUID, instance: int, report: dict[str, Any]) -> None:
    """Keep what an instance tells, in the place of what it told before."""
    await tx.execute(
        """
        insert into edge_status (agent_id, instance, report)
        values ($1, $2, $3)
        on conflict (agent_id, instance) do update
        set told_at = excluded.told_at, report = excluded.report
        """,
        agent_id,
        instance,
        report,
    )


async def of_agents(tx: Tx, agents: Sequence[UUID]) -> list[asyncpg.Record]:
    """Read what the instances of edge agents last told, and how long ago."""
    return await tx.fetch(
        """
        select agent_id, instance, told_at, report,
          extract(epoch from clock_timestamp() - told_at)::float8 as age_s
        from edge_status
        where agent_id = any($1)
        order by agent_id, instance
        """,
        agents,
    )
