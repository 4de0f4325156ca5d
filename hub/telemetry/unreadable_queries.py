"""SQL of the reports of messages that edge agents could not read."""

from collections.abc import Sequence
from uuid import UUID

from hub.kit.db import Tx


async def add(tx: Tx, report_id: UUID, agent_id: UUID) -> bool:
    """Remember a report for a week, long after an agent says it again; tells whether it is new."""
    return bool(
        await tx.fetchval(
            """
            with forgotten as (
              delete from edge_unreadable
              where at < now() - interval '7 days'
            )
            insert into edge_unreadable (report_id, agent_id)
            values ($1, $2)
            on conflict do nothing
            returning true
            """,
            report_id,
            agent_id,
        )
    )


async def numbers(tx: Tx, agent_id: UUID, sensors: Sequence[UUID]) -> dict[UUID, int]:
    """Return the numbers of those sensors that belong to an agent's project."""
    rows = await tx.fetch(
        """
        select sensor.id, sensor.no
        from sensor
        join edge_agent agent on agent.project_id = sensor.project_id
        where agent.id = $1 and sensor.id = any ($2::uuid[]) and sensor.deleted_at is null
        """,
        agent_id,
        sensors,
    )
    return {row["id"]: row["no"] for row in rows}
